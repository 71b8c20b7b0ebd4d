import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { dataOf } from "../../net/arrays/array.ts";
import { gatherElements, logSoftmax, slice, squeeze, unsqueeze } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { collate, runsOfEqualLength } from "../language/collate.ts";
import type { QueryOptions } from "../model.ts";
import type { GraphQuery, TokenQuery } from "./programs.ts";
import { remainderLogProbabilities } from "./summed-likelihood.ts";

/**
 * log P(token i | tokens before i) for i ≥ 1: the log-softmax over the whole vocabulary at the token.
 *
 * @param logits  [b, t, v]; position i predicts token i + 1
 * @param ids     int32 [b, t]
 * @returns       [b, t − 1], nats; entry j is of token j + 1, the first token has none
 */
export function tokenLogLikelihoods(logits: Sym, ids: Sym): Sym {
  const predicted = logSoftmax(slice(logits, 1, 0, -1));
  const seen = unsqueeze(slice(ids, 1, 1), 2);
  return squeeze(gatherElements(predicted, seen, 2), 2);
}

export const likelihoodQuery: GraphQuery = {
  name: "causal-likelihood",
  outputs: (model, given, tokens) => ({
    likelihoods: tokenLogLikelihoods(model.forward(given, tokens).logits, given.ids),
  }),
};

/**
 * Log-likelihood of each row: the sum of its scored tokens' log-probabilities.
 *
 * @returns one number per row, nats
 */
export async function causalLogLikelihoods(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: Partial<QueryOptions>,
): Promise<Float64Array> {
  return Float64Array.from(await causalTokenLogProbabilities(query, rows, options), logLikelihoodOf);
}

/** Log-probabilities of consecutive tokens of a row. */
export interface ScoredTokens {
  /** Position of the first scored token in the row, 0-based, special tokens counted. */
  readonly first: number;
  /** [scored tokens], nats */
  readonly values: ArrayLike<number>;
}

/** Log-likelihood of a row: the sum of its tokens' log-probabilities, in float64 and in order of position. */
export function logLikelihoodOf({ values }: ScoredTokens): number {
  let total = 0;
  for (let token = 0; token < values.length; token++) total += values[token];
  return total;
}

/**
 * log P(token | tokens before it) for each scored token of each row. The first token of a model without a
 * start token has no prediction and is left out. For fewer than k bases at the end of a row of k-mers, the
 * probabilities of all k-mers that begin with them are summed.
 *
 * Rows of equal length run together, so nothing is padded.
 *
 * @returns one entry per row
 */
export async function causalTokenLogProbabilities(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: Partial<QueryOptions>,
): Promise<readonly ScoredTokens[]> {
  const { programs, tokenizer, architecture } = query;
  const { signal } = options;
  const scored = new Array<ScoredTokens>(rows.length);
  for (const members of runsOfEqualLength(rows, architecture)) {
    signal?.throwIfAborted();
    const batch = collate(members.map((row) => rows[row]));
    const tokens = batch.ids.shape[1];
    const { likelihoods } = await programs.run(likelihoodQuery, batch);
    const values = dataOf(likelihoods, "float32"); // [b, t − 1]
    members.forEach((row, i) => {
      const { start, end } = scoredSpan(tokenizer, rows[row].ids);
      const first = Math.max(start, 1);
      const at = i * (tokens - 1) - 1;
      scored[row] = { first, values: values.subarray(at + first, at + Math.max(end, first)) };
    });
  }
  const partial = [...rows.keys()].filter((row) => rows[row].remainder !== undefined);
  const last = await remainderLogProbabilities(
    query,
    partial.map((row) => rows[row]),
    options,
  );
  partial.forEach((row, i) => {
    const { first, values } = scored[row];
    scored[row] = { first, values: [...Array.from(values).slice(0, -1), last[i]] };
  });
  return scored;
}
