import { InputError } from "../base/errors.ts";
import {
  type AlleleLogLikelihoods,
  type EmbedOptions,
  MODEL_QUERIES,
  type Model,
  type ModelQuery,
  type PoolOptions,
  type QueryOptions,
  type SequenceEmbedding,
  supports,
  type TokenLogProbabilities,
  type TokenOptions,
} from "./model.ts";
import { poolSequences } from "./queries/embeddings.ts";

/** One number per sequence: an array or a typed array. */
export type Scores = ArrayLike<number> & Iterable<number>;

/**
 * A model from `openModel`: every query is present and its options are optional. Sequences are upper-case A,
 * C, G, T, and N, which the model's tokenizer or network reads as an unknown base.
 *
 * Default options: protocol "corrected"; `pool` averages over bases. No sequences give no results. A query
 * rejects with an `InputError` that names the model if the model does not implement it (check with
 * `supports(model, query)`) or is closed, or if a sequence contains another letter.
 */
export interface OpenedModel extends Model, AsyncDisposable {
  /**
   * One log-likelihood (causal) or pseudo-log-likelihood (masked) per sequence, nats.
   *
   *     const model = await openModel("./hyenadna-large-1m");
   *     const [first, second] = await model.logLikelihood(["ACGTACGT", "GATTACA"]);
   */
  logLikelihood(sequences: readonly string[], options?: Partial<QueryOptions>): Promise<Scores>;
  /** Log-probability of every scored token, nats: the terms of `logLikelihood`. */
  tokenLogProbabilities(
    sequences: readonly string[],
    options?: Partial<TokenOptions>,
  ): Promise<readonly TokenLogProbabilities[]>;
  /** Last hidden states of every token, [tokens, width] per sequence. */
  embed(sequences: readonly string[], options?: Partial<EmbedOptions>): Promise<readonly SequenceEmbedding[]>;
  /** Mean of the last hidden states over the bases, [width] per sequence. */
  pool(sequences: readonly string[], options?: Partial<PoolOptions>): Promise<readonly Float64Array[]>;
  /** Log-likelihoods of the bases in which the two alleles of a pair differ, these bases masked, nats. */
  compareAlleles(
    pairs: readonly (readonly [first: string, second: string])[],
    options?: Partial<QueryOptions>,
  ): Promise<readonly AlleleLogLikelihoods[]>;
  /** Predicted activity, log(1 + counts), nats; one number per sequence. */
  predictActivity(sequences: readonly string[], options?: Partial<QueryOptions>): Promise<Scores>;
  /** Frees the model's sessions and files. */
  close(): Promise<void>;
}

/** The model with every query of `OpenedModel`, under another name where one is given. */
export function openedModel(model: Model, name: string = model.name): OpenedModel {
  const poolable = supports(model, "pool") || supports(model, "embed");
  const missing = (query: ModelQuery) =>
    new InputError(`the model ${JSON.stringify(name)} does not implement ${query}`, {
      hint: "`dart-eval models list` shows the models of each kind",
    });
  let isClosed = false;
  const checkReady = (sequences: readonly string[]) => {
    if (isClosed) throw new InputError(`the model ${JSON.stringify(name)} is closed`);
    sequences.forEach(checkBases);
  };
  const queries: Omit<OpenedModel, keyof Model> & Pick<OpenedModel, ModelQuery | "close"> = {
    async logLikelihood(sequences, options) {
      if (!supports(model, "logLikelihood")) throw missing("logLikelihood");
      checkReady(sequences);
      return iterable(await model.logLikelihood(sequences, { ...DEFAULTS, ...options }));
    },
    async tokenLogProbabilities(sequences, options) {
      if (!supports(model, "tokenLogProbabilities")) throw missing("tokenLogProbabilities");
      checkReady(sequences);
      return model.tokenLogProbabilities(sequences, { ...DEFAULTS, ...options });
    },
    async embed(sequences, options) {
      if (!supports(model, "embed")) throw missing("embed");
      checkReady(sequences);
      return model.embed(sequences, { ...DEFAULTS, ...options });
    },
    async pool(sequences, options) {
      if (!poolable) throw missing("pool");
      checkReady(sequences);
      return poolSequences(model, sequences, { ...DEFAULTS, over: "bases", ...options });
    },
    async compareAlleles(pairs, options) {
      if (!supports(model, "compareAlleles")) throw missing("compareAlleles");
      checkReady(pairs.flat());
      return model.compareAlleles(pairs, { ...DEFAULTS, ...options });
    },
    async predictActivity(sequences, options) {
      if (!supports(model, "predictActivity")) throw missing("predictActivity");
      checkReady(sequences);
      return iterable(await model.predictActivity(sequences, { ...DEFAULTS, ...options }));
    },
    async close() {
      isClosed = true;
      await model.close?.();
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await model.close?.();
    },
  };
  const unsupported = new Set(
    MODEL_QUERIES.filter((query) => (query === "pool" ? !poolable : !supports(model, query))),
  );
  const forCellLine =
    model.forCellLine === undefined
      ? {}
      : { forCellLine: async (line: string) => openedModel(await model.forCellLine!(line), name) };
  const own = { ...queries, ...forCellLine, name, unsupported };
  const target: OpenedModel = Object.create(model, Object.getOwnPropertyDescriptors(own));
  // Methods run on the model itself, whose class may have private fields.
  return new Proxy(target, {
    get(_, key) {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key);
      const value: unknown = Reflect.get(model, key);
      return typeof value === "function" ? value.bind(model) : value;
    },
  });
}

const DEFAULTS = { protocol: "corrected" } as const;

/** @throws {InputError} when the sequence contains another letter than A, C, G, T or N */
function checkBases(sequence: string, index: number): void {
  const at = sequence.search(/[^ACGTN]/);
  if (at === -1) return;
  const letter = String.fromCodePoint(sequence.codePointAt(at) ?? 0);
  throw new InputError(
    `sequence ${index} has ${JSON.stringify(letter)} at base ${at}; both are counted from 0, and bases are A, C, G, T or N`,
    { hint: /[acgtn]/.test(letter) ? "write it in upper case" : "replace it; N is an unknown base" },
  );
}

const isIterable = (values: ArrayLike<number>): values is Scores =>
  typeof values === "object" && Symbol.iterator in values;

/** The scores unchanged if they are iterable, else as an array; callers check their number. */
function iterable(values: ArrayLike<number> | null | undefined): Scores {
  if (values === null || values === undefined) return [];
  return isIterable(values) ? values : Array.from(values);
}
