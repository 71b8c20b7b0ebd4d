import { NO_BASE } from "../../../dna/sequence/letters.ts";
import { alleleWindows, type ReferenceAllele, type Variant } from "../../../dna/sequence/variant.ts";

/** Letters of a window, and where the variant stands in it. */
export const VARIANT_WINDOW = 2114;
const VARIANT_AT = VARIANT_WINDOW / 2;

/**
 * What the original makes of a variant. "ok"; "neither": neither allele is the reference, and both are put in its place
 * (quirk Q21; alleles in lower case count as other letters there); "refused": it stops with an error, since an allele has more
 * than one base (quirk Q20) or the window begins before the chromosome (quirk Q19).
 */
export type OriginalStatus = "ok" | "neither" | "refused";

/** A variant's two windows as base codes (0 A, 1 C, 2 G, 3 T, 4 no base), and what is to be known of them. */
export interface AllelePair {
  readonly allele1: Uint8Array;
  readonly allele2: Uint8Array;
  readonly reference: ReferenceAllele;
  readonly original: OriginalStatus;
  /** Bases of the window with allele 1 that are none: N, or off the chromosome. */
  readonly unknown: number;
}

/**
 * The 2,114 bases around a variant with either allele. For single bases these are the original's windows; those of longer
 * alleles are told at `alleleWindows`.
 *
 * @param chromosome  upper-case ASCII letters
 */
export function allelePair(chromosome: Uint8Array, variant: Variant): AllelePair {
  const { first, second, reference } = alleleWindows(chromosome, variant, VARIANT_WINDOW);
  let unknown = 0;
  for (const code of first) if (code === NO_BASE) unknown++;
  return {
    allele1: first,
    allele2: second,
    reference,
    original: originalStatus(chromosome, variant),
    unknown,
  };
}

function originalStatus(chromosome: Uint8Array, { position, allele1, allele2 }: Variant): OriginalStatus {
  if (position < VARIANT_AT || position >= chromosome.length) return "refused";
  if (allele1.length !== 1 || allele2.length !== 1) return "refused";
  const letter = String.fromCharCode(chromosome[position]!);
  return letter === allele1 || letter === allele2 ? "ok" : "neither";
}
