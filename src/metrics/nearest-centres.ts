import { type KMeansKernels, ROWS_AT_ONCE } from "./k-means-kernels.ts";

/** Factors that outweigh the rounding of a bound to float32. */
const ABOVE = 1 + 2 ** -22;
const BELOW = 1 - 2 ** -22;

/** Largest finite bound; a row's own centre has an infinite one. */
const MAX_BOUND = 2 ** 127;

/** A bound rounded to float32 downwards. */
const below = (bound: number) => Math.min(bound * BELOW, MAX_BOUND);
/** A bound rounded to float32 upwards. */
const above = (bound: number) => (bound < MAX_BOUND ? bound * ABOVE : MAX_BOUND);

/**
 * Nearest centre of each row while the centres move: the inner step of k-means.
 *
 * The result is that of comparing every row with every centre, the first of equally near ones, but most
 * comparisons are skipped. Each row has an upper bound of the distance to its own centre and a lower bound of
 * the distance to every other one. A bound loosens by the distance its centre moves, and only centres that
 * may be nearer than the row's own are compared. Bounds have a margin far above the rounding error, and
 * distances that differ by less than such a margin are recomputed column by column. So neither the bounds nor
 * the order of summation changes the result.
 *
 * @see Elkan 2003, "Using the triangle inequality to accelerate k-means", ICML
 */
export class NearestCentres {
  private readonly largestNorm: number;
  /** Upper bound of the distance of each row to its centre, after adding `path` of the centre. [rows] */
  private readonly upper: Float64Array;
  private margin = 0;
  /** Where |c|² − 2 x·c of two centres differ by no more than this, rounding could decide. */
  private tie = 0;
  /** Upper bound of the rounding error of |c|² − 2 x·c. */
  private error = 0;
  private before: Float64Array | undefined;
  /** Number of rows of each cluster. [k] */
  readonly sizes: Int32Array;
  /** 1 for each cluster that gained or lost rows in the last call of `of`. [k] */
  readonly changed: Uint8Array;

  /** @param table  holds the bounds, for one search at a time */
  constructor(
    private readonly table: KMeansKernels,
    private readonly k: number,
  ) {
    table.norms.set(squaredNormsOf(table.data, table.rows, table.stride));
    this.largestNorm = largest(table.norms);
    this.upper = new Float64Array(table.rows);
    table.path.fill(0);
    this.sizes = new Int32Array(k);
    this.changed = new Uint8Array(k);
    table.lower.fill(Number.POSITIVE_INFINITY);
    table.moved.fill(0);
  }

  /**
   * @param centres  [k, columns]; not changed by the caller afterwards
   * @returns        overwritten by the next call: [rows]
   */
  of(centres: Float64Array): Int32Array {
    const { table, before } = this;
    table.squares.set(squaredNormsOf(centres, this.k, table.columns));
    const norm = Math.max(largest(table.squares), this.largestNorm);
    this.margin = Math.max(this.margin, 1e-6 * Math.sqrt(norm));
    this.error = 2 * table.productError * norm;
    this.tie = 2 * this.error + this.margin ** 2 / 2;
    this.changed.fill(0);
    table.setCentres(centres);
    if (before !== undefined) this.follow(centres, before);
    for (let from = 0; from < table.rows; from += ROWS_AT_ONCE) {
      const end = Math.min(from + ROWS_AT_ONCE, table.rows);
      if (before === undefined) this.compareAll(from, end);
      else this.compareSome(from, end);
    }
    this.before = centres;
    return table.clusters;
  }

  /** Loosens the bounds by the distances the centres have moved. */
  private follow(centres: Float64Array, before: Float64Array): void {
    const { table } = this;
    const { columns, path } = table;
    for (let cluster = 0; cluster < this.k; cluster++) {
      let square = 0;
      for (let i = cluster * columns; i < (cluster + 1) * columns; i++)
        square += (centres[i] - before[i]) ** 2;
      path[cluster] += Math.sqrt(square);
      table.moved[cluster] = path[cluster] * ABOVE;
    }
  }

  private compareAll(from: number, end: number): void {
    const { k, table, tie, error, upper, sizes, changed } = this;
    const { clusters, lower, bounds, found, pairs, productScale, squares } = table;
    for (let row = from, pair = 0; row < end; row++) {
      for (let cluster = 0; cluster < k; cluster++, pair++) {
        pairs[2 * pair] = row;
        pairs[2 * pair + 1] = cluster;
      }
    }
    table.products((end - from) * k);
    for (let row = from, pair = 0; row < end; row++) {
      let best = Number.POSITIVE_INFINITY;
      let second = Number.POSITIVE_INFINITY;
      let nearest = 0;
      for (let cluster = 0; cluster < k; cluster++) {
        const distance = squares[cluster] - 2 * productScale * found[pair++];
        lower[row * bounds + cluster] = below(this.root(row, distance - error));
        if (distance < best) {
          second = best;
          best = distance;
          nearest = cluster;
        } else if (distance < second) second = distance;
      }
      const cluster = second - best > tie ? nearest : this.compared(row);
      clusters[row] = cluster;
      sizes[cluster]++;
      changed[cluster] = 1;
      upper[row] = this.root(row, best + tie);
      lower[row * bounds + cluster] = Number.POSITIVE_INFINITY;
    }
  }

  private compareSome(from: number, end: number): void {
    const { margin, tie, error, table, upper, sizes, changed } = this;
    const { clusters, reach, lower, bounds, woken, starts, found, pairs, productScale } = table;
    const { squares, path, own, nearest, best, second } = table;
    for (let row = from; row < end; row++) reach[row] = above(upper[row] + path[clusters[row]] + margin);
    const count = table.wake(from, end);
    for (let i = 0; i < count; i++) {
      pairs[2 * i] = woken[i];
      pairs[2 * i + 1] = clusters[woken[i]];
    }
    table.products(count);
    for (let i = 0; i < count; i++) own[i] = squares[clusters[woken[i]]] - 2 * productScale * found[i];
    for (let i = 0; i < count; i++) {
      const row = woken[i];
      const near = this.root(row, own[i] + error);
      upper[row] = near - path[clusters[row]];
      reach[row] = above(near + margin);
    }
    table.pairWoken(count);
    table.products(starts[count]);
    table.compare(count, error);
    for (let i = 0; i < count; i++) {
      const row = woken[i];
      const before = clusters[row];
      const cluster = second[i] - best[i] > tie ? nearest[i] : this.compared(row);
      if (cluster === before) continue;
      clusters[row] = cluster;
      sizes[before]--;
      sizes[cluster]++;
      changed[before] = 1;
      changed[cluster] = 1;
      upper[row] = this.root(row, best[i] + tie) - path[cluster];
      lower[row * bounds + cluster] = Number.POSITIVE_INFINITY;
      lower[row * bounds + before] = below(this.root(row, own[i] - error) + path[before]);
    }
  }

  /** Nearest of all centres by distances summed column by column, where rounding could decide. */
  private compared(row: number): number {
    let best = Number.POSITIVE_INFINITY;
    let nearest = 0;
    for (let cluster = 0; cluster < this.k; cluster++) {
      const distance = this.table.squares[cluster] - 2 * this.table.product(row, cluster);
      if (distance >= best) continue;
      best = distance;
      nearest = cluster;
    }
    return nearest;
  }

  private root(row: number, distance: number): number {
    return Math.sqrt(Math.max(this.table.norms[row] + distance, 0));
  }
}

function squaredNormsOf(data: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += data[i] ** 2;
    norms[row] = sum;
  }
  return norms;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
