import { InputError } from "../base/errors.ts";
import type { Mt19937 } from "../base/mt19937.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";

/**
 * Picks rows to start k-means from: each next one at random, by its squared distance to those picked, the best of
 * 2 + ⌊ln k⌋ candidates each time. As scikit-learn 1.4's greedy k-means++, with the draws of NumPy's `RandomState`.
 *
 * @param data  [rows, columns], centred where scikit-learn would (its `KMeans` subtracts the mean first)
 * @param k     how many rows to pick, at most all
 * @param rng   advanced by 1 + (k − 1)(2 + ⌊ln k⌋) doubles
 * @returns     numbers of the rows picked, in order
 * @throws {InputError} when an entry is not finite or there are fewer than k rows
 * @see Arthur & Vassilvitskii 2007, "k-means++: the advantages of careful seeding", SODA
 */
export function kMeansPlusPlus(data: Matrix, k: number, rng: Mt19937): Int32Array {
  requireMatrix(data, "feature");
  const { rows } = data;
  if (!(Number.isInteger(k) && k >= 1 && k <= rows)) {
    throw new InputError(`${k} clusters cannot be started from ${rows} rows`);
  }
  const trials = 2 + Math.floor(Math.log(k));
  const picked = new Int32Array(k);
  picked[0] = firstPick(rows, nextDouble(rng));
  let nearest = squaredDistances(data, picked[0]!);
  let potential = total(nearest);
  for (let cluster = 1; cluster < k; cluster++) {
    const cumulative = runningSums(nearest);
    const targets = Float64Array.from({ length: trials }, () => nextDouble(rng) * potential);
    let best: { row: number; nearest: Float64Array; potential: number } | undefined;
    for (const target of targets) {
      const row = Math.min(firstAtLeast(cumulative, target), rows - 1);
      const withRow = squaredDistances(data, row);
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        if (nearest[i]! < withRow[i]!) withRow[i] = nearest[i]!;
        sum += withRow[i]!;
      }
      if (best === undefined || sum < best.potential) best = { row, nearest: withRow, potential: sum };
    }
    picked[cluster] = best!.row;
    nearest = best!.nearest;
    potential = best!.potential;
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
  const last = cumulative[rows - 1]!;
  const row = cumulative.findIndex((sum) => sum / last > draw);
  return row;
}

/** Four rows at a time: their sums do not wait for one another. */
function squaredDistances({ data, rows, columns }: Matrix, from: number): Float64Array {
  const origin = data.slice(from * columns, (from + 1) * columns);
  const distances = new Float64Array(rows);
  for (let row = 0; row < rows; row += 4) {
    // Beyond the last row the last one is repeated, and written once more.
    const rowB = Math.min(row + 1, rows - 1);
    const rowC = Math.min(row + 2, rows - 1);
    const rowD = Math.min(row + 3, rows - 1);
    const a = row * columns;
    const b = rowB * columns;
    const c = rowC * columns;
    const d = rowD * columns;
    let sumA = 0;
    let sumB = 0;
    let sumC = 0;
    let sumD = 0;
    for (let i = 0; i < columns; i++) {
      const value = origin[i]!;
      const toA = data[a + i]! - value;
      const toB = data[b + i]! - value;
      const toC = data[c + i]! - value;
      const toD = data[d + i]! - value;
      sumA += toA * toA;
      sumB += toB * toB;
      sumC += toC * toC;
      sumD += toD * toD;
    }
    distances[row] = sumA;
    distances[rowB] = sumB;
    distances[rowC] = sumC;
    distances[rowD] = sumD;
  }
  return distances;
}

function runningSums(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

/** First place whose entry is at least the target; the length when there is none. */
function firstAtLeast(increasing: Float64Array, target: number): number {
  let low = 0;
  let high = increasing.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (increasing[middle]! < target) low = middle + 1;
    else high = middle;
  }
  return low;
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
