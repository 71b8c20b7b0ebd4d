import { lowerBound } from "../base/binary-search.ts";
import { InputError } from "../base/errors.ts";
import type { Mt19937 } from "../base/mt19937.ts";
import type { KMeansKernels } from "./k-means-kernels.ts";

/** Number of candidates for each centre after the first. */
export const trialsOf = (k: number): number => 2 + Math.floor(Math.log(k));

/**
 * Picks the initial centres of k-means: each row after the first is drawn with probability proportional to
 * its squared distance to those picked, the best of 2 + ⌊ln k⌋ candidates each time. As scikit-learn 1.4's
 * greedy k-means++, with the draws of NumPy's `RandomState`.
 *
 * @param table  with room for as many trials as there are candidates; centred, since scikit-learn's `KMeans`
 *               subtracts the mean first
 * @param k      number of rows to pick, at most all
 * @param rng    advanced by 1 + (k − 1)(2 + ⌊ln k⌋) doubles
 * @returns      row numbers, in the order picked
 * @throws {InputError} when there are fewer than k rows
 * @see Arthur & Vassilvitskii 2007, "k-means++: the advantages of careful seeding", SODA
 */
export function kMeansPlusPlus(table: KMeansKernels, k: number, rng: Mt19937): Int32Array {
  const { rows, known, trials } = table;
  if (!(Number.isInteger(k) && k >= 1 && k <= rows)) {
    throw new InputError(`${k} clusters of ${rows} rows: expected a whole number from 1 to ${rows}`);
  }
  const candidates = new Int32Array(trialsOf(k));
  const picked = new Int32Array(k);
  picked[0] = firstPick(rows, nextDouble(rng));
  known.fill(Number.POSITIVE_INFINITY);
  table.nearer(picked.subarray(0, 1));
  known.set(trials[0]);
  let potential = total(known);
  for (let cluster = 1; cluster < k; cluster++) {
    const cumulative = runningSums(known);
    for (let trial = 0; trial < candidates.length; trial++) {
      const target = nextDouble(rng) * potential;
      candidates[trial] = Math.min(lowerBound(cumulative, target), rows - 1);
    }
    table.nearer(candidates);
    let best = 0;
    potential = total(trials[0]);
    for (let trial = 1; trial < candidates.length; trial++) {
      const sum = total(trials[trial]);
      if (sum >= potential) continue;
      best = trial;
      potential = sum;
    }
    picked[cluster] = candidates[best];
    known.set(trials[best]);
  }
  return picked;
}

/** A double in [0, 1) with 53 bits, from two outputs: NumPy's `RandomState.random_sample`. */
function nextDouble(rng: Mt19937): number {
  const high = rng.nextUint32() >>> 5;
  const low = rng.nextUint32() >>> 6;
  return (high * 2 ** 26 + low) * 2 ** -53;
}

/** `RandomState.choice(rows, p=uniform)`: the first row whose cumulative probability exceeds the draw. */
function firstPick(rows: number, draw: number): number {
  const cumulative = runningSums(new Float64Array(rows).fill(1 / rows));
  const last = cumulative[rows - 1];
  return cumulative.findIndex((sum) => sum / last > draw);
}

function runningSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    sums[i] = sum;
  }
  return sums;
}

function total(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}
