import { InputError } from "../base/errors.ts";
import { KERNELS } from "./k-means-kernels-wasm.ts";
import type { Matrix } from "./matrix.ts";

/** The subset of WebAssembly used here, which TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Functions };
};

/** Exports of the module; addresses and sizes are in bytes. */
interface Functions {
  nearer(block: number, end: number, origin: number, width: number, known: number, out: number): void;
  products(pair: number, end: number, rows: number, centres: number, width: number, out: number): void;
  addRows(row: number, end: number, width: number, target: number): void;
  wake(
    row: number,
    end: number,
    reach: number,
    lower: number,
    moved: number,
    width: number,
    woken: number,
  ): number;
  pair(
    woken: number,
    end: number,
    reach: number,
    lower: number,
    moved: number,
    width: number,
    pair: number,
    count: number,
  ): void;
}

const PAGE = 65_536;
const NUMBER = Float64Array.BYTES_PER_ELEMENT;

/** Rows of a block, whose distances are computed together. */
const BLOCK = 8;

/** Blocks that stay in the CPU cache while they are compared with several rows. */
const BLOCKS_AT_ONCE = 16;

/** Rows whose pairs with all centres fit into one call of `products`. */
export const ROWS_AT_ONCE = 256;

let compiled: object | undefined;

/**
 * A table in WebAssembly memory with the inner loops of k-means: squared distances to a row, products of rows
 * and centres, and sums of the rows of each cluster. SIMD instructions make them several times as fast as
 * JavaScript. Every sum except those of `products` is taken in the order of its terms, so results are
 * bit-identical to plain loops.
 */
export class KMeansKernels {
  readonly rows: number;
  readonly columns: number;
  /** Numbers stored per row and centre: the columns, padded with zeros to a multiple of 4. */
  readonly stride: number;
  /** [rows, stride] */
  readonly data: Float64Array;
  /** Squared distance of each row to the nearest of the rows picked so far. [rows] */
  readonly known: Float64Array;
  /** Results of `nearer`, per candidate. [trials][rows] */
  readonly trials: readonly Float64Array[];
  /** Results of `products`. [pairs] */
  readonly found: Float64Array;
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
  /** Sums of the rows of each cluster. [k, stride] */
  private readonly sums: Float64Array;
  /** The table in blocks of rows, with zeros beyond the last row. [blocks, columns, BLOCK] */
  private readonly blocks: Float64Array;
  /** [trials, stride] */
  private readonly origins: Float64Array;
  /** [k, stride] */
  private readonly centres: Float64Array;
  /** Row and centre of each pair that `products` multiplies. [pairs, 2] */
  readonly pairs: Int32Array;
  /** Address of the sum to which each row is added, or 0. [rows] */
  private readonly targets: Int32Array;
  private readonly functions: Functions;
  private readonly width: number;

