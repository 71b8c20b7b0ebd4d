import type { Matrix } from "./matrix.ts";

/**
 * The nearest centre of each row, asked again and again while the centres move: what k-means spends its time on.
 *
 * Answers are those of comparing every row with every centre, of equally near ones the first. Most comparisons are left out:
 * each row keeps a bound on how near every other centre can be, which shrinks by how far that centre has moved, and only
 * centres that may be nearer than its own are looked at. Bounds have a margin far above rounding, so rounding decides nothing
 * that it would not decide otherwise.
 *
 * @see Elkan 2003, "Using the triangle inequality to accelerate k-means", ICML; Hamerly 2010, SDM, for the bound per row
 */
export class NearestCentres {
  private readonly clusters: Int32Array;
  /** At most the distance of each row to its centre plus rounding. [rows] */
  private readonly upper: Float64Array;
  /** No centre but its own is nearer to a row. [rows] */
  private readonly lowest: Float64Array;
  /** No nearer than this is a centre to a row, once `moved` of the centre is subtracted. [rows, k] */
  private readonly lower: Float64Array;
  /** How far each centre has come in all. [k] */
  private readonly moved: Float64Array;
  private readonly squaredNorms: Float64Array;
  private readonly largestNorm: number;
  private readonly squares: Float64Array;
  private margin = 0;
  private before: Float64Array | undefined;

  constructor(
    private readonly data: Matrix,
    private readonly k: number,
  ) {
    const { rows, columns } = data;
    this.clusters = new Int32Array(rows);
    this.upper = new Float64Array(rows);
    this.lowest = new Float64Array(rows);
    this.lower = new Float64Array(rows * k);
    this.moved = new Float64Array(k);
    this.squares = new Float64Array(k);
    this.squaredNorms = squaredNormsOf(data.data, rows, columns);
    this.largestNorm = largest(this.squaredNorms);
  }

  /**
   * @param centres  [k, columns]; not changed afterwards
   * @returns        a new array. [rows]
   */
  of(centres: Float64Array): Int32Array {
    const { k, data } = this;
    this.squares.set(squaredNormsOf(centres, k, data.columns));
    this.margin = Math.max(this.margin, 1e-6 * Math.sqrt(Math.max(largest(this.squares), this.largestNorm)));
    if (this.before === undefined) this.compareAll(centres);
    else this.compareSome(centres, this.before);
    this.before = centres;
    return this.clusters.slice();
  }

  private compareAll(centres: Float64Array): void {
    const { k, clusters, lower } = this;
    const everyCentre = Int32Array.from({ length: k }, (_, cluster) => cluster);
    const distances = new Float64Array(k);
    for (let row = 0; row < this.data.rows; row++) {
      this.distances(row, everyCentre, k, centres, distances);
      let best = Number.POSITIVE_INFINITY;
      for (let cluster = 0; cluster < k; cluster++) {
        const distance = distances[cluster]!;
        lower[row * k + cluster] = this.root(row, distance);
        if (distance >= best) continue;
        best = distance;
        clusters[row] = cluster;
      }
      this.settle(row, best);
    }
  }

  private compareSome(centres: Float64Array, before: Float64Array): void {
    const { k, clusters, upper, lowest, lower, moved, margin } = this;
    const { rows, columns } = this.data;
    const candidates = new Int32Array(k);
    const distances = new Float64Array(k);
    const steps = stepsOf(centres, before, k, columns);
    const longest = largest(steps);
    for (let cluster = 0; cluster < k; cluster++) moved[cluster]! += steps[cluster]!;
    for (let row = 0; row < rows; row++) {
      const own = clusters[row]!;
      upper[row]! += steps[own]!;
      lowest[row]! -= longest;
      if (lowest[row]! > upper[row]! + margin) continue;
      candidates[0] = own;
      let count = 1;
      this.distances(row, candidates, count, centres, distances);
      const near = this.root(row, distances[0]!);
      lower[row * k + own] = near + moved[own]!;
      if (lowest[row]! > near + margin) {
        upper[row] = near;
        continue;
      }
      let best = distances[0]!;
      count = 0;
      for (let cluster = 0; cluster < k; cluster++) {
        if (cluster === own || lower[row * k + cluster]! - moved[cluster]! > near + margin) continue;
        candidates[count++] = cluster;
      }
      this.distances(row, candidates, count, centres, distances);
      for (let i = 0; i < count; i++) {
        const cluster = candidates[i]!;
        const distance = distances[i]!;
        lower[row * k + cluster] = this.root(row, distance) + moved[cluster]!;
        if (distance > best || (distance === best && cluster > clusters[row]!)) continue;
        best = distance;
        clusters[row] = cluster;
      }
      this.settle(row, best);
    }
  }

  /** Sets the bounds per row once its centre is known. */
  private settle(row: number, best: number): void {
    const { k, clusters, lower, moved } = this;
    this.upper[row] = this.root(row, best);
    let lowest = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < k; cluster++) {
      if (cluster === clusters[row]!) continue;
      const bound = lower[row * k + cluster]! - moved[cluster]!;
      if (bound < lowest) lowest = bound;
    }
    this.lowest[row] = lowest;
  }

  /**
   * |c|² − 2 x·c of the first `count` candidates, which leaves out the part of the squared distance that all centres share.
   * Four centres at a time: their sums do not wait for one another, which makes this twice as fast.
   */
  private distances(
    row: number,
    candidates: Int32Array,
    count: number,
    centres: Float64Array,
    into: Float64Array,
  ): void {
    const { data, columns } = this.data;
    const { squares } = this;
    const offset = row * columns;
    for (let from = 0; from < count; from += 4) {
      // Beyond the last centre the last one is repeated, and written once more.
      const atB = Math.min(from + 1, count - 1);
      const atC = Math.min(from + 2, count - 1);
      const atD = Math.min(from + 3, count - 1);
      const a = candidates[from]! * columns;
      const b = candidates[atB]! * columns;
      const c = candidates[atC]! * columns;
      const d = candidates[atD]! * columns;
      let pa = 0;
      let pb = 0;
      let pc = 0;
      let pd = 0;
      for (let i = 0; i < columns; i++) {
        const value = data[offset + i]!;
        pa += value * centres[a + i]!;
        pb += value * centres[b + i]!;
        pc += value * centres[c + i]!;
        pd += value * centres[d + i]!;
      }
      into[from] = squares[candidates[from]!]! - 2 * pa;
      into[atB] = squares[candidates[atB]!]! - 2 * pb;
      into[atC] = squares[candidates[atC]!]! - 2 * pc;
      into[atD] = squares[candidates[atD]!]! - 2 * pd;
    }
  }

  private root(row: number, distance: number): number {
    return Math.sqrt(Math.max(this.squaredNorms[row]! + distance, 0));
  }
}

function squaredNormsOf(data: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += data[i]! ** 2;
    norms[row] = sum;
  }
  return norms;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** How far each centre has come. [k] */
function stepsOf(centres: Float64Array, before: Float64Array, k: number, columns: number): Float64Array {
  const steps = new Float64Array(k);
  for (let i = 0; i < centres.length; i++) steps[Math.floor(i / columns)]! += (centres[i]! - before[i]!) ** 2;
  return steps.map(Math.sqrt);
}
