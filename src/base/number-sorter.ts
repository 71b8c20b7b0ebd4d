import { NumberLog } from "./number-log.ts";
import type { NumberList, Numbers } from "./typed-numbers.ts";

/** Length of a run, which is sorted in memory. */
const RUN = 2 ** 18;

/** Numbers in memory while runs are merged, of all runs together. */
const MERGED = 2 ** 20;

/**
 * External merge sort of finite numbers: 2 MiB of them in memory, sorted runs in a temporary file
 * (`NumberLog`).
 */
export class NumberSorter {
  readonly #run: Float64Array<ArrayBuffer>;
  readonly #memory: number | undefined;
  readonly #runs: NumberLog;
  #inRun = 0;

  /**
   * @param capacity  expected count of numbers; more may be appended
   * @param run       length of a run
   * @param memory    bytes of a `NumberLog` that stay in memory
   */
  constructor(capacity = RUN, run = RUN, memory?: number) {
    this.#run = new Float64Array(Math.max(Math.min(capacity, run), 1));
    this.#memory = memory;
    this.#runs = new NumberLog(capacity, memory);
  }

  append(numbers: Numbers): void {
    for (let at = 0; at < numbers.length; ) {
      if (this.#inRun === this.#run.length) this.#endRun();
      const part = numbers.subarray(at, at + this.#run.length - this.#inRun);
      this.#run.set(part, this.#inRun);
      this.#inRun += part.length;
      at += part.length;
    }
  }

  /** All numbers in ascending order. Nothing can be appended afterwards. */
  sorted(): NumberList {
    if (this.#runs.length === 0) {
      const all = this.#run.subarray(0, this.#inRun).sort();
      return { length: all.length, at: (i) => all[i] };
    }
    this.#endRun();
    const runs = this.#runs;
    const sorted = new NumberLog(runs.length, this.#memory);
    for (const numbers of mergedRuns(runs, this.#run.length)) sorted.append(numbers);
    runs.close();
    return sorted;
  }

  #endRun() {
    this.#runs.append(this.#run.subarray(0, this.#inRun).sort());
    this.#inRun = 0;
  }
}

/** Position in a run, with the numbers that were read from there. */
interface Cursor {
  /** The next number of the run. */
  head: number;
  /** Index of the head in `numbers`. */
  at: number;
  numbers: Numbers;
  /** Indices in the log: of the next number to read, and of the run's end. */
  next: number;
  readonly end: number;
}

/**
 * Merges runs of `length` numbers; the last run may be shorter.
 * @returns  all numbers in ascending order, in blocks that the next block overwrites
 */
function* mergedRuns(log: NumberLog, length: number): Generator<Float64Array<ArrayBuffer>> {
  const count = Math.ceil(log.length / length);
  const size = Math.max(Math.floor(MERGED / count), 64);
  const refill = (cursor: Cursor) => {
    const until = Math.min(cursor.next + size, cursor.end);
    cursor.numbers = log.read(cursor.next, until, "float64");
    cursor.next = until;
    cursor.at = 0;
    cursor.head = cursor.numbers[0] ?? Number.POSITIVE_INFINITY;
  };
  // A binary heap: the head of each cursor is at most those of the cursors 2i + 1 and 2i + 2.
  const heap = Array.from({ length: count }, (_, run): Cursor => {
    const next = run * length;
    const end = Math.min(next + length, log.length);
    return { head: 0, at: 0, numbers: new Float64Array(0), next, end };
  });
  heap.forEach(refill);
  for (let i = count - 1; i >= 0; i--) siftDown(heap, i);

  const merged = new Float64Array(Math.min(log.length, 2 ** 16));
  let filled = 0;
  for (let done = 0; done < log.length; done++) {
    const least = heap[0];
    merged[filled++] = least.head;
    least.at++;
    if (least.at < least.numbers.length) least.head = least.numbers[least.at];
    else refill(least);
    siftDown(heap, 0);
    if (filled < merged.length) continue;
    yield merged;
    filled = 0;
  }
  yield merged.subarray(0, filled);
}

function siftDown(heap: Cursor[], from: number): void {
  const cursor = heap[from];
  const { head } = cursor;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1].head < heap[child].head) child++;
    if (heap[child].head >= head) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = cursor;
}
