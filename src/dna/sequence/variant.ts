import { BASES, codesOf, NO_BASE, windowCodes } from "./encoding.ts";

/** A variant with two alleles. */
export interface Variant {
  /** 0-based position of the first base of both alleles. */
  readonly position: number;
  /** One or more bases, in either case. */
  readonly allele1: string;
  readonly allele2: string;
}

/** The allele equal to the reference genome: 1, 2, or 0 for neither. */
export type ReferenceAllele = 0 | 1 | 2;

/** Windows around a variant with the first and the second allele, as base codes. */
export interface AlleleWindows {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
  readonly reference: ReferenceAllele;
}

/**
 * The allele that equals the reference genome, case-insensitive. An allele with a letter other than A, C, G
 * or T never does. If both do, as for an insertion that repeats the bases after it, returns the first.
 *
 * @param chromosome  upper-case ASCII bytes
 */
export function referenceAllele(
  chromosome: Uint8Array,
  { position, allele1, allele2 }: Variant,
): ReferenceAllele {
  if (reads(chromosome, position, allele1)) return 1;
  return reads(chromosome, position, allele2) ? 2 : 0;
}

/** True if the chromosome has this sequence at a 0-based position. */
export function reads(chromosome: Uint8Array, position: number, bases: string): boolean {
  if (position < 0 || position + bases.length > chromosome.length) return false;
  for (let i = 0; i < bases.length; i++) {
    const letter = bases.charCodeAt(i) & UPPER_CASE;
    if (chromosome[position + i] !== letter || !BASES.includes(String.fromCharCode(letter))) return false;
  }
  return true;
}

/** Mask that converts ASCII letters to upper case. */
const UPPER_CASE = 0xdf;

/**
 * Two windows of equal width around a variant, one per allele. Positions off the chromosome are `NO_BASE`.
 *
 * The first base of the variant is at index floor(width / 2) of both windows, after the same upstream bases.
 * The bases downstream of the reference allele follow the allele, so the window of an insertion ends earlier
 * on the chromosome and that of a deletion later. If neither allele equals the reference, the first one is
 * assumed to be the replaced one.
 *
 * @param chromosome  upper-case ASCII bytes
 * @param width       window width in bases
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
