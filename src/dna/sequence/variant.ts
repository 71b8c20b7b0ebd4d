import { BASES, codesOf, NO_BASE, windowCodes } from "./encoding.ts";

/** Two alleles of one place. */
export interface Variant {
  /** 0-based place of the first base of either allele. */
  readonly position: number;
  /** Letters in either case; one or more. */
  readonly allele1: string;
  readonly allele2: string;
}

/** Which allele the chromosome has: the first, the second, or 0 for neither. */
export type ReferenceAllele = 0 | 1 | 2;

/** A window with either allele, as base codes. */
export interface AlleleWindows {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
  readonly reference: ReferenceAllele;
}

/**
 * The allele that a chromosome reads at a variant's place; case does not matter. An allele with a letter other than A, C, G
 * or T is never the reference. Where both are, as of an insertion that repeats what follows it, the first is taken.
 *
 * @param chromosome  upper-case ASCII letters
 */
export function referenceAllele(
  chromosome: Uint8Array,
  { position, allele1, allele2 }: Variant,
): ReferenceAllele {
  if (reads(chromosome, position, allele1)) return 1;
  return reads(chromosome, position, allele2) ? 2 : 0;
}

/** Whether the chromosome reads these letters from a 0-based place on. */
export function reads(chromosome: Uint8Array, position: number, letters: string): boolean {
  if (position < 0 || position + letters.length > chromosome.length) return false;
  for (let i = 0; i < letters.length; i++) {
    const letter = letters.charCodeAt(i) & UPPER_CASE;
    if (chromosome[position + i] !== letter || !BASES.includes(String.fromCharCode(letter))) return false;
  }
  return true;
}

/** Clears the bit that tells lower-case ASCII letters from upper-case ones. */
const UPPER_CASE = 0xdf;

/**
 * The chromosome's window around a variant, once with either allele; both have the same length, and what lies off the
 * chromosome has the code of no base.
 *
 * The variant's first base stands at index width / 2 (rounded down) of both windows, behind the same letters. An allele of
 * another length than the reference's is followed by the letters that follow the reference allele, from the next base on,
 * so a window with an insertion ends earlier on the chromosome and one with a deletion later. Where neither allele is the
 * chromosome's, the first is taken to be what was replaced.
 *
 * @param chromosome  upper-case ASCII letters
 * @param width       bases of a window
 */
export function alleleWindows(chromosome: Uint8Array, variant: Variant, width: number): AlleleWindows {
  const { position, allele1, allele2 } = variant;
  const reference = referenceAllele(chromosome, variant);
  const replaced = reference === 2 ? allele2.length : allele1.length;
  const start = position - Math.floor(width / 2);
  const windowWith = (allele: string) => {
    const codes = new Uint8Array(width).fill(NO_BASE);
    windowCodes(chromosome, start, position, codes.subarray(0, position - start));
    const at = position - start;
    const inside = codesOf(allele).subarray(0, width - at);
    codes.set(inside, at);
    const rest = at + inside.length;
    const next = position + replaced;
    windowCodes(chromosome, next, next + width - rest, codes.subarray(rest));
    return codes;
  };
  return { first: windowWith(allele1), second: windowWith(allele2), reference };
}
