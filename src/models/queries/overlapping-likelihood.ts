import { InternalError } from "../../base/errors.ts";
import type { Overlap, Tokenizer, Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { maskId } from "../language/collate.ts";
import type { AlleleLogLikelihoods, QueryOptions } from "../model.ts";
import type { ScoredTokens } from "./causal-likelihood.ts";
import type { TokenQuery } from "./programs.ts";
import { type SummedPrediction, summedLogProbabilities } from "./summed-likelihood.ts";

/**
 * The prediction of one base of a row of overlapping k-mers, with all k-mers masked that contain the base.
 */
interface BasePrediction extends SummedPrediction {
  readonly row: number;
}

/**
 * log P(base | all other bases) for each base, from a masked model of overlapping k-mers. All k-mers that
 * contain the base are masked, because a single masked k-mer is known from its neighbours. The probability of
 * a base is the sum over the k-mers that have it at its offset, from the softmax over the whole vocabulary.
 * The sum over the bases is the row's pseudo-log-likelihood.
 *
 * @returns one entry per row: for each k-mer, the sum over the bases of its span, nats
 */
export async function overlappingTokenLogProbabilities(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: Partial<QueryOptions>,
): Promise<readonly ScoredTokens[]> {
  const { tokenizer } = query;
  const mask = maskId(tokenizer);
  const first = tokenizer.before.length;
  const predictions = rows.flatMap((tokens, row) =>
    basesOf(tokenizer, tokens).map(({ base, token }): BasePrediction => {
      const ids = maskedAt(tokenizer, tokens, [base], mask);
      return { row, ids, token, targets: targetsOf(tokenizer, tokens, token, base) };
    }),
  );
  const values = await summedLogProbabilities(query, predictions, options);
  const sums = rows.map(({ ids }) => new Float64Array(ids.length - first - tokenizer.after.length));
  predictions.forEach(({ row, token }, i) => {
    sums[row][token - first] += values[i];
  });
  return sums.map((each) => ({ first, values: each }));
}

/**
 * Log-likelihoods of the alleles' bases where the two differ, with all k-mers masked that contain one of
 * them.
 *
 * @returns nats, one entry per pair of alleles of equal length
 */
export async function overlappingVariantLogLikelihoods(
  query: TokenQuery,
  pairs: readonly (readonly [first: Tokens, second: Tokens])[],
  options: Partial<QueryOptions>,
): Promise<readonly AlleleLogLikelihoods[]> {
  const { tokenizer } = query;
  const mask = maskId(tokenizer);
  const predictions: (BasePrediction & { readonly allele: 0 | 1 })[] = [];
  pairs.forEach((pair, row) => {
    const differing = basesOf(tokenizer, pair[0]).filter(({ base, token }) => {
      const [own, other] = pair.map((tokens) => String(targetsOf(tokenizer, tokens, token, base)));
      return own !== other;
    });
    const ids = maskedAt(
      tokenizer,
      pair[0],
      differing.map(({ base }) => base),
      mask,
    );
    for (const { base, token } of differing) {
      for (const allele of [0, 1] as const) {
        predictions.push({
          row,
          ids,
          token,
          targets: targetsOf(tokenizer, pair[allele], token, base),
          allele,
        });
      }
    }
  });
  const values = await summedLogProbabilities(query, predictions, options);
  const sums = pairs.map(() => ({ first: 0, second: 0 }));
  predictions.forEach(({ row, allele }, i) => {
    sums[row][allele === 0 ? "first" : "second"] += values[i];
  });
  return sums;
}

/** Every base of a row with the token whose span contains it. */
function basesOf({ before, after }: Tokenizer, { ids, starts, ends }: Tokens) {
  const bases: { readonly base: number; readonly token: number }[] = [];
  for (let token = before.length; token < ids.length - after.length; token++) {
    for (let base = starts[token]; base < ends[token]; base++) bases.push({ base, token });
  }
  return bases;
}

/** The row with all k-mers masked that contain one of the bases. */
function maskedAt(tokenizer: Tokenizer, tokens: Tokens, bases: readonly number[], mask: number): Int32Array {
  const { k } = overlapOf(tokenizer);
  const first = tokenizer.before.length;
  const last = tokens.ids.length - tokenizer.after.length - 1;
  const ids = tokens.ids.slice();
  for (const base of bases) {
    ids.fill(mask, Math.max(first, first + base - k + 1), Math.min(last, first + base) + 1);
  }
  return ids;
}

/**
 * Ids of the k-mers that have the row's base at its offset in the token; the token itself if it is not a
 * k-mer.
 */
function targetsOf(tokenizer: Tokenizer, { ids }: Tokens, token: number, base: number): Int32Array {
  const offset = base - (token - tokenizer.before.length);
  const text = tokenizer.token(ids[token]) ?? "";
  if (!/^[ACGT]+$/.test(text)) return Int32Array.of(ids[token]);
  return overlapOf(tokenizer).kmersWith(text.charCodeAt(offset), offset);
}

function overlapOf({ name, overlap }: Tokenizer): Overlap {
  if (overlap === undefined) throw new InternalError(`the tokens of ${name} do not overlap`);
  return overlap;
}
