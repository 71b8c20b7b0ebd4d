import type { TrainingDevice } from "../src/net/runtime/device.ts";

/** One measured figure; `run.ts` prints any object of numbers and strings. */
export interface Figure {
  /** Short description. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Required minimum. */
  readonly target?: number;
  /** Input: sizes, lengths, files; and exclusions. */
  readonly data: string;
}

/** Options of `npm run bench`; most benchmarks have none. */
export interface BenchmarkOptions {
  /** Measures what has this text in its name; everything if empty. */
  readonly only: string;
  /** Repetitions, interleaved where programs are compared. */
  readonly rounds: number;
  /** CPU threads of each compared program. */
  readonly threads: number;
  /** A Python with the packages of benchmarks/peers/requirements.txt. */
  readonly python: string | undefined;
  /** Folder that keeps random weights from run to run. */
  readonly weights: string | undefined;
  /** Writes the benchmark's page. */
  readonly write: boolean;
  /** Skips what an interrupted run has stored. */
  readonly resume: boolean;
  /** Device of the compared programs: `cpu`, `webgpu`, `cuda` or `cuda:1`. */
  readonly device: TrainingDevice;
  /** Small models and batches, to try a command. */
  readonly tiny: boolean;
}

/** Export of a benchmark file, run by `run.ts`. */
export type Benchmark = (options: BenchmarkOptions) => Promise<readonly object[]>;

/** Long enough for the clock, short enough to fall between two interruptions by other programs. */
const BATCH_MS = 1;

/**
 * Calls per second of `body`, which receives the number of the call: the best of many short batches, since
 * slower ones measure other load on the machine.
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
