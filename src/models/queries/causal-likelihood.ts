import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { gatherElements, logSoftmax, slice, squeeze, unsqueeze } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { collate, runsOfEqualLength } from "../language/collate.ts";
import type { QueryOptions } from "../model.ts";
import type { GraphQuery, TokenQuery } from "./programs.ts";

/**
 * log P(token i | tokens before i) for i ≥ 1, by the softmax over the whole vocabulary.
 *
 * @param logits  [b, t, v]; position i predicts token i + 1
 * @param ids     int32 [b, t]
 * @returns       [b, t − 1], nats; entry j belongs to token j + 1, the first token has none
 */
export function tokenLogLikelihoods(logits: Sym, ids: Sym): Sym {
  const predicted = logSoftmax(slice(logits, 1, 0, -1));
  const seen = unsqueeze(slice(ids, 1, 1), 2);
  return squeeze(gatherElements(predicted, seen, 2), 2);
}

const question: GraphQuery = {
  name: "causal-likelihood",
  outputs: (model, given, tokens) => ({
    likelihoods: tokenLogLikelihoods(model.forward(given, tokens).logits, given.ids),
  }),
};

/**
 * Log-likelihood of each row: the sum over its scored tokens of log P(token | tokens before it). The first token of a model
 * without a start token has no prediction and counts 0. Summed in float64 in order of position.
 *
 * Rows are run in groups of equal length, so that nothing is padded.
 *
 * @returns one number per row, nats
 */
export async function causalLogLikelihoods(
  { programs, tokenizer, architecture }: TokenQuery,
  rows: readonly Tokens[],
  { signal }: QueryOptions,
): Promise<Float64Array> {
  const totals = new Float64Array(rows.length);
  for (const members of runsOfEqualLength(rows, architecture)) {
    signal?.throwIfAborted();
    const batch = collate(members.map((row) => rows[row]));
    const tokens = batch.ids.shape[1];
    const { likelihoods } = await programs.run(question, batch);
    const values = likelihoods!.data as Float32Array; // [b, t − 1]
    members.forEach((row, i) => {
      const { start, end } = scoredSpan(tokenizer, rows[row].ids);
      const at = i * (tokens - 1) - 1;
      let total = 0;
      for (let token = Math.max(start, 1); token < end; token++) total += values[at + token];
      totals[row] = total;
    });
  }
  return totals;
}
