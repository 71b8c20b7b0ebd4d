import { InputError } from "../../base/errors.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { BASES } from "../../dna/sequence/encoding.ts";
import type { Model, SequenceEmbedding } from "../model.ts";

export interface ModelProbeOptions {
  /** Difference between two scores that counts as rounding, relative to the larger. */
  readonly tolerance: number;
  /** A length, in letters, to be asked for besides the benchmark's windows. */
  readonly longest: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A token's state, and the letters it stands for. */
export interface BaseToken {
  readonly start: number;
  readonly end: number;
  /** [width] */
  readonly state: Float32Array;
}

/** Asks a model what the checks want to know, and compares what it says. */
export class ModelProbe {
  readonly model: Model;
  readonly tolerance: number;
  readonly longest: number | undefined;
  private readonly signal: AbortSignal | undefined;

  constructor(model: Model, { tolerance, longest, signal }: ModelProbeOptions) {
    this.model = model;
    this.tolerance = tolerance;
    this.longest = longest;
    this.signal = signal;
  }

  /**
   * Scores of one batch, exactly as given.
   * @throws {InputError} when they are not one number per sequence
   */
  async scores(sequences: readonly string[]): Promise<Float64Array> {
    this.signal?.throwIfAborted();
    const given = await this.model.logLikelihood!(sequences, this.options());
    requireCount(given?.length, sequences.length);
    return Float64Array.from(given);
  }

  /** Scores of sequences in batches of one length each, so that nothing is padded; in the order given. */
  async scoresUnpadded(sequences: readonly string[]): Promise<Float64Array> {
    const scores = new Float64Array(sequences.length);
    for (const places of this.batchesOfOneLength(sequences)) {
      const part = await this.scores(places.map((place) => sequences[place]));
      places.forEach((place, i) => {
        scores[place] = part[i];
      });
    }
    return scores;
  }

  /** Token states of one batch, exactly as given. @throws {InputError} when they are not one entry per sequence */
  async embeddings(sequences: readonly string[]): Promise<readonly SequenceEmbedding[]> {
    this.signal?.throwIfAborted();
    const given = await this.model.embed!(sequences, this.options());
    requireCount(given?.length, sequences.length);
    return given;
  }

  /** The same in batches of one length each. */
  async embeddingsUnpadded(sequences: readonly string[]): Promise<readonly SequenceEmbedding[]> {
    const embeddings = new Array<SequenceEmbedding>(sequences.length);
    for (const places of this.batchesOfOneLength(sequences)) {
      const part = await this.embeddings(places.map((place) => sequences[place]));
      places.forEach((place, i) => {
        embeddings[place] = part[i];
      });
    }
    return embeddings;
  }

  /** What is asked, or undefined when the model refuses it, in whatever way. An interruption is passed on. */
  async unlessRefused<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked;
    } catch {
      this.signal?.throwIfAborted();
      return undefined;
    }
  }

  /** Whether two scores are the same but for rounding. */
  same(a: number, b: number): boolean {
    return Math.abs(a - b) <= this.tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  }

  /** Whether two sequences' tokens stand for the same letters and have the same states but for rounding. */
  sameTokens(a: readonly BaseToken[], b: readonly BaseToken[]): boolean {
    if (a.length !== b.length) return false;
    const largest = Math.max(
      ...a.map(({ state }) => state.reduce((most, x) => Math.max(most, Math.abs(x)), 0)),
      1e-30,
    );
    return a.every(({ start, end, state }, i) => {
      const other = b[i];
      if (start !== other.start || end !== other.end || state.length !== other.state.length) return false;
      return state.every((x, k) => Math.abs(x - other.state[k]) <= this.tolerance * largest);
    });
  }

  private options() {
    return { protocol: "corrected" as const, ...(this.signal === undefined ? {} : { signal: this.signal }) };
  }

  private *batchesOfOneLength(sequences: readonly string[]): Generator<readonly number[]> {
    const most = this.model.batchSize ?? 32;
    const lengths = new Set(sequences.map(({ length }) => length));
    for (const length of lengths) {
      const places = [...sequences.keys()].filter((place) => sequences[place].length === length);
      for (let start = 0; start < places.length; start += most) yield places.slice(start, start + most);
    }
  }
}

/** The tokens that stand for letters. */
export function baseTokens({ states, tokens, width, starts, ends }: SequenceEmbedding): readonly BaseToken[] {
  return Array.from({ length: tokens }, (_, i) => ({
    start: starts[i],
    end: ends[i],
    state: states.subarray(i * width, (i + 1) * width),
  })).filter(({ start, end }) => end > start);
}

function requireCount(came: number | undefined, asked: number) {
  if (came === asked) return;
  throw new InputError(`${asked} sequences were asked for and ${came ?? "no"} answers came`);
}

/** Random letters: the same for the same seed. */
export function randomLetters(length: number, seed: number): string {
  const rng = new Pcg64(seed);
  return Array.from({ length }, () => BASES[Math.floor(4 * rng.nextFloat64())]).join("");
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
  return [at ^ 1, at ^ 2, at ^ 3].map((other) => withLetter(sequence, place, BASES[other])) as [
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
