import { instantiate, type KernelFunctions, memoryOf, NUMBER_BYTES } from "./k-means-module.ts";
import type { Matrix } from "./matrix.ts";

/** Rows of a block, whose distances are computed together. */
const BLOCK = 8;

/** Blocks that stay in the CPU cache while they are compared with several rows. */
const BLOCKS_AT_ONCE = 16;

/** Rows whose pairs with all centres fit into one call of `products`. */
export const ROWS_AT_ONCE = 256;

/**
 * A table in WebAssembly memory with the inner loops of k-means: squared distances to a row, products of rows
 * and centres, and sums of the rows of each cluster. SIMD instructions make them several times as fast as
 * JavaScript. Every sum except those of `products` is taken in the order of its terms, so results are
 * bit-identical to plain loops.
 */
export class KMeansKernels {
  readonly rows: number;
  readonly columns: number;
  /** Numbers stored per row and sum: the columns, padded with zeros to a multiple of 4. */
  readonly stride: number;
  /** [rows, stride] */
  readonly data: Float64Array;
  /** Squared distance of each row to the nearest of the rows picked so far. [rows] */
  readonly known: Float64Array;
  /** Results of `nearer`, per candidate. [trials][rows] */
  readonly trials: readonly Float64Array[];
  /** Results of `products`, to be multiplied by `productScale`. [pairs] */
  readonly found: Float32Array;
  /**
   * Rounding error of a product is at most this fraction of the product of both norms, or of the largest norm
   * squared.
   */
  readonly productError: number;
  /** Power of two by which `found` is multiplied to give row · centre. */
  productScale = 1;
  /** Cluster of each row. [rows] */
  readonly clusters: Int32Array;
  /** Distance within which a centre is compared with a row. [rows] */
  readonly reach: Float32Array;
  /**
   * Lower bound of the distance of a row to a centre, after subtracting `moved` of the centre; infinite for
   * the row's own centre and beyond the last one. [rows, bounds]
   */
  readonly lower: Float32Array;
  /** Upper bound of the path length of each centre so far. [bounds] */
  readonly moved: Float32Array;
  /** Number of bounds per row: the centres, rounded up to a multiple of 4. */
  readonly bounds: number;
  /** Rows listed by `wake`. [rows] */
  readonly woken: Int32Array;
  /** Number of pairs that `pairWoken` made before each woken row, and in total. [rows + 1] */
  readonly starts: Int32Array;
  /** Squared norm of each row. [rows] */
  readonly norms: Float64Array;
  /** Squared norm of each centre. [k] */
  readonly squares: Float64Array;
  /** Path length of each centre so far. [k] */
  readonly path: Float64Array;
  /** |c|² − 2 x·c of each woken row and its own centre. [ROWS_AT_ONCE] */
  readonly own: Float64Array;
  /**
   * Nearest centre of each woken row, its |c|² − 2 x·c, and that of the second nearest: results of `compare`.
   * [ROWS_AT_ONCE]
   */
  readonly nearest: Int32Array;
  readonly best: Float64Array;
  readonly second: Float64Array;
  /** Sums of the rows of each cluster. [k, stride] */
  private readonly sums: Float64Array;
  /** The table in blocks of rows, with zeros beyond the last row. [blocks, columns, BLOCK] */
  private readonly blocks: Float64Array;
  /** [trials, stride] */
  private readonly origins: Float64Array;
  /** [k, columns] */
  private centres: Float64Array = new Float64Array(0);
  /** Numbers stored per row and centre in float32: the columns, padded with zeros to a multiple of 8. */
  private readonly shortStride: number;
  /**
   * The table in float32, times a power of two that brings the largest number close to 1. [rows, shortStride]
   */
  private readonly shortData: Float32Array;
  private readonly dataScale: number;
  /** The centres in float32, times a power of two of their own. [k, shortStride] */
  private readonly shortCentres: Float32Array;
  /** Row and centre of each pair that `products` multiplies. [pairs, 2] */
  readonly pairs: Int32Array;
  /** Address of the sum of each cluster, or 0. [k] */
  private readonly targets: Int32Array;
  private readonly functions: KernelFunctions;
  private readonly width: number;

