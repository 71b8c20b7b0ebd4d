import { InputError } from "../../base/errors.ts";
import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokenizer, Tokens } from "../../dna/tokenizers/tokenizer.ts";
import type { QueryOptions } from "../model.ts";
import { type TokenPrediction, tokenLogProbabilities } from "./token-prediction.ts";
import type { TokenQuery } from "./token-query.ts";

/**
 * Pseudo-log-likelihood of each row: the sum over its scored tokens of log P(token | all other tokens), each token hidden
 * behind the mask in a copy of its own (Salazar et al. 2020, arXiv:1910.14659, eq. 1). Summed in float64 in order of
 * position. Special tokens are seen but not scored.
 *
 * The original also runs copies for special tokens and padding, whose results it drops, and pads copies to a common length,
 * which its attention mask undoes: neither is done here.
 *
 * @returns one number per row, nats; 0 for a row without scored tokens
 */
export async function maskedLogLikelihoods(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: QueryOptions,
): Promise<Float64Array> {
  const shown = maskId(query.tokenizer);
  const spans = rows.map(({ ids }) => scoredSpan(query.tokenizer, ids));
  const predictions = rows.flatMap(({ ids }, row) => {
    const { start, end } = spans[row]!;
    return Array.from({ length: end - start }, (_, i): TokenPrediction => {
      const place = start + i;
      return { ids, place, shown, target: ids[place]! };
    });
  });
  const logProbabilities = await tokenLogProbabilities(query, predictions, options);
  let at = 0;
  return Float64Array.from(spans, ({ start, end }) => {
    let total = 0;
    for (let token = start; token < end; token++) total += logProbabilities[at++]!;
    return total;
  });
}

/** @throws {InputError} when the tokenizer has no token to hide others behind */
export function maskId({ name, special }: Pick<Tokenizer, "name" | "special">): number {
  if (special.mask !== undefined) return special.mask;
  throw new InputError(`the tokenizer ${name} has no mask token, which a masked model is asked with`, {
    hint: "its files must name one as mask_token",
  });
}
