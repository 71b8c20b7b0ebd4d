import type { Genome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import type { VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

/** Rows on chromosomes that the genome does not have, or has under another name. */
export function chromosomeFindings({ rows }: VariantTable, genome: Genome): readonly Finding[] {
  const elsewhere = rows.filter(({ chrom }) => !genome.chromosomes.has(chrom));
  const names = [...new Set(elsewhere.map(({ chrom }) => chrom))];
  const [first] = names;
  if (first === undefined) return [];
  const { message, hint } = missingChromosomeError(first, genome.chromosomes.keys(), {});
  const more = names.length > 1 ? `, and it lacks ${names.length - 1} more of the table's names` : "";
  return [
    finding("error", "chromosome-names", elsewhere, {
      what: `${elsewhere.length} of ${rows.length} variants cannot be looked up: ${message}${more}`,
      fix: hint ?? "is this the genome that the table was made for?",
    }),
  ];
}
