import { InputError } from "../../base/errors.ts";
import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { float32Sum } from "../../metrics/mean.ts";
import { gatherElements, input, logSoftmax, slice } from "../../net/graph/build.ts";
import { collate, maskId, runsOfEqualLength } from "../language/collate.ts";
import type { AlleleLogLikelihoods, QueryOptions } from "../model.ts";
import { type TokenPrediction, tokenLogProbabilities } from "./masked-likelihood.ts";
import type { GraphQuery, TokenQuery } from "./programs.ts";

/** One sequence with either allele of a variant. */
export type AlleleTokens = readonly [first: Tokens, second: Tokens];

/** Two alleles in one row of tokens: where they differ stands the mask. */
interface Hidden {
  readonly ids: Int32Array;
  readonly alleles: readonly [Int32Array, Int32Array];
  /** Places of the tokens that differ, ascending. */
  readonly places: readonly number[];
}

/**
 * How probable a model finds the tokens of either allele where the two differ, when it sees neither: the sum of
 * log P(allele's token | the common row with the mask at every token that differs). A causal model sees only what stands
 * before; a first token without a start token in front of it has no prediction and counts 0.
 *
 * Under the `paper` protocol the sums run over all scored tokens and are float32, as the original's files have them (quirk Q16).
 * What is added is equal for both alleles, so the difference is the same but for rounding: a multiple of about 2e-4 for 2,114
 * bases, which makes ties.
 *
 * @returns nats, one entry per pair
 * @throws {InputError} when the alleles of a pair make different numbers of tokens, as a byte-pair tokenizer may make of
 *   them: then there is no common row
 */
export async function maskedVariantLogLikelihoods(
  query: TokenQuery,
  pairs: readonly AlleleTokens[],
  options: QueryOptions,
): Promise<readonly AlleleLogLikelihoods[]> {
  const mask = maskId(query.tokenizer);
  const rows = pairs.map((pair, i) => hide(pair, mask, i));
  return options.protocol === "paper"
    ? sumsOverRows(query, rows, options)
    : sumsOverDifferences(query, rows, mask, options);
}

function hide([first, second]: AlleleTokens, mask: number, pair: number): Hidden {
  if (first.ids.length !== second.ids.length) {
    throw new InputError(
      `the alleles of variant ${pair} make ${first.ids.length} and ${second.ids.length} tokens; they can be compared token by token only when the numbers are equal`,
      { hint: "use a model of single letters or k-mers, and a variant that keeps the length" },
    );
  }
  const ids = first.ids.slice();
  const places: number[] = [];
  first.ids.forEach((id, place) => {
    if (id === second.ids[place]) return;
    places.push(place);
    ids[place] = mask;
  });
  return { ids, alleles: [first.ids, second.ids], places };
}

async function sumsOverDifferences(
  query: TokenQuery,
  rows: readonly Hidden[],
  mask: number,
  options: QueryOptions,
): Promise<readonly AlleleLogLikelihoods[]> {
  const predictions: TokenPrediction[] = [];
  const askers: { readonly row: number; readonly allele: 0 | 1 }[] = [];
  rows.forEach(({ ids, alleles, places }, row) => {
    for (const place of places) {
      const seen = query.kind === "masked" ? { ids, place, shown: mask } : tokensBefore(ids, place);
      if (seen === undefined) continue;
      for (const allele of [0, 1] as const) {
        predictions.push({ ...seen, target: alleles[allele][place] });
        askers.push({ row, allele });
      }
    }
  });
  const logProbabilities = await tokenLogProbabilities(query, predictions, options);
  const sums = rows.map((): [number, number] => [0, 0]);
  askers.forEach(({ row, allele }, i) => {
    sums[row][allele] += logProbabilities[i];
  });
  return sums.map(([first, second]) => ({ first, second }));
}

/** What a causal model sees of a row when it guesses the token at `place`; nothing for the first. */
function tokensBefore(ids: Int32Array, place: number) {
  if (place === 0) return undefined;
  return { ids: ids.slice(0, place), place: place - 1, shown: ids[place - 1] };
}

/** log P of either allele's token at every place of the common row: [b, t, 2], for a causal model [b, t − 1, 2]. */
const allPlaces = (kind: TokenQuery["kind"]): GraphQuery => ({
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
  rows: readonly Hidden[],
  { signal }: QueryOptions,
): Promise<readonly AlleleLogLikelihoods[]> {
  const question = allPlaces(kind);
  const results: AlleleLogLikelihoods[] = [];
  for (const members of runsOfEqualLength(rows, architecture)) {
    signal?.throwIfAborted();
    const together = members.map((row) => rows[row]);
    const batch = collate(together);
    const tokens = batch.ids.shape[1];
    const targets = Int32Array.from({ length: together.length * tokens * 2 }, (_, at) => {
      const place = Math.floor(at / 2);
      return together[Math.floor(place / tokens)].alleles[at % 2][place % tokens];
    });
    const { likelihoods } = await programs.run(question, batch, {
      targets: { dtype: "int32", shape: [together.length, tokens, 2], data: targets },
    });
    const values = likelihoods!.data as Float32Array;
    const first = kind === "masked" ? 0 : 1; // the first place that has a prediction
    members.forEach((row, i) => {
      const sum = (allele: 0 | 1) => {
        const { start, end } = scoredSpan(tokenizer, rows[row].alleles[allele]);
        const scored = new Float32Array(tokens);
        for (let place = Math.max(start, first); place < end; place++) {
          scored[place] = values[2 * (i * (tokens - first) + place - first) + allele];
        }
        return float32Sum(scored);
      };
      results[row] = { first: sum(0), second: sum(1) };
    });
  }
  return results;
}
