import { InputError } from "../../base/errors.ts";
import { codesOf, NO_BASE } from "./encoding.ts";

/**
 * How often each word of k letters occurs, at every offset; letters are taken as they are. Empty when the sequence is
 * shorter than k.
 *
 * @throws {InputError} when k is not a whole number of 1 or more
 */
export function kmerCounts(letters: string, k: number): Map<string, number> {
  if (!(Number.isSafeInteger(k) && k >= 1)) {
    throw new InputError(`a word length of ${k} was asked for; it must be a whole number of 1 or more`);
  }
  const counts = new Map<string, number>();
  for (let i = 0; i + k <= letters.length; i++) {
    const word = letters.slice(i, i + k);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/**
 * Share of G and C among the bases A, C, G, T, in [0, 1]; other letters count on neither side.
 *
 * @returns NaN when the sequence holds no base
 * @throws {InputError} when a character is not ASCII
 */
export function gcFraction(letters: string): number {
  let strong = 0;
  let bases = 0;
  for (const code of codesOf(letters)) {
    if (code === NO_BASE) continue;
    bases++;
    if (code === 1 || code === 2) strong++;
  }
  return bases === 0 ? Number.NaN : strong / bases;
}
