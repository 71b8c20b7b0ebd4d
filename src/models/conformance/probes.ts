import { Pcg64 } from "../../base/pcg64.ts";
import { BASES } from "../../dna/sequence/letters.ts";

/** Random letters: the same for the same seed. */
export function randomLetters(length: number, seed: number): string {
  const rng = new Pcg64(seed);
  return Array.from({ length }, () => BASES[Math.floor(4 * rng.nextFloat64())]!).join("");
}

/** `count` random sequences of one length. */
export function randomSequences(count: number, length: number, seed: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => randomLetters(length, 1000 * seed + i));
}

/** The sequence with another letter at a place, 0-based; negative counts from the end. */
export function withLetter(sequence: string, place: number, letter: string): string {
  const at = place < 0 ? sequence.length + place : place;
  return `${sequence.slice(0, at)}${letter}${sequence.slice(at + 1)}`;
}

/** The three sequences that differ from this one in the letter at a place; the first in all that letters are classed by but one. */
export function otherLetters(sequence: string, place: number): readonly [string, string, string] {
  const at = BASES.indexOf(sequence.at(place)!);
  // A and C, G and T: of other strength, and of other shape.
  return [at ^ 1, at ^ 2, at ^ 3].map((other) => withLetter(sequence, place, BASES[other]!)) as [
    string,
    string,
    string,
  ];
}

/** A sequence as a message shows it. */
export function shownSequence(sequence: string): string {
  if (sequence.length <= 24) return sequence === "" ? "the empty sequence" : sequence;
  return `${sequence.slice(0, 16)}… (${sequence.length} letters)`;
}
