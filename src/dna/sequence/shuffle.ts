import type { Pcg64 } from "../../base/pcg64.ts";
import { codesOf, modelSequenceOf } from "./encoding.ts";

/**
 * Dinucleotide-preserving shuffle: a random sequence with the same dinucleotide counts, first base and last
 * base.
 *
 * Lists the successors of each base in order, permutes every list except its last entry, and walks along the
 * lists from the first base. The walk uses every successor once, because the last one of each base leads
 * towards the end. The result is valid but not uniform over all such sequences. The draws equal DART-Eval's
 * from NumPy's generator.
 *
 * @param sequence  N and other ambiguity letters are read as A
 * @returns         upper-case A, C, G, T; sequences of fewer than four bases draw nothing and do not change
 * @throws {InputError} when a character is not ASCII
 * @see Altschul & Erickson 1985, doi:10.1093/oxfordjournals.molbev.a040370
 */
export function dinucleotideShuffle(sequence: string, rng: Pcg64): string {
  const codes = codesOf(sequence);
  dinucleotideShuffleCodes(codes, 0, codes.length, rng);
  return modelSequenceOf(codes);
}

/** Successors of each base as base codes: four lists, each with the capacity of the whole sequence. */
let successors = new Int32Array(4 * 512);
/** Write, then read position in each list of `successors`. */
const next = new Int32Array(4);

/** Applies `dinucleotideShuffle` to entries [start, end) of base codes, in place. */
export function dinucleotideShuffleCodes(codes: Uint8Array, start: number, end: number, rng: Pcg64): void {
  if (end <= start) return;
  const capacity = listSuccessors(codes, start, end);
  for (let list = 0; list < 4; list++) {
    rng.shufflePrefix(successors, list * capacity, next[list] - list * capacity - 1);
  }
  rewind(capacity);
  let base = codes[start] & 3;
  codes[start] = base;
  for (let i = start + 1; i < end; i++) {
    base = successors[next[base]++];
    codes[i] = base;
  }
}

/**
 * True if `dinucleotideShuffleCodes` would return the sequence unchanged (with N read as A). Stops at the
 * first difference, for most sequences after one or two draws.
 */
export function dinucleotideShuffleKeeps(codes: Uint8Array, start: number, end: number, rng: Pcg64): boolean {
  // The walk reproduces the sequence if and only if no list changes; most sequences need the first list only.
  for (let base = 0; base < 4; base++) {
    const count = successorsOf(base, codes, start, end);
    if (!rng.shuffleKeeps(successors, 0, count - 1)) return false;
  }
  return true;
}

/** Writes the successors of one base to the start of `successors`. @returns their number */
function successorsOf(base: number, codes: Uint8Array, start: number, end: number): number {
  reserve(end - start);
  let count = 0;
  // The last two bits of NO_BASE are those of A.
  let here = codes[start] & 3;
  for (let i = start + 1; i < end; i++) {
    const following = codes[i] & 3;
    successors[count] = following;
    count += here === base ? 1 : 0;
    here = following;
  }
  return count;
}

/** Fills `successors` and sets `next` to the end of each list. @returns the capacity of a list */
function listSuccessors(codes: Uint8Array, start: number, end: number): number {
  const capacity = end - start;
  reserve(capacity);
  rewind(capacity);
  // The last two bits of NO_BASE are those of A.
  let base = codes[start] & 3;
  for (let i = start + 1; i < end; i++) {
    const following = codes[i] & 3;
    successors[next[base]++] = following;
    base = following;
  }
  return capacity;
}

/** Makes room for the lists of a sequence. @param capacity  of one list */
function reserve(capacity: number): void {
  if (successors.length < 4 * capacity) successors = new Int32Array(8 * capacity);
}

function rewind(capacity: number): void {
  for (let list = 0; list < 4; list++) next[list] = list * capacity;
}