  /**
   * @param trials  largest number of candidates in one call of `nearer`
   * @throws {InputError} when the table does not fit into the 4 GiB of WebAssembly memory
   */
  constructor({ data, rows, columns }: Matrix, k: number, trials: number) {
    // The loops run at least once: a table without columns gets one of zeros.
    const width = Math.max(columns, 1);
    const stride = 4 * Math.ceil(width / 4);
    const shortStride = 8 * Math.ceil(width / 8);
    const blocks = Math.ceil(rows / BLOCK);
    const pairs = ROWS_AT_ONCE * k;
    const bounds = 4 * Math.ceil(k / 4);
    this.rows = rows;
    this.columns = columns;
    this.width = width;
    this.stride = stride;
    this.shortStride = shortStride;
    // Roundings of both factors, of their product, of one sum in eight and of the eight sums; twice as much
    // as they add up to.
    this.productError = (shortStride / 8 + 8) * 2 ** -23;
    const { memory, parts } = memoryOf([
      rows * stride,
      blocks * width * BLOCK,
      trials * stride,
      k * stride,
      (rows * shortStride) / 2,
      (k * shortStride) / 2,
      pairs,
      pairs,
      k,
      rows,
      rows,
      rows * bounds,
      bounds,
      rows,
      rows + 1,
      rows,
      k,
      k,
      ROWS_AT_ONCE,
      ROWS_AT_ONCE,
      ROWS_AT_ONCE,
      ROWS_AT_ONCE,
      ...Array.from({ length: 1 + trials }, () => blocks * BLOCK),
    ]);
    let part = 0;
    const numbers = () => parts[part++];
    const integers = (length: number) => new Int32Array(memory.buffer, numbers().byteOffset, length);
    const singles = (length: number) => new Float32Array(memory.buffer, numbers().byteOffset, length);
    this.bounds = bounds;
    this.data = numbers();
    this.blocks = numbers();
    this.origins = numbers();
    this.sums = numbers();
    this.shortData = singles(rows * shortStride);
    this.shortCentres = singles(k * shortStride);
    this.found = singles(pairs);
    this.pairs = integers(2 * pairs);
    this.targets = integers(k);
    this.clusters = integers(rows);
    this.reach = singles(rows);
    this.lower = singles(rows * bounds);
    this.moved = singles(bounds);
    this.woken = integers(rows);
    this.starts = integers(rows + 1);
    this.norms = numbers();
    this.squares = numbers();
    this.path = numbers();
    this.own = numbers();
    this.nearest = integers(ROWS_AT_ONCE);
    this.best = numbers();
    this.second = numbers();
    this.known = numbers().subarray(0, rows);
    this.trials = parts.slice(part).map((distances) => distances.subarray(0, rows));
    this.functions = instantiate(memory);
    this.dataScale = scaleOf(data);
    for (let row = 0; row < rows; row++) {
      const block = Math.floor(row / BLOCK) * width * BLOCK + (row % BLOCK);
      for (let i = 0; i < columns; i++) {
        const value = data[row * columns + i];
        this.data[row * stride + i] = value;
        this.blocks[block + i * BLOCK] = value;
        this.shortData[row * shortStride + i] = value * this.dataScale;
      }
    }
  }

  /**
   * Sets each of `trials` to the smaller of `known` and the squared distance to a candidate row. [candidates]
   */
  nearer(candidates: ArrayLike<number>): void {
    const { blocks, origins, stride, width, known, trials } = this;
    for (let trial = 0; trial < candidates.length; trial++) {
      const row = candidates[trial] * stride;
      origins.set(this.data.subarray(row, row + stride), trial * stride);
    }
    const block = width * BLOCK;
    for (let from = 0; from < blocks.length; from += BLOCKS_AT_ONCE * block) {
      const start = blocks.byteOffset + NUMBER_BYTES * from;
      const end = blocks.byteOffset + NUMBER_BYTES * Math.min(from + BLOCKS_AT_ONCE * block, blocks.length);
      const first = (NUMBER_BYTES * from) / width;
      for (let trial = 0; trial < candidates.length; trial++) {
        const origin = origins.byteOffset + NUMBER_BYTES * trial * stride;
        const out = trials[trial].byteOffset + first;
        this.functions.nearer(start, end, origin, NUMBER_BYTES * width, known.byteOffset + first, out);
      }
    }
  }

  /** Values of a row; read-only. [columns] */
  row(row: number): Float64Array {
    return this.data.subarray(row * this.stride, row * this.stride + this.columns);
  }

  /** Sum of the rows of a cluster, until the next `addRows`. [columns] */
  sum(cluster: number): Float64Array {
    return this.sums.subarray(cluster * this.stride, cluster * this.stride + this.columns);
  }

