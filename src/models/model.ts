type Awaitable<T> = T | Promise<T>;

/** How embeddings are pooled and padded: as the original's scripts did, or without specials and padding. */
export type Protocol = "paper" | "corrected";

export interface QueryOptions {
  readonly protocol: Protocol;
  /** Aborts between batches of the device; the model throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Token states of one sequence and the bases each token stands for. */
export interface SequenceEmbedding {
  /** [tokens, width], row-major, special tokens included. */
  readonly states: Float32Array;
  readonly tokens: number;
  readonly width: number;
  /** Token i covers bases [starts[i], ends[i]), 0-based; empty for special tokens. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
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
  /** One log-likelihood (causal) or pseudo-log-likelihood (masked) per sequence, in nats; letters are A, C, G, T. */
  logLikelihood?(sequences: readonly string[], options: QueryOptions): Awaitable<ArrayLike<number>>;
  /** Last hidden states, one entry per sequence. */
  embed?(sequences: readonly string[], options: QueryOptions): Awaitable<readonly SequenceEmbedding[]>;
  /** Number of tokens, special ones included: rows of similar length are batched together. */
  tokenCount?(sequence: string): number;
  /** Sequences per call; the run's own default where absent. */
  readonly batchSize?: number;
  /** Peak bytes that one call with this many sequences of this many tokens is expected to take, weights included. */
  memory?(batchSize: number, tokens: number): number;
  close?(): Awaitable<void>;
}
