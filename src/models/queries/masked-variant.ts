import { InputError } from "../../base/errors.ts";
import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { float32Sum } from "../../metrics/mean.ts";
import { dataOf } from "../../net/arrays/array.ts";
import { gatherElements, input, logSoftmax, slice } from "../../net/graph/build.ts";
import { collate, maskId, runsOfEqualLength } from "../language/collate.ts";
import type { AlleleLogLikelihoods, QueryOptions } from "../model.ts";
import { type TokenPrediction, tokenLogProbabilities } from "./masked-likelihood.ts";
import { overlappingVariantLogLikelihoods } from "./overlapping-likelihood.ts";
import type { GraphQuery, TokenQuery } from "./programs.ts";

/** Tokens of a sequence with the first and with the second allele of a variant. */
export type AlleleTokens = readonly [first: Tokens, second: Tokens];

/** The tokens that two alleles share, with the mask token where they differ. */
interface MaskedPair {
  readonly ids: Int32Array;
  readonly alleles: readonly [Int32Array, Int32Array];
  /** Positions of the tokens that differ, ascending. */
  readonly positions: readonly number[];
}

/**
 * Log-likelihoods of the alleles' tokens where the two differ, with these tokens masked: Σ log P(allele's
 * token | the common row, masked at every differing token). A causal model sees only the tokens before; a
 * first token without a start token is not predicted and contributes 0.
 *
 * Under `paper` the sums run over all scored tokens in float32, as in the original's files (quirk Q16). The
 * additional terms are equal for both alleles, so the difference changes by rounding alone: for 2,114 bases
 * to multiples of about 2e-4, which causes ties.
 *
 * @returns nats, one entry per pair
 * @throws {InputError} when the alleles of a pair have different numbers of tokens, as with byte-pair
 *   tokenizers
 */
export async function maskedVariantLogLikelihoods(
  query: TokenQuery,
  pairs: readonly AlleleTokens[],
  options: QueryOptions,
): Promise<readonly AlleleLogLikelihoods[]> {
  const mask = maskId(query.tokenizer);
  const rows = pairs.map((pair, i) => maskDifferences(pair, mask, i));
  if (query.kind === "masked" && query.tokenizer.overlap !== undefined) {
    return overlappingVariantLogLikelihoods(query, pairs, options);
  }
  return options.protocol === "paper"
    ? sumsOverRows(query, rows, options)
    : sumsOverDifferences(query, rows, mask, options);
}

function maskDifferences([first, second]: AlleleTokens, mask: number, pair: number): MaskedPair {
  if (first.ids.length !== second.ids.length) {
    throw new InputError(
      `the alleles of variant ${pair} have ${first.ids.length} and ${second.ids.length} tokens; token by token they are comparable only with equal numbers`,
      { hint: "use a model with tokens of single bases or k-mers, and a variant that keeps the length" },
    );
  }
  const ids = first.ids.slice();
  const positions: number[] = [];
  first.ids.forEach((id, position) => {
    if (id === second.ids[position]) return;
    positions.push(position);
    ids[position] = mask;
  });
  return { ids, alleles: [first.ids, second.ids], positions };
}

async function sumsOverDifferences(
  query: TokenQuery,
  rows: readonly MaskedPair[],
  mask: number,
  options: QueryOptions,
): Promise<readonly AlleleLogLikelihoods[]> {
  const predictions: TokenPrediction[] = [];
  const predictedFor: { readonly row: number; readonly allele: 0 | 1 }[] = [];
  rows.forEach(({ ids, alleles, positions }, row) => {
    for (const position of positions) {
      const seen = query.kind === "masked" ? { ids, position, shown: mask } : tokensBefore(ids, position);
      if (seen === undefined) continue;
      for (const allele of [0, 1] as const) {
        predictions.push({ ...seen, target: alleles[allele][position] });
        predictedFor.push({ row, allele });
      }
    }
  });
  const logProbabilities = await tokenLogProbabilities(query, predictions, options);
  const sums = rows.map((): [number, number] => [0, 0]);
  predictedFor.forEach(({ row, allele }, i) => {
    sums[row][allele] += logProbabilities[i];
  });
  return sums.map(([first, second]) => ({ first, second }));
}

/** Input of a causal model that predicts the token at `position`; undefined for the first. */
function tokensBefore(ids: Int32Array, position: number) {
  if (position === 0) return undefined;
  return { ids: ids.slice(0, position), position: position - 1, shown: ids[position - 1] };
}

/**
 * log P of either allele's token at every position of the common row: [b, t, 2], for a causal model [b, t −
 * 1, 2].
 */
const allPositions = (kind: TokenQuery["kind"]): GraphQuery => ({
  name: "masked-variant",
  outputs(model, given, tokens) {
    const targets = input("targets", "int32", ["b", tokens, 2]);
    const { logits } = model.forward(given, tokens);
    const likelihoods =
      kind === "masked"
        ? gatherElements(logSoftmax(logits), targets, 2)
        : gatherElements(logSoftmax(slice(logits, 1, 0, -1)), slice(targets, 1, 1), 2);
    return { likelihoods };
  },
});

async function sumsOverRows(
  { programs, tokenizer, architecture, kind }: TokenQuery,
  rows: readonly MaskedPair[],
  { signal }: QueryOptions,
): Promise<readonly AlleleLogLikelihoods[]> {
  const query = allPositions(kind);
  const results: AlleleLogLikelihoods[] = [];
  for (const members of runsOfEqualLength(rows, architecture)) {
    signal?.throwIfAborted();
    const together = members.map((row) => rows[row]);
    const batch = collate(together);
    const tokens = batch.ids.shape[1];
    const targets = Int32Array.from({ length: together.length * tokens * 2 }, (_, at) => {
      const position = Math.floor(at / 2);
      return together[Math.floor(position / tokens)].alleles[at % 2][position % tokens];
    });
    const { likelihoods } = await programs.run(query, batch, {
      targets: { dtype: "int32", shape: [together.length, tokens, 2], data: targets },
    });
    const values = dataOf(likelihoods, "float32");
    const first = kind === "masked" ? 0 : 1; // the first position that is predicted
    members.forEach((row, i) => {
      const sum = (allele: 0 | 1) => {
        const { start, end } = scoredSpan(tokenizer, rows[row].alleles[allele]);
        const scored = new Float32Array(tokens);
        for (let position = Math.max(start, first); position < end; position++) {
          scored[position] = values[2 * (i * (tokens - first) + position - first) + allele];
        }
        return float32Sum(scored);
      };
      results[row] = { first: sum(0), second: sum(1) };
    });
  }
  return results;
}
