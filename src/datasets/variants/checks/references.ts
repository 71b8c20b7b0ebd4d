import type { Genome } from "../../../dna/genome/genome.ts";
import { type ReferenceAllele, reads, referenceAllele } from "../../../dna/sequence/variant.ts";
import type { VariantRow, VariantTable } from "../table.ts";

/** What the genome reads where the variants are. */
export interface References {
  /** The allele that is the genome's, by the row's number; rows on chromosomes that the genome lacks are absent. */
  readonly of: ReadonlyMap<number, ReferenceAllele>;
  /** Rows of which neither allele is, without those that have an ambiguous allele; in the table's order. */
  readonly mismatches: readonly Mismatch[];
}

/** A variant of which neither allele is the genome's. */
export interface Mismatch {
  readonly row: VariantRow;
  /** What the genome reads there, one base; empty beyond its end. */
  readonly letter: string;
  /** An allele is the genome's one base before, or behind. */
  readonly before: boolean;
  readonly behind: boolean;
}

/** Looks every variant up, chromosome by chromosome. */
export async function lookUpReferences({ rows }: VariantTable, genome: Genome): Promise<References> {
  const byChromosome = new Map<string, VariantRow[]>();
  for (const row of rows) {
    const others = byChromosome.get(row.chrom);
    if (others === undefined) byChromosome.set(row.chrom, [row]);
    else others.push(row);
  }
  const of = new Map<number, ReferenceAllele>();
  const mismatches: Mismatch[] = [];
  for (const [chrom, here] of byChromosome) {
    if (!genome.chromosomes.has(chrom)) continue;
    const letters = await genome.chromosome(chrom);
    const eitherAt = ({ allele1, allele2 }: VariantRow, position: number) =>
      reads(letters, position, allele1) || reads(letters, position, allele2);
    for (const row of here) {
      const reference = referenceAllele(letters, row);
      of.set(row.index, reference);
      if (reference !== 0 || !hasDefiniteAlleles(row)) continue;
      const { position } = row;
      mismatches.push({
        row,
        letter: position < letters.length ? String.fromCharCode(letters[position]) : "",
        before: eitherAt(row, position - 1),
        behind: eitherAt(row, position + 1),
      });
    }
  }
  mismatches.sort((a, b) => a.row.index - b.row.index);
  return { of, mismatches };
}

/** True if both alleles consist of A, C, G and T, in either case. */
export const hasDefiniteAlleles = ({ allele1, allele2 }: VariantRow): boolean =>
  !/[^ACGTacgt]/.test(allele1) && !/[^ACGTacgt]/.test(allele2);
