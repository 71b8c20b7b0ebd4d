/** One measured figure. Any object of numbers and texts can stand in its place: `run.ts` prints the entries of each. */
export interface Figure {
  /** What was done, in a few words. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** At least this is wanted. */
  readonly target?: number;
  /** On what: sizes, lengths, files; and what the figure leaves out. */
  readonly data: string;
}

/** What a file of this folder exports to be run by `run.ts`. */
export type Benchmark = () => Promise<readonly object[]>;

/** Long enough for the clock, short enough to fall between two interruptions by other programs. */
const BATCH_MS = 1;

/**
 * Calls per second of `body`, which is given the number of the call. The best of many short batches: on a machine that does
 * other work too, what is slower than the best is the others' work.
 *
 * @param seconds  time to spend
 */
export function bestRate(body: (call: number) => void, seconds = 2): number {
  let call = 0;
  const time = (count: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) body(call++);
    return performance.now() - start;
  };
  const end = performance.now() + 1000 * seconds;
  let count = 1;
  // Until a batch is long enough; this also lets the compiler see the work.
  while (time(count) < BATCH_MS) count *= 2;
  let best = 0;
  while (performance.now() < end) best = Math.max(best, (1000 * count) / time(count));
  return best;
}
