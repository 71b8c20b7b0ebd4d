import { NO_BASE } from "../../../dna/sequence/encoding.ts";
import { alleleWindows, type ReferenceAllele, type Variant } from "../../../dna/sequence/variant.ts";

/** Bases of a window. */
export const VARIANT_WINDOW = 2114;
/** 0-based position of the variant in its window. */
const VARIANT_AT = VARIANT_WINDOW / 2;

/**
 * Status of a variant in the original. "neither": neither allele is the reference base, and both are
 * substituted for it (quirk Q21; lower-case alleles differ from any base there). "refused": the original
 * stops with an error, since an allele has more than one base (quirk Q20) or the window starts before the
 * chromosome (quirk Q19).
 */
export type OriginalStatus = "ok" | "neither" | "refused";

/**
 * Windows of a variant's alleles as base codes (0 A, 1 C, 2 G, 3 T, 4 no base), and its facts from the
 * genome.
 */
export interface AlleleCodes {
  readonly allele1: Uint8Array;
  readonly allele2: Uint8Array;
  readonly reference: ReferenceAllele;
  readonly original: OriginalStatus;
  /** Positions of the window with allele 1 without a base: N, or off the chromosome. */
  readonly unknown: number;
}

/**
 * Windows around a variant with either allele: the original's for single bases; `alleleWindows` documents
 * those of longer alleles.
 *
 * @param chromosome  upper-case ASCII
 * @param width       bases of a window
 */
export function alleleCodes(
  chromosome: Uint8Array,
  variant: Variant,
  width: number = VARIANT_WINDOW,
): AlleleCodes {
  const { first, second, reference } = alleleWindows(chromosome, variant, width);
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
  const letter = String.fromCharCode(chromosome[position]);
  return letter === allele1 || letter === allele2 ? "ok" : "neither";
}
