import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { CHROMOSOME_SPLIT } from "../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { Model, OpenModelContext } from "../model.ts";
import { BASE_CODES, ContextCounter, type ContextCounts } from "./context-counts.ts";

/** Log-probabilities are rounded to multiples of 2^-26 nats (1.5e-8), so that their sums are exact. */
const UNITS_PER_NAT = 2 ** 26;
const MIN_LOG = -(2 ** 31) / UNITS_PER_NAT; // -32 nats

/** Sequences per call: many, because a call costs more than scoring a sequence. */
const BATCH_SIZE = 4096;

/** Options of `fitKmerMarkov`. */
export interface KmerMarkovOptions {
  /** Bases of context, 0 to 11. */
  readonly order: number;
  /** Checked before each chromosome; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** A fitted Markov model of DNA. */
export interface KmerMarkov extends Model {
  readonly order: number;
  readonly batchSize: number;
  readonly identity: string;
  /** Number of A, C, G and T in the training data, on one strand. */
  readonly trainingBases: number;
  /** Weight of the next shorter context's estimate for each length of context, in counts, [order + 1]. */
  readonly strengths: readonly number[];
  /** P(next base | context), [A, C, G, T]; a longer context is cut to its last `order` bases. */
  probabilities(context: string): Float64Array;
  logLikelihood(sequences: readonly string[]): Float64Array;
  tokenCount(sequence: string): number;
  memory(): number;
}

/**
 * Fits a Markov model of order k to chromosomes: ln P(x) = Σᵢ ln P(xᵢ | up to k bases before).
 *
 * Both strands are counted; N and any other letter ends a context. The estimate for a context c of j bases is
 * shrunk towards that for its last j − 1 bases c′, and for the empty context towards the uniform
 * distribution:
 *
 * P_j(x | c) = (n(c, x) + a_j P_{j-1}(x | c')) / (n(c) + a_j)
 *
 * The strength a_j maximises the leave-one-out likelihood of the counts, which keeps high orders from
 * overfitting. Fitted to 2.3 Mb of human DNA, order 11 predicts other chromosomes better than order 5; with
 * Witten-Bell smoothing (a_j = number of distinct bases seen) it predicts them worse than the uniform
 * distribution.
 *
 * The model is causal. It scores the first base by its frequency and the next k − 1 by shorter contexts, so
 * the probabilities of all sequences of one length sum to 1. Scores are exact sums: sequences with the same
 * (k + 1)-mers and the same first k bases have the same score. With order 1, a sequence and its dinucleotide
 * shuffle therefore tie.
 *
 * @param chromosomes  ASCII letters of each training chromosome, either case; read one at a time
 * @throws {InputError} when the order is not from 0 to 11, or the chromosomes have no A, C, G or T
 * @see MacKay & Peto 1995, A hierarchical Dirichlet language model, doi:10.1017/S1351324900000218
 */
export async function fitKmerMarkov(
  chromosomes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { order, signal }: KmerMarkovOptions,
): Promise<KmerMarkov> {
  const counter = new ContextCounter(order);
  for await (const letters of chromosomes) {
    signal?.throwIfAborted();
    counter.add(letters);
  }
  const counts = counter.finish();
  if (counts.bases === 0) {
    throw new InputError("the training chromosomes of the Markov model have no A, C, G or T", {
      hint: "check that the genome's training chromosomes are not all N",
    });
  }
  return modelOf(counts);
}

function modelOf(counts: ContextCounts): KmerMarkov {
  const { order, bases, levels } = counts;
  const strengths: number[] = [];
  const logs: Int32Array[] = [];
  let shorter: Float64Array = Float64Array.of(0.25, 0.25, 0.25, 0.25);
  for (const words of levels) {
    const strength = strengthOf(words, shorter);
    shorter = interpolate(words, shorter, strength);
    strengths.push(strength);
    logs.push(logUnits(shorter));
  }
  const digest = sha256Hex(levels.map((words) => sha256Hex(new Uint8Array(words.buffer))).join(" "));
  const bytes = logs.reduce((sum, table) => sum + table.byteLength, 0);
  const wordMask = 4 ** order - 1;

  return {
    name: `kmer-markov-${order}`,
    identity: [
      `kmer-markov order=${order} strands=both smoothing=hierarchical-dirichlet`,
      `strengths=${strengths.map((a) => a.toPrecision(6)).join(",")} counts=sha256:${digest}`,
    ].join(" "),
    kind: "causal",
    tokens: "one-letter",
    order,
    batchSize: BATCH_SIZE,
    scoreRounding: 0,
    trainingBases: bases,
    strengths,

    probabilities(context) {
      const length = Math.min(context.length, order);
      let word = 0;
      for (let i = context.length - length; i < context.length; i++) word = word * 4 + codeAt(context, i);
      return Float64Array.from([0, 1, 2, 3], (code) =>
        Math.exp(logs[length][word * 4 + code] / UNITS_PER_NAT),
      );
    },

    logLikelihood(sequences) {
      const longest = logs[order];
      return Float64Array.from(sequences, (letters) => {
        let context = 0;
        let units = 0; // a sum of whole numbers far below 2^53: exact
        for (let i = 0; i < letters.length; i++) {
          const word = context * 4 + codeAt(letters, i);
          units += i >= order ? longest[word] : logs[i][word];
          context = word & wordMask;
        }
        return units / UNITS_PER_NAT;
      });
    },

    tokenLogProbabilities(sequences) {
      return sequences.map((letters) => {
        const values = new Float64Array(letters.length);
        let context = 0;
        for (let i = 0; i < letters.length; i++) {
          const word = context * 4 + codeAt(letters, i);
          values[i] = logs[Math.min(i, order)][word] / UNITS_PER_NAT;
          context = word & wordMask;
        }
        const starts = Int32Array.from(letters, (_, i) => i);
        return { values, starts, ends: starts.map((start) => start + 1) };
      });
    },

    tokenCount: (sequence) => sequence.length,
    memory: () => bytes,
  };
}

/** Log-probabilities in units of 2^-26 nats. */
function logUnits(p: Float64Array): Int32Array {
  const units = new Int32Array(p.length);
  for (let w = 0; w < p.length; w++) {
    units[w] = Math.round(Math.max(Math.log(p[w]), MIN_LOG) * UNITS_PER_NAT);
  }
  return units;
}

/** P_j of every (j + 1)-mer, from its counts and P_{j−1}. Unseen contexts have P_{j−1}. */
function interpolate(words: Float64Array, shorter: Float64Array, strength: number): Float64Array {
  const shorterMask = shorter.length - 1;
  const p = new Float64Array(words.length);
  for (let w = 0; w < words.length; w += 4) {
    const total = words[w] + words[w + 1] + words[w + 2] + words[w + 3] + strength;
    for (let x = w; x < w + 4; x++) p[x] = (words[x] + strength * shorter[x & shorterMask]) / total;
  }
  return p;
}

/**
 * Strength a that maximises the leave-one-out log-likelihood Σ n(c, x) ln((n(c, x) - 1 + a P(x | c')) / (n(c)
 * - 1 + a)), by golden-section search over ln a, on at most 2^15 evenly spread contexts.
 */
function strengthOf(words: Float64Array, shorter: Float64Array): number {
  const contexts = words.length / 4;
  const sampled = Math.min(contexts, 2 ** 15);
  const shorterMask = shorter.length - 1;
  const support = (logStrength: number) => {
    const a = Math.exp(logStrength);
    let sum = 0;
    for (let i = 0; i < sampled; i++) {
      const w = 4 * (Math.imul(i, 0x9e37_79b1) & (contexts - 1)); // an odd factor visits each context once
      const total = words[w] + words[w + 1] + words[w + 2] + words[w + 3];
      if (total === 0) continue;
      sum -= total * Math.log(total - 1 + a);
      for (let x = w; x < w + 4; x++) {
        const n = words[x];
        if (n > 0) sum += n * Math.log(n - 1 + a * shorter[x & shorterMask]);
      }
    }
    return sum;
  };
  return Math.exp(maximum(support, Math.log(2 ** -4), Math.log(2 ** 24)));
}

/** Maximum of a unimodal function on [low, high], to 1e-3, by golden-section search (Kiefer 1953). */
function maximum(f: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let left = high - ratio * (high - low);
  let right = low + ratio * (high - low);
  let atLeft = f(left);
  let atRight = f(right);
  while (high - low > 1e-3) {
    if (atLeft >= atRight) {
      high = right;
      [right, atRight] = [left, atLeft];
      left = high - ratio * (high - low);
      atLeft = f(left);
    } else {
      low = left;
      [left, atLeft] = [right, atRight];
      right = low + ratio * (high - low);
      atRight = f(right);
    }
  }
  return (low + high) / 2;
}

function codeAt(letters: string, i: number): number {
  const code = BASE_CODES[letters.charCodeAt(i) & 0xff];
  if (code === 4 || letters.charCodeAt(i) > 0xff) {
    throw new InputError(`${JSON.stringify(letters[i])} at position ${i} of a sequence is not A, C, G or T`, {
      hint: "replace it by A, as runs do for language models",
    });
  }
  return code;
}

const DEFAULT_ORDER = 5;

/**
 * Fits the model of `kmer-markov` or `kmer-markov:order=3` to the training chromosomes of the context's
 * genome.
 * @throws {InputError} when the text has another form, or the genome has none of these chromosomes
 */
export async function openKmerMarkov(
  spec: string,
  { genome, trainChromosomes = CHROMOSOME_SPLIT.train, signal }: OpenModelContext,
): Promise<KmerMarkov> {
  const [, settings = `order=${DEFAULT_ORDER}`] = /^kmer-markov(?::(.*))?$/s.exec(spec) ?? [];
  const [, digits] = /^order=(\d+)$/.exec(settings) ?? [];
  if (digits === undefined) {
    throw new InputError(`kmer-markov has no setting ${JSON.stringify(settings)}`, {
      hint: "write kmer-markov:order=5; the order is from 0 to 11",
    });
  }
  if (genome === undefined) {
    throw new InputError("kmer-markov is fitted to a genome, but none is given", {
      hint: "add --genome FILE, or in a program: openModel(name, { genome })",
    });
  }
  const present = trainChromosomes.filter((chromosome) => genome.chromosomes.has(chromosome));
  if (present.length === 0) {
    throw new InputError(`${genome.path} has none of the training chromosomes`, {
      hint: `it has ${[...genome.chromosomes.keys()].slice(0, 8).join(", ")}; training uses ${trainChromosomes.join(", ")}`,
    });
  }
  return fitKmerMarkov(chromosomes(genome, present), {
    order: Number(digits),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function* chromosomes(genome: Genome, names: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const name of names) yield genome.chromosome(name);
}
