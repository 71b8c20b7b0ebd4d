import { InputError } from "../base/errors.ts";
import { Mt19937 } from "../base/mt19937.ts";
import { kMeansPlusPlus } from "./k-means-plus-plus.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";
import { NearestCentres } from "./nearest-centres.ts";

export interface KMeansOptions {
  /** Default 300. */
  readonly maxIterations?: number;
  /**
   * Stop when the centres move by less than this share of the mean variance of a column (sum of squared shifts);
   * default 1e-4.
   */
  readonly tolerance?: number;
}

export interface KMeansResult {
  /** Cluster of each row, from 0. [rows] */
  readonly clusters: Int32Array;
  /** [k, columns] */
  readonly centres: Matrix;
  /** Sum of squared distances of the rows to their centres. */
  readonly inertia: number;
  readonly iterations: number;
}

/**
 * k-means as `sklearn.cluster.KMeans(k, random_state=seed)` of scikit-learn 1.4 runs it: data centred, one start by
 * k-means++, Lloyd's iterations. In float64, where scikit-learn keeps float32 data in float32: rows near a border may fall
 * on the other side, and another start may follow.
 *
 * @param data  [rows, columns]
 * @param seed  of NumPy's `RandomState`, 0 to 2^32 − 1
 * @throws {InputError} when an entry is not finite, there are fewer than k rows or an option makes no sense
 */
export function kMeans(data: Matrix, k: number, seed: number, options: KMeansOptions = {}): KMeansResult {
  requireMatrix(data, "feature");
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new InputError(`${seed} is not a seed from 0 to 2^32 − 1`);
  }
  const { centred, means } = centre(data);
  const start = kMeansPlusPlus(centred, k, Mt19937.fromSeed(seed));
  const found = lloydFrom(centred, rowsOf(centred, start), options);
  return { ...found, centres: shifted(found.centres, means) };
}

/**
 * Lloyd's k-means from given centres: rows join their nearest centre (of equally near ones the first), centres move to
 * the mean of their rows, until nothing changes, the centres hardly move, or `maxIterations`. A cluster that loses all
 * rows is given the row farthest from its centre. As scikit-learn 1.4's `KMeans(init=start, n_init=1)`.
 *
 * @param data   [rows, columns]
 * @param start  [k, columns]
 * @throws {InputError} when an entry is not finite, the columns differ in number or there are fewer rows than centres
 * @see Lloyd 1982, doi:10.1109/TIT.1982.1056489
 */
export function lloyd(data: Matrix, start: Matrix, options: KMeansOptions = {}): KMeansResult {
  requireMatrix(data, "feature");
  requireMatrix(start, "entry of the starting centres");
  if (start.columns !== data.columns || start.rows < 1 || start.rows > data.rows) {
    throw new InputError(
      `${start.rows} centres of ${start.columns} columns do not fit ${data.rows} rows of ${data.columns} columns`,
    );
  }
  const { centred, means } = centre(data);
  const negative = means.map((mean) => -mean);
  const found = lloydFrom(centred, shifted(start, negative), options);
  return { ...found, centres: shifted(found.centres, means) };
}

function lloydFrom(data: Matrix, start: Matrix, options: KMeansOptions): KMeansResult {
  const { maxIterations = 300, tolerance = 1e-4 } = options;
  if (!(Number.isInteger(maxIterations) && maxIterations >= 1 && tolerance >= 0)) {
    throw new InputError(`k-means cannot run ${maxIterations} iterations to a tolerance of ${tolerance}`);
  }
  const smallest = tolerance * meanVariance(data);
  let centres = start.data as Float64Array;
  let clusters: Int32Array = new Int32Array(data.rows).fill(-1);
  const nearest = new NearestCentres(data, start.rows);
  let iterations = 0;
  let settled = false;
  while (!settled && iterations < maxIterations) {
    iterations++;
    const before = clusters;
    clusters = nearest.of(centres);
    const moved = meansOf(data, clusters, centres);
    settled = clusters.every((cluster, row) => cluster === before[row]);
    const shift = moved.reduce((sum, value, i) => sum + (value - centres[i]!) ** 2, 0);
    centres = moved;
    if (settled) break;
    if (shift <= smallest || iterations === maxIterations) {
      clusters = nearest.of(centres);
      break;
    }
  }
  const { columns } = data;
  let inertia = 0;
  for (let i = 0; i < data.data.length; i++) {
    const centre = clusters[Math.floor(i / columns)]! * columns + (i % columns);
    inertia += (data.data[i]! - centres[centre]!) ** 2;
  }
  return { clusters, centres: { data: centres, rows: start.rows, columns }, inertia, iterations };
}

/** Mean of each cluster's rows. An empty cluster takes the farthest row, the next one the next farthest. */
function meansOf({ data, rows, columns }: Matrix, clusters: Int32Array, centres: Float64Array): Float64Array {
  const sums = new Float64Array(centres.length);
  const sizes = new Float64Array(centres.length / columns);
  for (let row = 0; row < rows; row++) {
    const at = clusters[row]! * columns;
    sizes[clusters[row]!]!++;
    for (let i = 0; i < columns; i++) sums[at + i]! += data[row * columns + i]!;
  }
  const empty = Array.from(sizes.keys()).filter((cluster) => sizes[cluster] === 0);
  if (empty.length > 0) {
    const far = farthestRows({ data, rows, columns }, clusters, centres);
    empty.forEach((cluster, place) => {
      const row = far[place]!;
      const from = clusters[row]!;
      for (let i = 0; i < columns; i++) {
        sums[from * columns + i]! -= data[row * columns + i]!;
        sums[cluster * columns + i] = data[row * columns + i]!;
      }
      sizes[cluster] = 1;
      sizes[from]!--;
    });
  }
  return sums.map((sum, i) => sum / Math.max(sizes[Math.floor(i / columns)]!, 1));
}

/** Row numbers, the one farthest from its centre first. */
function farthestRows(
  { data, rows, columns }: Matrix,
  clusters: Int32Array,
  centres: Float64Array,
): Int32Array {
  const distances = Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) {
      sum += (data[row * columns + i]! - centres[clusters[row]! * columns + i]!) ** 2;
    }
    return sum;
  });
  return Int32Array.from(distances.keys()).sort((a, b) => distances[b]! - distances[a]!);
}

function centre({ data, rows, columns }: Matrix) {
  const means = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) means[i % columns]! += data[i]!;
  for (let i = 0; i < columns; i++) means[i]! /= rows;
  const centred: Matrix = {
    data: Float64Array.from(data, (value, i) => value - means[i % columns]!),
    rows,
    columns,
  };
  return { centred, means };
}

function meanVariance({ data, rows, columns }: Matrix): number {
  // The data are centred, so the mean square is the variance.
  let squares = 0;
  for (const value of data) squares += value * value;
  return squares / (rows * columns);
}

function rowsOf({ data, columns }: Matrix, rows: Int32Array): Matrix {
  const picked = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    picked.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return { data: picked, rows: rows.length, columns };
}

function shifted({ data, rows, columns }: Matrix, by: Float64Array): Matrix {
  return { data: Float64Array.from(data, (value, i) => value + by[i % columns]!), rows, columns };
}