  /**
   * @param trials  largest number of candidates in one call of `nearer`
   * @throws {InputError} when the table does not fit into the 4 GiB of WebAssembly memory
   */
  constructor({ data, rows, columns }: Matrix, k: number, trials: number) {
    // The loops run at least once: a table without columns gets one of zeros.
    const width = Math.max(columns, 1);
    const stride = 4 * Math.ceil(width / 4);
    const blocks = Math.ceil(rows / BLOCK);
    const pairs = ROWS_AT_ONCE * k;
    const bounds = 4 * Math.ceil(k / 4);
    this.rows = rows;
    this.columns = columns;
    this.width = width;
    this.stride = stride;
    const { memory, parts } = memoryOf([
      rows * stride,
      blocks * width * BLOCK,
      trials * stride,
      k * stride,
      k * stride,
      pairs,
      pairs,
      rows,
      rows,
      rows,
      rows * bounds,
      bounds,
      rows,
      rows + 1,
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
    this.centres = numbers();
    this.sums = numbers();
    this.found = numbers();
    this.pairs = integers(2 * pairs);
    this.targets = integers(rows);
    this.clusters = integers(rows);
    this.reach = singles(rows);
    this.lower = singles(rows * bounds);
    this.moved = singles(bounds);
    this.woken = integers(rows);
    this.starts = integers(rows + 1);
    this.known = numbers().subarray(0, rows);
    this.trials = parts.slice(part).map((distances) => distances.subarray(0, rows));
    compiled ??= new WebAssembly.Module(Buffer.from(KERNELS, "base64"));
    this.functions = new WebAssembly.Instance(compiled, { "k-means": { memory } }).exports;
    for (let row = 0; row < rows; row++) {
      const block = Math.floor(row / BLOCK) * width * BLOCK + (row % BLOCK);
      for (let i = 0; i < columns; i++) {
        const value = data[row * columns + i];
        this.data[row * stride + i] = value;
        this.blocks[block + i * BLOCK] = value;
      }
    }
  }

  /** Sets each of `trials` to the smaller of `known` and the squared distance to a candidate row. [candidates] */
  nearer(candidates: ArrayLike<number>): void {
    const { blocks, origins, stride, width, known, trials } = this;
    for (let trial = 0; trial < candidates.length; trial++) {
      const row = candidates[trial] * stride;
      origins.set(this.data.subarray(row, row + stride), trial * stride);
    }
    const block = width * BLOCK;
    for (let from = 0; from < blocks.length; from += BLOCKS_AT_ONCE * block) {
      const start = blocks.byteOffset + NUMBER * from;
      const end = blocks.byteOffset + NUMBER * Math.min(from + BLOCKS_AT_ONCE * block, blocks.length);
      const first = (NUMBER * from) / width;
      for (let trial = 0; trial < candidates.length; trial++) {
        const origin = origins.byteOffset + NUMBER * trial * stride;
        const out = trials[trial].byteOffset + first;
        this.functions.nearer(start, end, origin, NUMBER * width, known.byteOffset + first, out);
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

  /** @param centres  [k, columns] */
  setCentres(centres: Float64Array): void {
    const { columns, stride } = this;
    for (let from = 0, to = 0; from < centres.length; from += columns, to += stride) {
      this.centres.set(centres.subarray(from, from + columns), to);
    }
  }

  /**
   * Sets `found` to row · centre for each of the first `count` pairs. Rounds differently from a sum column by
   * column.
   */
  products(count: number): void {
    if (count === 0) return;
    const { pairs, found, data, centres, stride } = this;
    // Two pairs are multiplied at a time; the one beyond `count` is left from an earlier call, or zeros.
    const end = pairs.byteOffset + 8 * 2 * Math.ceil(count / 2);
    this.functions.products(
      pairs.byteOffset,
      end,
      data.byteOffset,
      centres.byteOffset,
      NUMBER * stride,
      found.byteOffset,
    );
  }

  /** row · centre, summed column by column. */
  product(row: number, centre: number): number {
    const { data, centres, stride } = this;
    let sum = 0;
    for (let i = 0; i < stride; i++) sum += data[row * stride + i] * centres[centre * stride + i];
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
   * Recomputes `sums` for clusters that gained or lost rows.
   *
   * @param clusters  cluster of each row. [rows]
   * @param changed   not 0 for a cluster whose sum is recomputed. [k]
   */
  addRows(clusters: Int32Array, changed: Uint8Array): void {
    const { data, sums, stride, targets, rows } = this;
    changed.forEach((yes, cluster) => {
      if (yes) sums.fill(0, cluster * stride, (cluster + 1) * stride);
    });
    for (let row = 0; row < rows; row++) {
      const cluster = clusters[row];
      targets[row] = changed[cluster] ? sums.byteOffset + NUMBER * stride * cluster : 0;
    }
    const end = data.byteOffset + data.byteLength;
    this.functions.addRows(data.byteOffset, end, NUMBER * stride, targets.byteOffset);
  }
}

/** Memory for arrays of these lengths, each aligned to 64 bytes, after 64 unused bytes. */
function memoryOf(lengths: readonly number[]) {
  let bytes = 64;
  const starts = lengths.map((length) => {
    const start = bytes;
    bytes += 64 * Math.ceil((NUMBER * length) / 64);
    return start;
  });
  const pages = Math.ceil(bytes / PAGE);
  if (pages > 65_536) {
    throw new InputError(
      `k-means of this table needs ${Math.round(bytes / 2 ** 30)} GiB; at most 4 GiB fit into WebAssembly memory`,
    );
  }
  const memory = new WebAssembly.Memory({ initial: pages });
  const parts = lengths.map((length, i) => new Float64Array(memory.buffer, starts[i], length));
  return { memory, parts };
}
