import { InputError } from "../../base/errors.ts";
import { codesOf, NO_BASE } from "./encoding.ts";

/**
 * Counts of the overlapping k-mers of a sequence, case-sensitive. Empty when the sequence is shorter than k.
 *
 * @throws {InputError} when k is not a positive integer
 */
export function kmerCounts(sequence: string, k: number): Map<string, number> {
  if (!(Number.isSafeInteger(k) && k >= 1)) {
    throw new InputError(`k is ${k}; expected a positive integer`);
  }
  const counts = new Map<string, number>();
  for (let i = 0; i + k <= sequence.length; i++) {
    const kmer = sequence.slice(i, i + k);
    counts.set(kmer, (counts.get(kmer) ?? 0) + 1);
  }
  return counts;
}

/**
 * Fraction of G and C among the bases A, C, G, T, in [0, 1]. Other letters do not count.
 *
 * @returns NaN when the sequence has no A, C, G or T
 * @throws {InputError} when a character is not ASCII
 */
export function gcFraction(sequence: string): number {
  let strong = 0;
  let bases = 0;
  for (const code of codesOf(sequence)) {
    if (code === NO_BASE) continue;
    bases++;
    if (code === 1 || code === 2) strong++;
  }
  return bases === 0 ? Number.NaN : strong / bases;
}
