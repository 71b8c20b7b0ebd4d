import { InputError } from "../base/errors.ts";
import { Mt19937 } from "../base/mt19937.ts";
import { KMeansKernels } from "./k-means-kernels.ts";
import { kMeansPlusPlus, trialsOf } from "./k-means-plus-plus.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";
import { NearestCentres } from "./nearest-centres.ts";

export interface KMeansOptions {
  /** Default 300. */
  readonly maxIterations?: number;
  /**
   * Stop when the squared shifts of the centres sum to at most this fraction of the mean variance of a
   * column; default 1e-4.
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
 * k-means as `sklearn.cluster.KMeans(k, random_state=seed)` of scikit-learn 1.4 computes it: columns are
 * centred, rows are picked by k-means++, then Lloyd's iterations. One table serves several seeds. In float64,
 * where scikit-learn keeps float32 data in float32: rows near a border may fall on the other side, and
 * another start may be picked.
 *
 * @see Lloyd 1982, doi:10.1109/TIT.1982.1056489
 */
export class KMeans {
  /** Means of the columns. [columns] */
  readonly means: Float64Array;
  private readonly variance: number;
  private readonly table: KMeansKernels;
  private readonly k: number;

  /**
   * @param data  [rows, columns]
   * @throws {InputError} when an entry is not finite or there are fewer than k rows
   */
  constructor(data: Matrix, k: number) {
    requireMatrix(data, "feature");
    if (!(Number.isInteger(k) && k >= 1 && k <= data.rows)) {
      throw new InputError(
        `${k} clusters of ${data.rows} rows: expected a whole number from 1 to ${data.rows}`,
      );
    }
    const { centred, means } = centre(data);
    this.means = means;
    this.variance = meanVariance(centred);
    this.table = new KMeansKernels(centred, k, trialsOf(k));
    this.k = k;
  }

  /**
   * @param seed  of NumPy's `RandomState`, 0 to 2^32 − 1
   * @throws {InputError} when the seed or an option is invalid
   */
  fit(seed: number, options: KMeansOptions = {}): KMeansResult {
    if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
      throw new InputError(`the seed of k-means is ${seed}; expected a whole number from 0 to 2^32 − 1`);
    }
    const { table, k } = this;
    const start = new Float64Array(k * table.columns);
    kMeansPlusPlus(table, k, Mt19937.fromSeed(seed)).forEach((row, i) => {
      start.set(table.row(row), i * table.columns);
    });
    return this.fitFrom(start, options);
  }

  /**
   * Lloyd's iterations: rows join their nearest centre (the first of equally near ones), centres move to the
   * mean of their rows, until nothing changes, the centres move less than the tolerance, or `maxIterations`.
   * A cluster that loses all its rows takes the row farthest from its centre.
   *
   * @param start  initial centres, less `means`: [k, columns]
   * @throws {InputError} when an option is invalid
   */
  fitFrom(start: Float64Array, options: KMeansOptions = {}): KMeansResult {
    const { maxIterations = 300, tolerance = 1e-4 } = options;
    if (!(Number.isInteger(maxIterations) && maxIterations >= 1 && tolerance >= 0)) {
      throw new InputError(
        `k-means with ${maxIterations} iterations and a tolerance of ${tolerance}: expected 1 iteration or more and a tolerance from 0`,
      );
    }
    const { table, k, means } = this;
    const { columns } = table;
    const smallest = tolerance * this.variance;
    let centres = start;
    let clusters = table.clusters;
    const nearest = new NearestCentres(table, k);
    let iterations = 0;
    let settled = false;
    while (!settled && iterations < maxIterations) {
      iterations++;
      clusters = nearest.of(centres);
      const moved = meansOf(table, nearest, centres);
      settled = !nearest.changed.includes(1);
      const shift = moved.reduce((sum, value, i) => sum + (value - centres[i]) ** 2, 0);
      centres = moved;
      if (settled) break;
      if (shift <= smallest || iterations === maxIterations) {
        clusters = nearest.of(centres);
        break;
      }
    }
    return {
      clusters: clusters.slice(),
      centres: { data: centres.map((value, i) => value + means[i % columns]), rows: k, columns },
      inertia: inertiaOf(table, clusters, centres),
      iterations,
    };
  }
}

/** Mean of each cluster's rows. Empty clusters take the rows farthest from their centres, one each. */
function meansOf(table: KMeansKernels, nearest: NearestCentres, centres: Float64Array): Float64Array {
  const { columns, clusters } = table;
  const sizes = nearest.sizes.slice();
  const k = sizes.length;
  table.addRows(nearest.changed);
  const means = new Float64Array(centres.length);
  for (let cluster = 0; cluster < k; cluster++) means.set(table.sum(cluster), cluster * columns);
  const empty = Array.from(sizes.keys()).filter((cluster) => sizes[cluster] === 0);
  if (empty.length > 0) {
    const far = farthestRows(table, clusters, centres);
    empty.forEach((cluster, i) => {
      const row = far[i];
      const from = clusters[row];
      table.row(row).forEach((value, column) => {
        means[from * columns + column] -= value;
        means[cluster * columns + column] = value;
      });
      sizes[cluster] = 1;
      sizes[from]--;
    });
  }
  for (let cluster = 0, i = 0; cluster < k; cluster++) {
    const size = Math.max(sizes[cluster], 1);
    for (const end = i + columns; i < end; i++) means[i] /= size;
  }
  return means;
}

/** Row numbers, the row farthest from its centre first. */
function farthestRows(table: KMeansKernels, clusters: Int32Array, centres: Float64Array): Int32Array {
  const { columns } = table;
  const distances = Float64Array.from(clusters, (cluster, row) => {
    let sum = 0;
    table.row(row).forEach((value, i) => {
      sum += (value - centres[cluster * columns + i]) ** 2;
    });
    return sum;
  });
  return Int32Array.from(distances.keys()).sort((a, b) => distances[b] - distances[a]);
}

function inertiaOf(
  { data, rows, columns, stride }: KMeansKernels,
  clusters: Int32Array,
  centres: Float64Array,
) {
  let inertia = 0;
  for (let row = 0; row < rows; row++) {
    const centre = clusters[row] * columns;
    for (let i = 0; i < columns; i++) inertia += (data[row * stride + i] - centres[centre + i]) ** 2;
  }
  return inertia;
}

function centre({ data, rows, columns }: Matrix) {
  const means = new Float64Array(columns);
  const centred = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) means[i] += data[row * columns + i];
  }
  for (let i = 0; i < columns; i++) means[i] /= rows;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) centred[row * columns + i] = data[row * columns + i] - means[i];
  }
  return { centred: { data: centred, rows, columns }, means };
}

function meanVariance({ data, rows, columns }: Matrix): number {
  // The data are centred, so the mean square is the variance.
  let squares = 0;
  for (const value of data) squares += value * value;
  return squares / (rows * columns);
}
