import { InternalError } from "../base/errors.ts";
import type { Genome } from "../dna/genome/genome.ts";
import type { Sym } from "../net/graph/sym.ts";
import type { FreshTensor } from "../net/nn/init.ts";
import type { Device } from "../net/runtime/device.ts";
import type { Precision, ReducedPrecision } from "../net/runtime/precision.ts";
import type { DownloadReports } from "./checkpoints/hub.ts";
import type { LanguageModelCard } from "./language/card.ts";
import type { FineTuning, FineTuningRequest } from "./training/fine-tuning.ts";

type Awaitable<T> = T | Promise<T>;

/**
 * Pooling and padding of embeddings: as in the original's scripts (`paper`), or without special tokens and
 * padding (`corrected`).
 */
export type Protocol = "paper" | "corrected";

/** Row and member of a task that a sequence belongs to. */
export interface Origin {
  readonly task: string;
  /** Row number in the task's table, 0-based. */
  readonly row: number;
  /** Index among the row's sequences, 0-based. */
  readonly member: number;
}

/** Rows that a run will evaluate. */
export interface ExpectedRows {
  readonly task: string;
  /** Columns of the task's score table: the row number, then one column per member. */
  readonly columns: readonly string[];
  /** Row numbers, ascending. */
  readonly rows: Iterable<number> & { readonly length: number };
  /** Rows in the task's whole table. */
  readonly inTable: number;
}

