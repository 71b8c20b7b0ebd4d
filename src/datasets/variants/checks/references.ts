import type { Genome } from "../../../dna/genome/genome.ts";
import { type ReferenceAllele, reads, referenceAllele } from "../../../dna/sequence/variant.ts";
import type { VariantRow, VariantTable } from "../table.ts";

/** Alleles of a table compared with the genome. */
export interface References {
  /** Reference allele by row number; rows on chromosomes that the genome lacks are absent. */
  readonly of: ReadonlyMap<number, ReferenceAllele>;
  /**
   * Rows with neither allele at their position, in table order, without rows that have an ambiguous allele.
   */
  readonly mismatches: readonly Mismatch[];
}

/** Variant with neither allele at its position. */
export interface Mismatch {
  readonly row: VariantRow;
  /** Base of the genome at the position; empty beyond the chromosome's end. */
  readonly base: string;
  /** True if one of the alleles is at the position one base before or after. */
  readonly before: boolean;
  readonly after: boolean;
}

/** Looks up every variant in the genome, one chromosome at a time. */
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
    const bases = await genome.chromosome(chrom);
    const eitherAt = ({ allele1, allele2 }: VariantRow, position: number) =>
      reads(bases, position, allele1) || reads(bases, position, allele2);
    for (const row of here) {
      const reference = referenceAllele(bases, row);
      of.set(row.index, reference);
      if (reference !== 0 || !hasDefiniteAlleles(row)) continue;
      const { position } = row;
      mismatches.push({
        row,
        base: position < bases.length ? String.fromCharCode(bases[position]) : "",
        before: eitherAt(row, position - 1),
        after: eitherAt(row, position + 1),
      });
    }
  }
  mismatches.sort((a, b) => a.row.index - b.row.index);
  return { of, mismatches };
}

/** True if both alleles consist of A, C, G and T, in either case. */
export const hasDefiniteAlleles = ({ allele1, allele2 }: VariantRow): boolean =>
  !/[^ACGTacgt]/.test(allele1) && !/[^ACGTacgt]/.test(allele2);
