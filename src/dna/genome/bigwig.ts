import { lowerBound } from "../../base/binary-search.ts";
import { cachedDigest } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { openFile } from "../../base/read-file.ts";
import { checkBigWig } from "./check-bigwig.ts";
import { asGmodFile } from "./gmod-file.ts";
import type { Interval } from "./interval.ts";

/** A signal track: one number per base of a genome, such as the count of cut sites. */
export interface Signal {
  readonly path: string;
  /** Lengths in bases of the chromosomes with values. */
  readonly chromosomes: ReadonlyMap<string, number>;
  /**
   * Sum over each interval. Bases without a value, with NaN, or off the chromosome add 0. Intervals are read
   * in genome order in groups, so memory does not grow with their number.
   *
   * @returns  one sum per interval, in input order; float32 values are summed in float64
   * @throws {FormatError} when the file is damaged
   */
  sums(intervals: readonly Interval[]): Promise<Float64Array>;
  /**
   * Values of each interval per base; 0 for bases without a value, with NaN, or off the chromosome.
   *
   * @returns  one array per interval, in input order, [end − start]
   * @throws {FormatError} when the file is damaged
   */
  values(intervals: readonly Interval[]): Promise<readonly Float32Array[]>;
  /** SHA-256 of the file. */
  digest(): Promise<string>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** Maximum span in bases of intervals that are read together. */
const READ_SPAN = 2 ** 18;

/**
 * Opens a bigWig file.
 *
 * @throws {InputError} when it cannot be read
 * @throws {FormatError} when it is not a bigWig file, or its header is damaged
 * @see Kent et al. 2010, doi:10.1093/bioinformatics/btq351
 */
export async function openBigWig(path: string): Promise<Signal> {
  const file = await openFile(path);
  const readError = (cause: unknown) =>
    cause instanceof InputError
      ? cause
      : new FormatError(
          { file: path },
          "this is not a bigWig file, or it is damaged or truncated",
          undefined,
          cause,
        );
  try {
    await checkBigWig(file);
    const { BigWig } = await import("@gmod/bbi");
    const reader = new BigWig({ filehandle: asGmodFile(file) });
    const header = await reader.getHeader();
    if (header.fileType !== "bigwig")
      throw new FormatError({ file: path }, "this is a bigBed file; expected bigWig");
    const chromosomes = new Map(
      Object.values(header.refsByNumber).map(({ name, length }) => [name, length] as const),
    );
    const read = async ({ chrom, start, end }: Interval): Promise<ValueRuns> => {
      // Scale 1 selects the values themselves instead of a zoom level.
      const runs = await reader.getFeaturesAsArrays(chrom, start, end, { scale: 1 });
      if (!isAscending(runs))
        throw new FormatError({ file: path }, `the values of ${chrom} are not in order`);
      return runs;
    };
    const visit = (intervals: readonly Interval[], each: IntervalVisitor) =>
      visitIntervals(intervals, chromosomes, read, each).catch((error) => Promise.reject(readError(error)));
    return {
      path,
      chromosomes,
      sums: async (intervals) => {
        const sums = new Float64Array(intervals.length);
        await visit(intervals, (i, runs, clipped) => {
          sums[i] = sumIn(runs, clipped);
        });
        return sums;
      },
      values: async (intervals) => {
        const values = intervals.map(({ start, end }) => new Float32Array(end - start));
        await visit(intervals, (i, runs, clipped) => {
          copyValues(runs, clipped, values[i], intervals[i].start);
        });
        return values;
      },
      digest: () => cachedDigest(path),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw readError(error);
  }
}

/** Runs of equal values over bases [start, end), ascending and disjoint. */
interface ValueRuns {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly scores: Float32Array;
}

const isAscending = ({ starts, ends }: ValueRuns) =>
  starts.every((start, i) => start < ends[i] && (i === 0 || start >= ends[i - 1]));

/** Callback with the index of an interval, the runs around it, and its part on the chromosome. */
type IntervalVisitor = (index: number, runs: ValueRuns, clipped: Interval) => void;

async function visitIntervals(
  intervals: readonly Interval[],
  chromosomes: ReadonlyMap<string, number>,
  read: (interval: Interval) => Promise<ValueRuns>,
  visit: IntervalVisitor,
): Promise<void> {
  // Parts of the intervals on their chromosomes; empty ones are not visited.
  const clipped = intervals.map(({ chrom, start, end }) => ({
    chrom,
    start: Math.max(start, 0),
    end: Math.min(end, chromosomes.get(chrom) ?? 0),
  }));
  const order = [...clipped.keys()].filter((i) => clipped[i].start < clipped[i].end);
  order.sort((a, b) => byPosition(clipped[a], clipped[b]));
  for (let from = 0; from < order.length; ) {
    const first = clipped[order[from]];
    const reach = first.start + READ_SPAN;
    let to = from;
    let { end } = first;
    for (; to < order.length; to++) {
      const next = clipped[order[to]];
      if (next.chrom !== first.chrom || next.start >= reach) break;
      end = Math.max(end, next.end);
    }
    const runs = await read({ chrom: first.chrom, start: first.start, end });
    for (const i of order.slice(from, to)) visit(i, runs, clipped[i]);
    from = to;
  }
}

const byPosition = (a: Interval, b: Interval) =>
  a.chrom < b.chrom ? -1 : a.chrom > b.chrom ? 1 : a.start - b.start || a.end - b.end;

function sumIn(runs: ValueRuns, interval: Interval): number {
  let sum = 0;
  for (const [start, end, score] of runsIn(runs, interval)) sum += score * (end - start);
  return sum;
}

/** Copies the values of an interval to an array whose first entry is base `origin`. */
function copyValues(runs: ValueRuns, interval: Interval, values: Float32Array, origin: number): void {
  for (const [start, end, score] of runsIn(runs, interval)) {
    values.fill(score, start - origin, end - origin);
  }
}

/** Runs within an interval, clipped to it, without NaN. */
function* runsIn(
  { starts, ends, scores }: ValueRuns,
  { start, end }: Interval,
): Generator<readonly [start: number, end: number, score: number]> {
  for (let i = lowerBound(ends, start + 1); i < starts.length && starts[i] < end; i++) {
    const score = scores[i];
    if (!Number.isNaN(score)) yield [Math.max(starts[i], start), Math.min(ends[i], end), score];
  }
}