  /** @param centres  not changed while they are used: [k, columns] */
  setCentres(centres: Float64Array): void {
    const { columns, shortStride, shortCentres, dataScale } = this;
    this.centres = centres;
    const scale = scaleOf(centres);
    this.productScale = 1 / (scale * dataScale);
    for (let from = 0, to = 0; from < centres.length; from += columns, to += shortStride) {
      for (let i = 0; i < columns; i++) shortCentres[to + i] = centres[from + i] * scale;
    }
  }

  /** Sets `found` to row · centre in float32, over `productScale`, for each of the first `count` pairs. */
  products(count: number): void {
    if (count === 0) return;
    const { pairs, found, shortData, shortCentres, shortStride } = this;
    // Two pairs are multiplied at a time; the one beyond `count` is left from an earlier call, or zeros.
    const end = pairs.byteOffset + 8 * 2 * Math.ceil(count / 2);
    this.functions.products(
      pairs.byteOffset,
      end,
      shortData.byteOffset,
      shortCentres.byteOffset,
      4 * shortStride,
      found.byteOffset,
    );
  }

  /** row · centre, summed column by column. */
  product(row: number, centre: number): number {
    const { data, centres, stride, columns } = this;
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += data[row * stride + i] * centres[centre * columns + i];
    return sum;
  }

  /**
   * Lists in `woken` the rows from `from` to `end` that may have a centre other than their own within
   * `reach`.
   *
   * @returns  their number
   */
  wake(from: number, end: number): number {
    const { reach, lower, moved, bounds, woken } = this;
    return this.functions.wake(
      from,
      end,
      reach.byteOffset + 4 * from,
      lower.byteOffset + 4 * bounds * from,
      moved.byteOffset,
      4 * bounds,
      woken.byteOffset,
    );
  }

  /**
   * Sets `pairs` to the first `count` woken rows, each with the centres other than its own that may be within
   * `reach`.
   */
  pairWoken(count: number): void {
    if (count === 0) return;
    const { reach, lower, moved, bounds, woken, pairs, starts } = this;
    this.functions.pair(
      woken.byteOffset,
      woken.byteOffset + 4 * count,
      reach.byteOffset,
      lower.byteOffset,
      moved.byteOffset,
      4 * bounds,
      pairs.byteOffset,
      starts.byteOffset,
    );
  }

  /**
   * Sets `nearest`, `best` and `second` of the first `count` woken rows from `own` and from the products of
   * their pairs, and the lower bounds of the centres they are paired with.
   *
   * @param error  upper bound of the rounding error of |c|² − 2 x·c
   */
  compare(count: number, error: number): void {
    if (count === 0) return;
    const { woken, starts, pairs, found, productScale, norms, squares, path, clusters, own } = this;
    const { lower, bounds, nearest, best, second } = this;
    this.functions.compare(
      woken.byteOffset,
      woken.byteOffset + 4 * count,
      starts.byteOffset,
      pairs.byteOffset,
      found.byteOffset,
      2 * productScale,
      error,
      norms.byteOffset,
      squares.byteOffset,
      path.byteOffset,
      clusters.byteOffset,
      own.byteOffset,
      lower.byteOffset,
      4 * bounds,
      nearest.byteOffset,
      best.byteOffset,
      second.byteOffset,
    );
  }

  /**
   * Computes the sums of clusters that gained or lost rows anew.
   *
   * @param changed  1 for a cluster whose sum is computed: [k]
   */
  addRows(changed: Uint8Array): void {
    const { clusters, data, sums, stride, targets } = this;
    changed.forEach((yes, cluster) => {
      targets[cluster] = yes === 0 ? 0 : sums.byteOffset + NUMBER_BYTES * stride * cluster;
      if (yes !== 0) sums.fill(0, cluster * stride, (cluster + 1) * stride);
    });
    const end = data.byteOffset + data.byteLength;
    this.functions.addRows(
      data.byteOffset,
      end,
      NUMBER_BYTES * stride,
      clusters.byteOffset,
      targets.byteOffset,
    );
  }
}

/** Power of two that brings the largest of the numbers between 0.5 and 1; 1 where all are 0. */
function scaleOf(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most === 0 ? 1 : 2 ** -Math.min(Math.max(Math.ceil(Math.log2(most)), -500), 500);
}
