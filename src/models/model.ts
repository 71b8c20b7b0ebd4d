import type { Genome } from "../dna/genome/genome.ts";
import type { Sym } from "../net/graph/sym.ts";
import type { FreshTensor } from "../net/nn/init.ts";
import type { Device } from "../net/runtime/device.ts";
import type { FineTuning, FineTuningRequest } from "./training/fine-tuning.ts";

type Awaitable<T> = T | Promise<T>;

/** How embeddings are pooled and padded: as the original's scripts did, or without specials and padding. */
export type Protocol = "paper" | "corrected";

/** Which sequence of a task a sequence is. */
export interface Origin {
  readonly task: string;
  /** Number of the row in the task's whole table, 0-based. */
  readonly row: number;
  /** Which of the row's sequences, 0-based. */
  readonly member: number;
}

/** Rows that a run is going to ask for. */
export interface ExpectedRows {
  readonly task: string;
  /** Columns of the task's table of scores: the row's number, then one for each of its sequences. */
  readonly columns: readonly string[];
  /** Numbers of the rows, ascending. */
  readonly rows: Uint32Array;
  /** Rows in the task's whole table. */
  readonly inTable: number;
}

/** Options of every query. */
export interface QueryOptions {
  readonly protocol: Protocol;
  /** Where each sequence comes from, for a model that looks its answers up; given where sequences come from a task. */
  readonly origins?: readonly Origin[];
  /** Aborts between batches of the device; the model throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of `Model.embed`. */
export interface EmbedOptions extends QueryOptions {
  /**
   * Under `paper`, where the sequences of one call are padded to the longest as one batch of the original was: true hides
   * the padding from the model, as when alleles were compared; else it is seen, as when embeddings were extracted.
   */
  readonly paddingHidden?: boolean;
  /** Under `paper`: tokens that the sequences are padded to where that is more than the longest of them has. */
  readonly padTo?: number;
}

/** Options of `Model.pool`. */
export interface PoolOptions extends QueryOptions {
  /** Under `paper`, what the original averaged: the tokens of the bases, or, comparing alleles, the padded row. */
  readonly over: "bases" | "row";
  /** As `EmbedOptions.padTo`. */
  readonly padTo?: number;
}

/** Token states of one sequence and the bases each token stands for. */
export interface SequenceEmbedding {
  /** [tokens, width], row-major, special tokens included, and padding under `paper`. */
  readonly states: Float32Array;
  readonly tokens: number;
  readonly width: number;
  /** Token i covers bases [starts[i], ends[i]), 0-based; empty for special tokens and padding. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Log-probabilities of the scored tokens of one sequence, in order. Special tokens are not scored. */
export interface TokenLogProbabilities {
  /**
   * [scored tokens], nats. Causal: log P(token | tokens before it); masked: log P(token | all other tokens). Their sum is
   * `logLikelihood`, up to rounding. Left out: the first token of a causal model without a start token, which has no prediction.
   */
  readonly values: Float64Array;
  /** Token i covers bases [starts[i], ends[i]), 0-based. [scored tokens] */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Log-likelihoods of the two alleles of a variant, nats. Their difference alone has a meaning. */
export interface AlleleLogLikelihoods {
  readonly first: number;
  readonly second: number;
}

/**
 * What the benchmark may ask of any model of DNA: ours, a user's object, or a program behind an adapter.
 * Only `name` and one of the two questions are needed.
 */
export interface Model {
  readonly name: string;
  /**
   * Text that changes whenever an answer may change: architecture, weights' digest, settings.
   * Part of a run's identity. Without it the name stands alone, and the run says so.
   */
  readonly identity?: string;
  /** The family that recipes of trained settings know it by, such as "caduceus"; absent for a model of one's own. */
  readonly family?: string;
  /**
   * The published checkpoint that this is, as its digest or the hub's cache shows: `REPOSITORY@REVISION`. Absent for any
   * other weights of the family, a toy's or untrained ones. Results of the benchmark's authors are compared by it.
   */
  readonly checkpoint?: string;
  /** What its likelihoods are: of each token by those before it, or by all others. Conformance checks go by it. */
  readonly kind?: "causal" | "masked";
  /** What it reads a sequence as. Conformance checks go by it. */
  readonly tokens?: "one-letter" | "k-mer" | "bpe";
  /**
   * One log-likelihood (causal) or pseudo-log-likelihood (masked) per sequence, in nats; letters are A, C, G, T. The same under
   * both protocols: a run of both asks once.
   */
  logLikelihood?(sequences: readonly string[], options: QueryOptions): Awaitable<ArrayLike<number>>;
  /**
   * Relative rounding of one log-likelihood or prediction: under `corrected`, two scores that differ by no more than the rounding
   * of both are ties. 2⁻²³ for a float32 forward pass, 0 for exact numbers; estimated from the scores where it is absent.
   */
  readonly scoreRounding?: number;
  /** The terms of `logLikelihood`: one entry per sequence. The benchmark does not need them. */
  tokenLogProbabilities?(
    sequences: readonly string[],
    options: QueryOptions,
  ): Awaitable<readonly TokenLogProbabilities[]>;
  /** Last hidden states, one entry per sequence. */
  embed?(sequences: readonly string[], options: EmbedOptions): Awaitable<readonly SequenceEmbedding[]>;
  /** Numbers of a state, where the model knows them before it is asked. */
  readonly width?: number;
  /** The mean of a sequence's last hidden states, [width], one entry per sequence. */
  pool?(sequences: readonly string[], options: PoolOptions): Awaitable<readonly Float64Array[]>;
  /**
   * How probable the model finds either allele's letters where two sequences of equal length differ, with these letters
   * hidden from it: one entry per pair.
   */
  compareAlleles?(
    pairs: readonly (readonly [first: string, second: string])[],
    options: QueryOptions,
  ): Awaitable<readonly AlleleLogLikelihoods[]>;
  /**
   * How active a sequence is predicted to be: log(1 + counts) over the part of the window that is counted, nats, one number per
   * sequence. Letters are A, C, G, T, and N where no base is known, which a network reads as no base, not as A.
   */
  predictActivity?(sequences: readonly string[], options: QueryOptions): Awaitable<ArrayLike<number>>;
  /**
   * For a model that is one network per cell line: the network that predicts the activity of this line. The model closes it.
   * @throws {InputError} when there is none
   */
  forCellLine?(line: string): Awaitable<Model>;
  /** The model made ready to be trained further, apart from this one and with no effect on it. */
  fineTune?(request: FineTuningRequest): Promise<FineTuning>;
  /** What can be run of it to learn what it costs, apart from this model; `length` is the number of bases. */
  passes?(length: number): Promise<ProfiledPasses>;
  /** A network that is not trained yet, to be trained on the letters of a task. */
  readonly network?: SequenceNetwork;
  /** False where scores depend on `QueryOptions.origins` alone: sequences may then come as empty texts. */
  readonly readsLetters?: boolean;
  /** Number of tokens, special ones included: rows of similar length are batched together. */
  tokenCount?(sequence: string): number;
  /** Sequences per call; the run's own default where absent. */
  readonly batchSize?: number;
  /** Where the model computes, for the record of a run: "cpu", "webgpu". Known after its first answer. */
  readonly device?: string | undefined;
  /** Peak bytes that one call with this many sequences of this many tokens is expected to take, weights included. */
  memory?(batchSize: number, tokens: number): number;
  /**
   * Told while a run is planned which rows it will ask for, once per task: a model that has answers to some rows only says
   * now which are missing.
   * @throws {InputError} naming them
   */
  expectRows?(expected: ExpectedRows): Awaitable<void>;
  close?(): Awaitable<void>;
  /** Queries that throw although the object has a function for them: see `OpenedModel`. */
  readonly unsupported?: ReadonlySet<ModelQuery>;
}

/** Queries over sequences that a model may implement. */
export const MODEL_QUERIES = [
  "logLikelihood",
  "tokenLogProbabilities",
  "embed",
  "pool",
  "compareAlleles",
  "predictActivity",
] as const;
/** A query over sequences that a model may implement. */
export type ModelQuery = (typeof MODEL_QUERIES)[number];

/** True if the model implements the query. */
export function supports<Query extends ModelQuery>(
  model: Model,
  query: Query,
): model is Model & Required<Pick<Model, Query>> {
  return model[query] !== undefined && model.unsupported?.has(query) !== true;
}

/** A network at given sizes: what it is made of, and its graph. */
export interface BuiltNetwork {
  /** Parameters of the graph, with how they begin. */
  readonly tensors: readonly FreshTensor[];
  /** Names of its layers and lone tensors in the original's state dicts, by ours; absent for other networks. */
  readonly originalLayers?: Readonly<Record<string, string>>;
  /**
   * @param x  one-hot sequences [b, l, 4], channels A C G T, zeros where no base is known
   * @returns  [b, outputs]
   */
  logits(x: Sym): Sym;
}

/** A network that learns from sequences alone, of any length and number of outputs that it can have. */
export interface SequenceNetwork {
  /** Bases that it needs at least. */
  readonly shortest: number;
  build(sizes: { readonly length: number; readonly outputs: number }): BuiltNetwork;
}

/** A direction in which a model is run: what is called again and again. */
export type ProfiledPass = (sequences: readonly string[]) => Promise<unknown>;

/** What can be run of a model to learn what it costs. */
export interface ProfiledPasses {
  /** Numbers of all parameters, the classifier's among them; undefined where the model does not tell. */
  readonly parameters: number | undefined;
  /** What the forward pass computes, in words. */
  readonly computes: string;
  readonly forward: ProfiledPass;
  /** Forward, the sum of the outputs, and its gradient for every parameter; absent where the model is only asked. */
  readonly backward?: ProfiledPass;
  /** Bytes that each is expected to take with so many sequences, weights included; undefined where it is not known. */
  memory?(direction: "forward" | "backward", batch: number): number;
  close(): Promise<void>;
}

/** Options of `openModel`. */
export interface OpenModelContext {
  /** Default "cpu". */
  readonly device?: Device | undefined;
  /** CPU threads; ONNX Runtime's own choice where absent. */
  readonly threads?: number | undefined;
  /** Training data of a model that is fitted when it is opened (`kmer-markov`). */
  readonly genome?: Genome | undefined;
  /** Chromosomes of the genome to fit on; default: the training chromosomes of DART-Eval. */
  readonly trainChromosomes?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}
