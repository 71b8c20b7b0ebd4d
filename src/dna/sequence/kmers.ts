import { InputError } from "../../base/errors.ts";
import { NO_BASE } from "./letters.ts";

/** A table of 4^12 counts takes 64 MiB; longer words are counted by their letters. */
const LONGEST_TABLE = 12;

/**
 * How often each word of k letters occurs, at every offset; letters are taken as they are. Empty when the sequence is
 * shorter than k.
 *
 * @throws {InputError} when k is not a whole number of 1 or more
 */
export function kmerCounts(letters: string, k: number): Map<string, number> {
  checkWordLength(k, Number.MAX_SAFE_INTEGER);
  const counts = new Map<string, number>();
  for (let i = 0; i + k <= letters.length; i++) {
    const word = letters.slice(i, i + k);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/**
 * Adds the words of k bases of a sequence to a table of 4^k counts; words that hold a letter that is no base are left out.
 * The word at index w is w written with k digits to the base 4, A 0, C 1, G 2, T 3: AA..A is 0, AA..C is 1.
 *
 * @param codes   base codes
 * @param counts  4^k counts to add to; a new table when left out
 * @throws {InputError} when k is not a whole number from 1 to 12
 */
export function addKmerCounts(
  codes: Uint8Array,
  k: number,
  counts: Float64Array = new Float64Array(tableSize(k)),
): Float64Array {
  const mask = tableSize(k) - 1;
  let word = 0;
  let known = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === NO_BASE) {
      known = 0;
      continue;
    }
    word = ((word << 2) | code) & mask;
    if (++known >= k) counts[word] = counts[word]! + 1;
  }
  return counts;
}

function tableSize(k: number): number {
  checkWordLength(k, LONGEST_TABLE);
  return 4 ** k;
}

function checkWordLength(k: number, longest: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= longest) return;
  const range = longest === LONGEST_TABLE ? `from 1 to ${longest}` : "of 1 or more";
  throw new InputError(`a word length of ${k} was asked for; it must be a whole number ${range}`);
}
