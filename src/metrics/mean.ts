import { type BlockSizes, type BlockStatistic, type Blocks, blockSums } from "./blocks.ts";
import { studentTQuantile } from "./distributions.ts";
import { requireFinite, requireLevel, requireSameLength } from "./input-checks.ts";
import type { Estimate } from "./intervals.ts";

/**
 * Mean with the t interval of independent rows: mean ± t·s/√n.
 *
 * @returns  bounds NaN for fewer than two values, value NaN for none; method "t"
 * @throws {InputError} when a value is not finite or the level outside (0, 1)
 */
export function meanEstimate(values: ArrayLike<number>, level = 0.95): Estimate {
  requireFinite(values, "value");
  requireLevel(level);
  const n = values.length;
  const value = mean(values);
  const squares = Float64Array.from(values, (x) => (x - value) ** 2);
  const half = studentTQuantile((1 - level) / 2, n - 1) * Math.sqrt(sum(squares) / (n - 1) / n);
  return { value, low: value - half, high: value + half, n, method: "t" };
}

/**
 * Mean of rows in blocks, as a function of how often each block is counted. Accuracy, paired accuracy and any
 * other proportion are means of 0s and 1s.
 *
 * @returns  NaN when no row is counted
 * @throws {InputError} when the number of values is not the number of rows in blocks, or a value is not
 *                      finite
 */
export function meanOver(values: ArrayLike<number>, blocks: Blocks): BlockStatistic {
  requireSameLength(values, blocks.of, ["values", "rows in blocks"]);
  requireFinite(values, "value");
  return meanOfSums(blockSums(values, blocks), blocks);
}

/** `meanOver` of rows whose sums by block are known. @param sums  [blocks] */
export function meanOfSums(sums: ArrayLike<number>, { sizes }: BlockSizes): BlockStatistic {
  return (times) => {
    let total = 0;
    let rows = 0;
    for (let block = 0; block < times.length; block++) {
      total += times[block] * sums[block];
      rows += times[block] * sizes[block];
    }
    return total / rows;
  };
}

/** Up to this many numbers are added in eight running sums; longer arrays are halved first. */
const BLOCK = 128;

/**
 * Sum by pairwise summation, in the order in which NumPy adds a contiguous float64 array: equal to the last
 * bit, so that means and everything computed from them round as the reference's. The error grows with log n
 * instead of n.
 *
 * @returns  0 without numbers
 */
export function sum(values: ArrayLike<number>): number {
  return sumOf(values, 0, values.length);
}

/** Arithmetic mean as `numpy.mean` rounds it; NaN without numbers. */
export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

/** `sum` of numbers that arrive one after another, of which 128 are in memory. */
export class RunningSum {
  readonly #leaf = new Float64Array(BLOCK);
  readonly #sums: Generator<number, number, number>;
  #next: IteratorResult<number, number>;
  #filled = 0;

  /** @param count  count of all numbers */
  constructor(count: number) {
    this.#sums = pairwise(count);
    this.#next = this.#sums.next();
  }

  /** @param values  the next numbers, not more than the count */
  add(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) {
      this.#leaf[this.#filled++] = values[i];
      if (this.#filled === this.#next.value) this.#endLeaf();
    }
  }

  /** The sum of all numbers; 0 without numbers. */
  done(): number {
    // Without numbers, the only leaf is empty.
    if (this.#next.done !== true) this.#endLeaf();
    return this.#next.value;
  }

  #endLeaf() {
    this.#next = this.#sums.next(leafSum(this.#leaf, 0, this.#filled));
    this.#filled = 0;
  }
}

/** Left part of numbers that are halved. */
function leftOf(count: number): number {
  const half = Math.floor(count / 2);
  return half - (half % 8);
}

function sumOf(values: ArrayLike<number>, start: number, count: number): number {
  if (count <= BLOCK) return leafSum(values, start, count);
  const left = leftOf(count);
  return sumOf(values, start, left) + sumOf(values, start + left, count - left);
}

/** The same order of additions. Yields the size of each leaf in turn, and receives the leaf's sum. */
function* pairwise(count: number): Generator<number, number, number> {
  if (count <= BLOCK) return yield count;
  const left = leftOf(count);
  return (yield* pairwise(left)) + (yield* pairwise(count - left));
}

function leafSum(values: ArrayLike<number>, start: number, count: number): number {
  let total = 0;
  let i = 0;
  if (count >= 8) {
    const sums = Float64Array.from({ length: 8 }, (_, k) => values[start + k]);
    for (i = 8; i + 8 <= count; i += 8) for (let k = 0; k < 8; k++) sums[k] += values[start + i + k];
    total = sums[0] + sums[1] + (sums[2] + sums[3]) + (sums[4] + sums[5] + (sums[6] + sums[7]));
  }
  for (; i < count; i++) total += values[start + i];
  return total;
}

const { fround } = Math;

/** Threads of a warp, and entries that each thread loads at once. */
const THREADS = 32;
const PER_LOAD = 4;
const RUNNING_SUMS = THREADS * PER_LOAD;

/**
 * Sum in float32 with the shape of a GPU's reduction of one row (`torch.sum` on CUDA): 128 running sums, four
 * per thread, then threads in pairs, pairs of pairs and so on. All partial sums are float32, so the result is
 * a multiple of the spacing of float32 numbers of its size: 3e-5 at 350, 2.4e-4 at 3,000.
 *
 * @returns  0 without numbers
 */
export function float32Sum(values: ArrayLike<number>): number {
  const lanes = new Float32Array(RUNNING_SUMS);
  for (let i = 0; i < values.length; i++) lanes[i % RUNNING_SUMS] += fround(values[i]);
  const sums = new Float32Array(THREADS);
  for (let lane = 0; lane < RUNNING_SUMS; lane++) sums[Math.floor(lane / PER_LOAD)] += lanes[lane];
  for (let count = THREADS / 2; count >= 1; count /= 2) {
    for (let i = 0; i < count; i++) sums[i] = sums[2 * i] + sums[2 * i + 1];
  }
  return sums[0];
}
