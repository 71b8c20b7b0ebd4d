import { InputError } from "../../base/errors.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { FLOAT32_ROUNDING } from "../../metrics/ties.ts";
import type {
  AlleleLogLikelihoods,
  EmbedOptions,
  Model,
  PoolOptions,
  QueryOptions,
  SequenceEmbedding,
  TokenLogProbabilities,
  TokenOptions,
} from "../model.ts";
import { causalLogLikelihoods, causalTokenLogProbabilities } from "./causal-likelihood.ts";
import { pooledEmbeddings, tokenStates } from "./embeddings.ts";
import { maskedLogLikelihoods, maskedTokenLogProbabilities } from "./masked-likelihood.ts";
import { maskedVariantLogLikelihoods } from "./masked-variant.ts";
import type { TokenQuery } from "./programs.ts";

/** Options of a query where the caller gives none. */
const DEFAULTS = { protocol: "corrected", over: "bases" } as const satisfies PoolOptions;

/**
 * A language model whose likelihoods and embeddings are computed from token ids; a subclass supplies `query`.
 */
export abstract class TokenModel implements Model {
  readonly batchSize: number = 32;
  readonly scoreRounding = FLOAT32_ROUNDING;

  constructor(
    readonly name: string,
    readonly identity: string,
    /** Maximum number of tokens of a sequence, special tokens included. */
    private readonly maxTokens: number,
  ) {}

  protected abstract readonly query: TokenQuery;

  get kind(): TokenQuery["kind"] {
    return this.query.kind;
  }

  get tokens() {
    return this.query.tokenizer.kind;
  }

  tokenCount(sequence: string): number {
    return this.query.tokenizer.encode(sequence).ids.length;
  }

  async logLikelihood(
    sequences: readonly string[],
    options: Partial<QueryOptions> = {},
  ): Promise<Float64Array> {
    const score = this.query.kind === "masked" ? maskedLogLikelihoods : causalLogLikelihoods;
    return score(this.query, this.encodeAll(sequences), options);
  }

  async tokenLogProbabilities(
    sequences: readonly string[],
    options: Partial<TokenOptions> = {},
  ): Promise<readonly TokenLogProbabilities[]> {
    const score = this.query.kind === "masked" ? maskedTokenLogProbabilities : causalTokenLogProbabilities;
    const rows = this.encodeAll(sequences);
    return (await score(this.query, rows, options)).map(({ first, values }, row) => ({
      values: Float64Array.from(values),
      starts: rows[row].starts.slice(first, first + values.length),
      ends: rows[row].ends.slice(first, first + values.length),
    }));
  }

  async compareAlleles(
    pairs: readonly (readonly [string, string])[],
    options: Partial<QueryOptions> = {},
  ): Promise<readonly AlleleLogLikelihoods[]> {
    const rows = this.encodeAll(pairs.flat());
    const tokens = pairs.map((_, i) => [rows[2 * i], rows[2 * i + 1]] as const);
    return maskedVariantLogLikelihoods(this.query, tokens, { ...DEFAULTS, ...options });
  }

  async embed(
    sequences: readonly string[],
    options: Partial<EmbedOptions> = {},
  ): Promise<readonly SequenceEmbedding[]> {
    return tokenStates(this.query, this.encodeAll(sequences), { ...DEFAULTS, ...options });
  }

  async pool(
    sequences: readonly string[],
    options: Partial<PoolOptions> = {},
  ): Promise<readonly Float64Array[]> {
    const bases = sequences.map((sequence) => sequence.length);
    return pooledEmbeddings(this.query, this.encodeAll(sequences), bases, { ...DEFAULTS, ...options });
  }

  /** States of one row of token ids, to which no special tokens are added. */
  async statesOf(ids: readonly number[]): Promise<SequenceEmbedding> {
    const none = new Int32Array(ids.length);
    const row: Tokens = { ids: Int32Array.from(ids), starts: none, ends: none };
    const [states] = await tokenStates(this.query, [row], { protocol: "corrected" });
    return states;
  }

  private encodeAll(sequences: readonly string[]): readonly Tokens[] {
    return sequences.map((sequence, i) => {
      const tokens = this.query.tokenizer.encode(sequence);
      if (tokens.ids.length <= this.maxTokens) return tokens;
      throw new InputError(
        `sequence ${i} has ${tokens.ids.length} tokens, but ${this.name} takes at most ${this.maxTokens}`,
        {
          hint: "choose a checkpoint with a longer context, a smaller --context or a task with shorter windows",
        },
      );
    });
  }

  abstract close(): Promise<void>;
}
