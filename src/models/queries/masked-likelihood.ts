import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import { dataOf, type NdArray } from "../../net/arrays/array.ts";
import { collate, maskId, runsOfEqualLength } from "../language/collate.ts";
import type { QueryOptions, TokenOptions } from "../model.ts";
import { logLikelihoodOf, type ScoredTokens } from "./causal-likelihood.ts";
import { overlappingTokenLogProbabilities } from "./overlapping-likelihood.ts";
import { type GraphQuery, type TokenQuery, targetLogProbabilities } from "./programs.ts";

/**
 * Pseudo-log-likelihood of each row: the sum of its scored tokens' log-probabilities.
 *
 * @returns one number per row, nats; 0 for a row without scored tokens
 */
export async function maskedLogLikelihoods(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: Partial<QueryOptions>,
): Promise<Float64Array> {
  return Float64Array.from(await maskedTokenLogProbabilities(query, rows, options), logLikelihoodOf);
}

/**
 * log P(token | all other tokens) for each scored token of each row, from a copy of the row in which the
 * token is masked. The sum is the row's pseudo-log-likelihood (Salazar et al. 2020, arXiv:1910.14659, eq. 1).
 * Special tokens and tokens outside of `within` are not scored. For overlapping k-mers see
 * `overlappingTokenLogProbabilities`.
 *
 * Unlike in the original, no copies are run for special tokens and padding, whose results it drops, and
 * copies are not padded.
 *
 * @returns one entry per row
 */
export async function maskedTokenLogProbabilities(
  query: TokenQuery,
  rows: readonly Tokens[],
  options: Partial<TokenOptions>,
): Promise<readonly ScoredTokens[]> {
  if (query.tokenizer.overlap !== undefined) return overlappingTokenLogProbabilities(query, rows, options);
  const shown = maskId(query.tokenizer);
  const spans = rows.map((row) => {
    const span = scoredSpan(query.tokenizer, row.ids);
    return options.within === undefined ? span : within(span, row, options.within);
  });
  const predictions = rows.flatMap(({ ids }, row) => {
    const { start, end } = spans[row];
    return Array.from({ length: end - start }, (_, i): TokenPrediction => {
      const position = start + i;
      return { ids, position, shown, target: ids[position] };
    });
  });
  const logProbabilities = await tokenLogProbabilities(query, predictions, options);
  let at = 0;
  return spans.map(({ start, end }) => {
    const values = logProbabilities.subarray(at, at + end - start);
    at += end - start;
    return { first: start, values };
  });
}

/** The scored tokens of a row that cover some of the bases. */
function within(
  { start, end }: ReturnType<typeof scoredSpan>,
  { starts, ends }: Tokens,
  [from, to]: readonly [number, number],
) {
  const span = { start, end };
  while (span.start < end && ends[span.start] <= from) span.start++;
  while (span.end > span.start && starts[span.end - 1] >= to) span.end--;
  return span;
}

/** A token whose log-probability is computed, at one position of a row. */
export interface TokenPrediction {
  /** Token ids of the row; the token at `position` is replaced by `shown`. */
  readonly ids: Int32Array;
  /**
   * Position whose logits are read, 0-based. A masked model predicts the token at this position, a causal one
   * the next token.
   */
  readonly position: number;
  /** Token that the model's input has at `position`: the mask token or the row's token. */
  readonly shown: number;
  /** The token whose probability is computed. */
  readonly target: number;
}

/** Log-probabilities at one position of each row. The last layer and the head compute that position alone. */
export const predictionQuery: GraphQuery = {
  name: "token-prediction",
  outputs: (model, given, tokens) => ({ logProbabilities: targetLogProbabilities(model, given, tokens) }),
};

/** A distinct input row, and the tokens whose probabilities are computed from it. */
interface InputRow {
  readonly ids: Int32Array;
  readonly position: number;
  readonly shown: number;
  readonly targets: number[];
}

/**
 * log P(target | row) of each prediction, from the softmax over the whole vocabulary. Each distinct row is
 * run once for all its targets; rows of equal length run together, so that nothing is padded.
 *
 * @returns one number per prediction, nats
 */
