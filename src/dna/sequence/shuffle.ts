import type { Pcg64 } from "../../base/pcg64.ts";
import { codesOf, modelLettersOf, NO_BASE } from "./letters.ts";

/**
 * A random sequence with the same first letter, last letter and counts of every pair of neighbours.
 *
 * Each letter's successors are listed in order; all of a list but its last entry is permuted; the walk along the lists
 * from the first letter then uses every step once, because the last step out of each letter leads on to the end.
 * Valid, but not evenly spread over all such sequences. Draws exactly what DART-Eval draws from NumPy's generator.
 *
 * @param letters  N, and any letter that is no base, is taken as A, and comes out as A
 * @returns        upper-case A, C, G, T; nothing is drawn for fewer than four letters, which have one order only
 * @throws {InputError} when a character is not ASCII
 * @see Altschul & Erickson 1985, doi:10.1093/oxfordjournals.molbev.a040370, for shuffles that keep neighbours
 */
export function dinucleotideShuffle(letters: string, rng: Pcg64): string {
  const codes = codesOf(letters);
  dinucleotideShuffleCodes(codes, 0, codes.length, rng);
  return modelLettersOf(codes);
}

/** Positions that follow each letter, the lists of the four letters one behind the other. */
let successors = new Int32Array(1024);
/** The letters before the shuffle. */
let original = new Uint8Array(1024);
/** Where each letter's list begins; then where its next entry is. */
const next = new Int32Array(5);

/** `dinucleotideShuffle` of entries [start, end) of base codes, in place. */
export function dinucleotideShuffleCodes(codes: Uint8Array, start: number, end: number, rng: Pcg64): void {
  const length = end - start;
  if (length <= 0) return;
  if (original.length < length) {
    original = new Uint8Array(2 * length);
    successors = new Int32Array(2 * length);
  }
  next.fill(0);
  for (let i = 0; i < length; i++) {
    const code = codes[start + i]!;
    const base = code === NO_BASE ? 0 : code;
    original[i] = base;
    next[base + 1] = next[base + 1]! + 1;
  }
  // The last letter has no successor.
  next[original[length - 1]! + 1] = next[original[length - 1]! + 1]! - 1;
  for (let base = 0; base < 4; base++) next[base + 1] = next[base]! + next[base + 1]!;
  for (let i = 0; i < length - 1; i++) {
    const base = original[i]!;
    const at = next[base]!;
    successors[at] = i + 1;
    next[base] = at + 1;
  }
  // Every list has been filled, so entry `base` now says where the list of the next letter begins.
  next.copyWithin(1, 0, 4);
  next[0] = 0;
  for (let base = 0; base < 4; base++) {
    rng.shufflePrefix(successors, next[base]!, next[base + 1]! - next[base]! - 1);
  }
  let position = 0;
  for (let i = 0; i < length; i++) {
    const base = original[position]!;
    codes[start + i] = base;
    // After the last letter this reads one entry too far, and is not used.
    const at = next[base]!;
    next[base] = at + 1;
    position = successors[at]!;
  }
}