/** Options of every query. */
export interface QueryOptions {
  readonly protocol: Protocol;
  /** Position of each sequence in its task, for models that look scores up; absent outside of a task. */
  readonly origins?: readonly Origin[];
  /** Aborts between batches; the model throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of `Model.tokenLogProbabilities`. */
export interface TokenOptions extends QueryOptions {
  /** Bases [from, to) whose tokens are needed, 0-based; a model may score more. Default: all. */
  readonly within?: readonly [from: number, to: number];
}

/** Options of `Model.embed`. */
export interface EmbedOptions extends QueryOptions {
  /**
   * Attention to padding under `paper`, where the sequences of a call are one batch of the original and
   * padded to the longest: true masks the padding, as the original does for alleles; false (default) lets the
   * model attend to it, as its embedding scripts do.
   */
  readonly paddingHidden?: boolean;
  /** Under `paper`: minimum number of tokens to which sequences are padded. */
  readonly padTo?: number;
}

/** Options of `Model.pool`. */
export interface PoolOptions extends QueryOptions {
  /**
   * Tokens over which the original takes the mean, under `paper`: those of the bases, or, for alleles, the
   * whole padded row.
   */
  readonly over: "bases" | "row";
  /** As `EmbedOptions.padTo`. */
  readonly padTo?: number;
}

/** Token states of one sequence, and the bases that each token covers. */
export interface SequenceEmbedding {
  /** [tokens, width], row-major, special tokens included, and padding under `paper`. */
  readonly states: Float32Array;
  readonly tokens: number;
  readonly width: number;
  /** Token i covers bases [starts[i], ends[i]), 0-based; empty for special tokens and padding. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Log-probabilities of the scored tokens of one sequence, in order; special tokens are not scored. */
export interface TokenLogProbabilities {
  /**
   * [scored tokens], nats. Causal: log P(token | tokens before it); masked: log P(token | all other tokens).
   * Their sum is `logLikelihood`, up to rounding. Left out: the first token of a causal model without a start
   * token, which has no prediction.
   */
  readonly values: Float64Array;
  /** Token i covers bases [starts[i], ends[i]), 0-based. [scored tokens] */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Log-likelihoods of the two alleles of a variant, nats. Only their difference is meaningful. */
export interface AlleleLogLikelihoods {
  readonly first: number;
  readonly second: number;
}

/**
 * A DNA model: built in, an object of your own, or a program behind an adapter. Only `name` and one query are
 * required.
 */
export interface Model {
  readonly name: string;
  /**
   * Text that changes whenever an output may change: architecture, digest of the weights, settings. It is
   * part of a run's identity; without it a run identifies the model by its name and prints a warning.
   */
  readonly identity?: string;
  /**
   * Model family, such as "caduceus", which selects the recipes of trained settings; absent for a custom
   * model.
   */
  readonly family?: string;
  /**
   * The published checkpoint, `REPOSITORY@REVISION`, recognised by the digest of the weights or by the hub
   * cache; absent for other weights of the family, such as toys. Reports compare published results by it.
   */
  readonly checkpoint?: string;
  /** Factorisation of the likelihood: each token given those before it, or given all others. */
  readonly kind?: "causal" | "masked";
  /** Kind of tokens. */
  readonly tokens?: "one-letter" | "k-mer" | "bpe";
  /**
   * One log-likelihood (causal) or pseudo-log-likelihood (masked) per sequence, nats. Bases are A, C, G, T.
   * The same under both protocols, so a run of both evaluates once.
   */
  logLikelihood?(sequences: readonly string[], options: QueryOptions): Awaitable<ArrayLike<number>>;
  /**
   * Relative rounding error of one log-likelihood or prediction. Under `corrected`, two scores that differ by
   * no more than the rounding of both are ties. 2⁻²³ for a float32 forward pass, 0 for exact numbers;
   * estimated from the scores if absent.
   */
  readonly scoreRounding?: number;
  /** The terms of `logLikelihood`, one entry per sequence; optional, as metrics do not need them. */
  tokenLogProbabilities?(
    sequences: readonly string[],
    options: TokenOptions,
  ): Awaitable<readonly TokenLogProbabilities[]>;
  /** Last hidden states, one entry per sequence. */
  embed?(sequences: readonly string[], options: EmbedOptions): Awaitable<readonly SequenceEmbedding[]>;
  /** Width of a token state, if known in advance. */
  readonly width?: number;
  /** Mean of the last hidden states, [width], one entry per sequence. */
  pool?(sequences: readonly string[], options: PoolOptions): Awaitable<readonly Float64Array[]>;
  /**
   * Log-likelihoods of both alleles at the positions where two sequences of equal length differ, with these
   * positions masked: one entry per pair.
   */
  compareAlleles?(
    pairs: readonly (readonly [first: string, second: string])[],
    options: QueryOptions,
  ): Awaitable<readonly AlleleLogLikelihoods[]>;
  /**
   * Predicted activity: ln(1 + counts) over the counted part of the window, nats, one number per sequence.
   * Bases are A, C, G, T, and N for an unknown base, which a network reads as zeros.
   */
  predictActivity?(sequences: readonly string[], options: QueryOptions): Awaitable<ArrayLike<number>>;
  /** Bases of every sequence of `predictActivity`, for a model that takes no other number. */
  readonly inputLength?: number;
  /**
   * For a model with one network per cell line: the network of this line. The model closes it.
   * @throws {InputError} when there is none
   */
  forCellLine?(line: string): Awaitable<Model>;
  /**
   * A model of the same architecture with untrained weights, initialised as in the family's official code and
   * evaluated as a control. Equal seeds give equal weights on any machine.
   */
  untrained?(request: { readonly seed: number }): Promise<Model>;
  /** Precision of the forward pass, if it is not float32 and was chosen when the model was opened. */
  readonly precision?: ReducedPrecision;
  /** The same model in float32, with which a reduced precision is compared; the caller closes it. */
  inFloat32?(): Promise<Model>;
  /** A copy of the model, prepared for fine-tuning; this model does not change. */
  fineTune?(request: FineTuningRequest): Promise<FineTuning>;
  /** Forward and backward passes for profiling, on a copy of this model; `length` is the number of bases. */
  passes?(length: number): Promise<ProfiledPasses>;
  /** An untrained network for the setting ab-initio. */
  readonly network?: SequenceNetwork;
  /**
   * False if scores depend on `QueryOptions.origins` alone; sequences may then be empty strings. Default:
   * true.
   */
  readonly readsSequences?: boolean;
  /** Number of tokens, special tokens included; rows of similar length are batched together. */
  tokenCount?(sequence: string): number;
  /** Sequences per call; the run's default if absent. */
  readonly batchSize?: number;
  /** Device on which the model runs: "cpu", "webgpu". Known after the first call. */
  readonly device?: string | undefined;
  /**
   * Estimated peak memory in bytes of a call with this many sequences of this many tokens, weights included.
   *
   * @param query  kind of call; default: the one that takes the most
   */
  memory?(batchSize: number, tokens: number, query?: "likelihood" | "embedding"): number;
  /**
   * Called once per task when a run is planned: a model with precomputed scores reports missing rows before
   * the run starts.
   * @throws {InputError} naming them
   */
  expectRows?(expected: ExpectedRows): Awaitable<void>;
  /** Frees sessions and files. */
  close?(): Awaitable<void>;
  /** Queries whose functions throw because the model does not implement them: see `OpenedModel`. */
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

/** A model with some of its optional members. */
export type ModelWith<Member extends keyof Model> = Model & Required<Pick<Model, Member>>;

/** True if the model implements the query. */
export function supports<Query extends ModelQuery>(model: Model, query: Query): model is ModelWith<Query> {
  return has(model, query) && model.unsupported?.has(query) !== true;
}

/** True if the model has an optional member. */
export function has<Member extends keyof Model>(model: Model, member: Member): model is ModelWith<Member> {
  return model[member] !== undefined;
}

/**
 * Narrows a model to one with a member that a plan has required.
 *
 * @throws {InternalError} when the model lacks it
 */
export function assertHas<Member extends keyof Model>(
  model: Model,
  member: Member,
): asserts model is ModelWith<Member> {
  if (!has(model, member)) throw new InternalError(`the model ${model.name} has no ${member}`);
}

/** A network of given sizes: its parameters and its graph. */
export interface BuiltNetwork {
  /** Parameters of the graph, with their initialisation. */
  readonly tensors: readonly FreshTensor[];
  /**
   * Our names of layers and single tensors → their names in the original's state dicts; absent for other
   * networks.
   */
  readonly originalLayers?: Readonly<Record<string, string>>;
  /**
   * @param x  one-hot sequences [b, l, 4], channels A C G T, zeros where no base is known
   * @returns  [b, outputs]
   */
  logits(x: Sym): Sym;
}

/** A network to train from scratch on sequences, for any valid length and number of outputs. */
export interface SequenceNetwork {
  /** Minimum number of bases. */
  readonly shortest: number;
  /** The network at the given window length (bases) and number of outputs. */
  build(sizes: { readonly length: number; readonly outputs: number }): BuiltNetwork;
}

/** One forward or backward pass over a batch. */
export type ProfiledPass = (sequences: readonly string[]) => Promise<unknown>;

/** Passes of a model that the profiler times. */
export interface ProfiledPasses {
  /** Number of parameters, those of the classifier included; undefined if unknown. */
  readonly parameters: number | undefined;
  /** Description of the forward pass's output. */
  readonly computes: string;
  readonly forward: ProfiledPass;
  /**
   * Forward pass, sum of the outputs, and its gradient with respect to every parameter; absent for a model
   * without a graph.
   */
  readonly backward?: ProfiledPass;
  /** Estimated bytes of a pass with this batch size, weights included; undefined if unknown. */
  memory?(direction: "forward" | "backward", batch: number): number;
  /** Frees the sessions of both passes. */
  close(): Promise<void>;
}

/** Options of `openModel`. */
export interface OpenModelContext {
  /** Default "cpu". */
  readonly device?: Device | undefined;
  /** Precision of a language model's forward pass; default "f32". Other models have no choice. */
  readonly precision?: Precision | undefined;
  /** CPU threads; ONNX Runtime's own choice where absent. */
  readonly threads?: number | undefined;
  /** Training data of a model that is fitted when it is opened (`kmer-markov`). */
  readonly genome?: Genome | undefined;
  /** Reports of a download from the hub (`hf:ORG/NAME`). */
  readonly download?: DownloadReports | undefined;
  /** Chromosomes of the genome to fit on; default: the training chromosomes of DART-Eval. */
  readonly trainChromosomes?: readonly string[] | undefined;
  /** Custom families of language models, which recognise a checkpoint before those of the package. */
  readonly families?: readonly LanguageModelCard[] | undefined;
  readonly signal?: AbortSignal | undefined;
}