export async function tokenLogProbabilities(
  { programs, architecture }: TokenQuery,
  predictions: readonly TokenPrediction[],
  { signal }: Pick<QueryOptions, "signal">,
): Promise<Float64Array> {
  const { rows, rowOf, targetOf } = distinctRows(predictions);
  const found: Float32Array[] = [];
  for (const members of runsOfEqualLength(rows, architecture)) {
    signal?.throwIfAborted();
    const together = members.map((row) => rows[row]);
    const most = Math.max(...together.map(({ targets }) => targets.length));
    const { logProbabilities } = await programs.run(predictionQuery, batchOf(together), {
      positions: int32([together.length], (data) => {
        together.forEach(({ position }, i) => {
          data[i] = position;
        });
      }),
      targets: int32([together.length, most], (data) => {
        together.forEach(({ targets }, i) => {
          data.set(targets, i * most);
        });
      }),
    });
    const values = dataOf(logProbabilities, "float32"); // [b, k]
    members.forEach((row, i) => {
      found[row] = values.subarray(i * most, (i + 1) * most);
    });
  }
  return Float64Array.from(predictions, (_, i) => found[rowOf[i]][targetOf[i]]);
}

function batchOf(rows: readonly InputRow[]) {
  const batch = collate(rows);
  const tokens = batch.ids.shape[1];
  rows.forEach(({ position, shown }, i) => {
    batch.ids.data[i * tokens + position] = shown;
  });
  return batch;
}

function int32(shape: readonly number[], fill: (data: Int32Array) => void): NdArray {
  const data = new Int32Array(shape.reduce((a, b) => a * b, 1));
  fill(data);
  return { dtype: "int32", shape, data };
}

/**
 * Distinct input rows, and for each prediction its row and the index among that row's targets. Predictions
 * share a row if they read the same position and all other tokens are equal: a repeated sequence, or two
 * alleles that differ in the masked token alone.
 */
function distinctRows(predictions: readonly TokenPrediction[]) {
  const rows: InputRow[] = [];
  const rowOf = new Int32Array(predictions.length);
  const targetOf = new Int32Array(predictions.length);
  const byHash = new Map<number, number[]>();
  const hashOf = inputHash();
  predictions.forEach((prediction, i) => {
    const hash = hashOf(prediction);
    const alike = byHash.get(hash) ?? [];
    if (alike.length === 0) byHash.set(hash, alike);
    let row = alike.find((each) => sameRow(rows[each], prediction));
    if (row === undefined) {
      const { ids, position, shown } = prediction;
      row = rows.push({ ids, position, shown, targets: [] }) - 1;
      alike.push(row);
    }
    const { targets } = rows[row];
    const known = targets.indexOf(prediction.target);
    rowOf[i] = row;
    targetOf[i] = known >= 0 ? known : targets.push(prediction.target) - 1;
  });
  return { rows, rowOf, targetOf };
}

function sameRow(a: InputRow, b: TokenPrediction): boolean {
  if (a.position !== b.position || a.shown !== b.shown || a.ids.length !== b.ids.length) return false;
  return a.ids === b.ids || a.ids.every((id, i) => id === b.ids[i] || i === a.position);
}

/** Odd, so that no power of it is 0 modulo 2³². */
const BASE = 0x9e3779b1;

/**
 * A 32-bit hash of input rows: Σ idᵢ·BASEⁱ⁺¹ over the row, with the shown token at the read position. The sum
 * of a row is cached, so each of its masked copies costs one multiplication.
 */
function inputHash(): (prediction: TokenPrediction) => number {
  const sums = new Map<Int32Array, number>();
  const powers: number[] = [BASE];
  const power = (i: number) => {
    while (powers.length <= i) powers.push(Math.imul(powers[powers.length - 1], BASE));
    return powers[i];
  };
  return ({ ids, position, shown }) => {
    const known = sums.get(ids);
    const sum = known ?? ids.reduce((total, id, i) => (total + Math.imul(id, power(i))) | 0, ids.length);
    if (known === undefined) sums.set(ids, sum);
    return (sum + Math.imul(shown - ids[position], power(position)) + Math.imul(position, BASE)) | 0;
  };
}
