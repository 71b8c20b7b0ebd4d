import { InternalError } from "../../base/errors.ts";
import type { Overlap, Tokenizer, Tokens } from "../../dna/tokenizers/tokenizer.ts";
import {
  add,
  exp,
  gatherElements,
  input,
  log,
  logSoftmax,
  reduceMax,
  reduceSum,
  squeeze,
  sub,
} from "../../net/graph/build.ts";
import { rowAt } from "../../net/nn/queries.ts";
import { chunks, collate, maskId, rowsPerRun } from "../language/collate.ts";
import type { AlleleLogLikelihoods, QueryOptions } from "../model.ts";
import type { ScoredTokens } from "./causal-likelihood.ts";
import type { GraphQuery, TokenQuery } from "./programs.ts";

/**
 * One base of a row of overlapping k-mers: the k-mers that contain it are masked, and the k-mer whose span
 * contains it is predicted.
 */
interface BasePrediction {
  readonly row: number;
  /** The row with its mask. */
  readonly ids: Int32Array;
  /** Token that is predicted, 0-based, special tokens counted. */
  readonly token: number;
  /** K-mers whose probabilities are added. */
  readonly targets: Int32Array;
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
  const values = await baseLogProbabilities(query, predictions, options);
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
  const values = await baseLogProbabilities(query, predictions, options);
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

/** K-mers that agree with a row's base at its offset in a token; the token itself if it is not a k-mer. */
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

/** log Σ P(target) at one position of each row. */
const baseQuery: GraphQuery = {
  name: "base-prediction",
  outputs(model, given, tokens) {
    const positions = input("positions", "int32", ["b"]);
    const targets = input("targets", "int32", ["b", "k"]);
    const logits =
      model.forwardAt?.(given, positions, tokens).logits ??
      rowAt(model.forward(given, tokens).logits, positions);
    const terms = gatherElements(logSoftmax(squeeze(logits, 1)), targets, 1); // [b, k]
    const most = reduceMax(terms, [1], { keepDims: true });
    const total = add(log(reduceSum(exp(sub(terms, most)), [1])), squeeze(most, 1));
    return { logProbabilities: total };
  },
};

async function baseLogProbabilities(
  { programs, architecture }: TokenQuery,
  predictions: readonly BasePrediction[],
  { signal }: Partial<QueryOptions>,
): Promise<Float64Array> {
  const found = new Float64Array(predictions.length);
  const groups = new Map<string, number[]>();
  predictions.forEach(({ ids, targets }, i) => {
    const key = `${ids.length} ${targets.length}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  for (const group of groups.values()) {
    const tokens = predictions[group[0]].ids.length;
    for (const members of chunks(group, rowsPerRun(architecture, tokens))) {
      signal?.throwIfAborted();
      const together = members.map((i) => predictions[i]);
      const wide = together[0].targets.length;
      const targets = new Int32Array(together.length * wide);
      together.forEach((each, i) => {
        targets.set(each.targets, i * wide);
      });
      const positions = Int32Array.from(together, ({ token }) => token);
      const { logProbabilities } = await programs.run(baseQuery, collate(together), {
        positions: { dtype: "int32", shape: [together.length], data: positions },
        targets: { dtype: "int32", shape: [together.length, wide], data: targets },
      });
      members.forEach((i, at) => {
        found[i] = (logProbabilities!.data as Float32Array)[at];
      });
    }
  }
  return found;
}
