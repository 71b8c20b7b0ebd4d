import type { Pcg64 } from "../../base/pcg64.ts";
import { codesOf, modelLettersOf } from "./encoding.ts";

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

/** For each letter, as base codes, the letters that follow it: four lists, each with room for the whole sequence. */
let successors = new Int32Array(4 * 512);
/** Where each letter's next successor goes; then where it is taken from. */
const next = new Int32Array(4);

/** `dinucleotideShuffle` of entries [start, end) of base codes, in place. */
export function dinucleotideShuffleCodes(codes: Uint8Array, start: number, end: number, rng: Pcg64): void {
  if (end <= start) return;
  const room = listSuccessors(codes, start, end);
  for (let list = 0; list < 4; list++) {
    rng.shufflePrefix(successors, list * room, next[list] - list * room - 1);
  }
  rewind(room);
  let base = codes[start] & 3;
  codes[start] = base;
  for (let i = start + 1; i < end; i++) {
    base = successors[next[base]++];
    codes[i] = base;
  }
}

/**
 * Whether `dinucleotideShuffleCodes` would leave all letters as they are, N taken as A. Draws only until that is known, which
 * for most sequences is at the first or second draw.
 */
export function dinucleotideShuffleKeeps(codes: Uint8Array, start: number, end: number, rng: Pcg64): boolean {
  if (end <= start) return true;
  const room = listSuccessors(codes, start, end);
  // The walk repeats the sequence exactly where every list does.
  return [0, 1, 2, 3].every((list) =>
    rng.shuffleKeeps(successors, list * room, next[list] - list * room - 1),
  );
}

/** Fills `successors` and leaves `next` behind the last of each list. @returns  room of a list */
function listSuccessors(codes: Uint8Array, start: number, end: number): number {
  const room = end - start;
  if (successors.length < 4 * room) successors = new Int32Array(8 * room);
  rewind(room);
  // The last two bits of NO_BASE are those of A.
  let base = codes[start] & 3;
  for (let i = start + 1; i < end; i++) {
    const following = codes[i] & 3;
    successors[next[base]++] = following;
    base = following;
  }
  return room;
}

function rewind(room: number): void {
  for (let list = 0; list < 4; list++) next[list] = list * room;
}
