import { InputError } from "../../base/errors.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { BASES } from "../../dna/sequence/encoding.ts";
import { assertHas, type Model, type SequenceEmbedding } from "../model.ts";

export interface ModelProbeOptions {
  /** Relative difference between two scores that is attributed to rounding. */
  readonly tolerance: number;
  /** A length in bases, in addition to the benchmark's windows. */
  readonly longest: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** State of a token and the bases [start, end) that it covers. */
export interface BaseToken {
  readonly start: number;
  readonly end: number;
  /** [width] */
  readonly state: Float32Array;
}

/** Runs a model for the checks and compares its outputs. */
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
   * Scores of one batch in the given order.
   * @throws {InputError} when there is not one number per sequence
   */
  async scores(sequences: readonly string[]): Promise<Float64Array> {
    this.signal?.throwIfAborted();
    const { model } = this;
    assertHas(model, "logLikelihood");
    const given = await model.logLikelihood(sequences, this.options());
    requireCount(given?.length, sequences.length);
    return Float64Array.from(given);
  }

  /** Scores of sequences, in batches of one length each so that nothing is padded. */
  async scoresUnpadded(sequences: readonly string[]): Promise<Float64Array> {
    const scores = new Float64Array(sequences.length);
    for (const indices of this.batchesOfOneLength(sequences)) {
      const part = await this.scores(indices.map((index) => sequences[index]));
      indices.forEach((index, i) => {
        scores[index] = part[i];
      });
    }
    return scores;
  }

  /**
   * Token states of one batch in the given order.
   * @throws {InputError} when there is not one entry per sequence
   */
  async embeddings(sequences: readonly string[]): Promise<readonly SequenceEmbedding[]> {
    this.signal?.throwIfAborted();
    const { model } = this;
    assertHas(model, "embed");
    const given = await model.embed(sequences, this.options());
    requireCount(given?.length, sequences.length);
    return given;
  }

  /** Token states of sequences, in batches of one length each. */
  async embeddingsUnpadded(sequences: readonly string[]): Promise<readonly SequenceEmbedding[]> {
    const embeddings = new Array<SequenceEmbedding>(sequences.length);
    for (const indices of this.batchesOfOneLength(sequences)) {
      const part = await this.embeddings(indices.map((index) => sequences[index]));
      indices.forEach((index, i) => {
        embeddings[index] = part[i];
      });
    }
    return embeddings;
  }

  /** The value of a promise, or undefined if it rejects. Rethrows the reason of an aborted signal. */
  async unlessRejected<T>(promise: Promise<T>): Promise<T | undefined> {
    try {
      return await promise;
    } catch {
      this.signal?.throwIfAborted();
      return undefined;
    }
  }

  /** True if two scores are equal up to rounding. */
  same(a: number, b: number): boolean {
    return Math.abs(a - b) <= this.tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  }

  /** True if two sequences' tokens cover the same bases and have equal states up to rounding. */
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
      const indices = [...sequences.keys()].filter((index) => sequences[index].length === length);
      for (let start = 0; start < indices.length; start += most) yield indices.slice(start, start + most);
    }
  }
}

/** Tokens that cover bases. */
export function baseTokens({ states, tokens, width, starts, ends }: SequenceEmbedding): readonly BaseToken[] {
  return Array.from({ length: tokens }, (_, i) => ({
    start: starts[i],
    end: ends[i],
    state: states.subarray(i * width, (i + 1) * width),
  })).filter(({ start, end }) => end > start);
}

function requireCount(count: number | undefined, expected: number) {
  if (count === expected) return;
  throw new InputError(`the model returned ${count ?? "no"} results for ${expected} sequences`);
}

/** Random bases, determined by the seed. */
export function randomBases(length: number, seed: number): string {
  const rng = new Pcg64(seed);
  return Array.from({ length }, () => BASES[Math.floor(4 * rng.nextFloat64())]).join("");
}

/** `count` random sequences of one length. */
export function randomSequences(count: number, length: number, seed: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => randomBases(length, 1000 * seed + i));
}

/** The sequence with another base at a position, 0-based; negative counts from the end. */
export function substituted(sequence: string, position: number, base: string): string {
  const at = position < 0 ? sequence.length + position : position;
  return `${sequence.slice(0, at)}${base}${sequence.slice(at + 1)}`;
}

/** The three substitutions at a position, the most dissimilar base first. */
export function otherBases(sequence: string, position: number): readonly [string, string, string] {
  const at = BASES.indexOf(sequence.at(position) ?? "");
  const other = (difference: number) => substituted(sequence, position, BASES[at ^ difference]);
  // A ↔ C and G ↔ T exchange purine and pyrimidine, and change the number of hydrogen bonds.
  return [other(1), other(2), other(3)];
}

/** A sequence in a message. */
export function shownSequence(sequence: string): string {
  if (sequence.length <= 24) return sequence === "" ? "the empty sequence" : sequence;
  return `${sequence.slice(0, 16)}… (${sequence.length} bases)`;
}
