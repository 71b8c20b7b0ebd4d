import { BigWig } from "@gmod/bbi";
import { cachedDigest } from "../../base/cached-digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { openFile } from "../../base/read-file.ts";
import { checkBigWig } from "./check-bigwig.ts";
import { asGmodFile } from "./gmod-file.ts";
import type { Interval } from "./interval.ts";

/** A number for every base of a genome, such as how many reads were cut there. */
export interface Signal {
  readonly path: string;
  /** Lengths of the chromosomes that have a value anywhere. */
  readonly chromosomes: ReadonlyMap<string, number>;
  /**
   * Sums over intervals: a base without a value, with NaN for one, or off the chromosome adds nothing. Read in the order of
   * place, neighbours together, so that any number of intervals takes little memory.
   *
   * @returns  one sum per interval, in their order; float32 values are added in float64
   * @throws {FormatError} when the file is damaged
   */
  sums(intervals: readonly Interval[]): Promise<Float64Array>;
  /**
   * The numbers of all bases of intervals, which `sums` adds up: 0 where a base has none, has NaN, or is off the chromosome.
   *
   * @returns  one array per interval, in their order, [end − start]
   * @throws {FormatError} when the file is damaged
   */
  values(intervals: readonly Interval[]): Promise<readonly Float32Array[]>;
  /** SHA-256 of the file. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** Intervals of a chromosome are read together while they lie within so many bases. */
const READ_TOGETHER = 2 ** 18;

/**
 * Opens a bigWig file.
 *
 * @throws {InputError} when it cannot be read
 * @throws {FormatError} when it is no bigWig, or its head is damaged
 * @see Kent et al. 2010, doi:10.1093/bioinformatics/btq351
 */
export async function openBigWig(path: string): Promise<Signal> {
  const file = await openFile(path);
  const trouble = (cause: unknown) =>
    cause instanceof InputError
      ? cause
      : new FormatError(
          { file: path },
          "this is no bigWig file, or it is damaged or cut off",
          undefined,
          cause,
        );
  try {
    await checkBigWig(file);
    const reader = new BigWig({ filehandle: asGmodFile(file) });
    const header = await reader.getHeader();
    if (header.fileType !== "bigwig") throw new FormatError({ file: path }, "this is a bigBed, not a bigWig");
    const chromosomes = new Map(
      Object.values(header.refsByNumber).map(({ name, length }) => [name, length] as const),
    );
    const read = async ({ chrom, start, end }: Interval): Promise<Stretches> => {
      // A base per span: the values themselves, no summary of them.
      const stretches = await reader.getFeaturesAsArrays(chrom, start, end, { scale: 1 });
      if (!isAscending(stretches))
        throw new FormatError({ file: path }, `values of ${chrom} are not in order`);
      return stretches;
    };
    const visit = (intervals: readonly Interval[], each: IntervalVisitor) =>
      visitIntervals(intervals, chromosomes, read, each).catch((error) => Promise.reject(trouble(error)));
    return {
      path,
      chromosomes,
      sums: async (intervals) => {
        const sums = new Float64Array(intervals.length);
        await visit(intervals, (i, stretches, clipped) => {
          sums[i] = sumIn(stretches, clipped);
        });
        return sums;
      },
      values: async (intervals) => {
        const values = intervals.map(({ start, end }) => new Float32Array(end - start));
        await visit(intervals, (i, stretches, clipped) => {
          copyValues(stretches, clipped, values[i], intervals[i].start);
        });
        return values;
      },
      digest: () => cachedDigest(path),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw trouble(error);
  }
}

/** Values over stretches of bases [start, end), ascending, none over another. */
interface Stretches {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly scores: Float32Array;
}

const isAscending = ({ starts, ends }: Stretches) =>
  starts.every((start, i) => start < ends[i] && (i === 0 || start >= ends[i - 1]));

/** What is done with an interval: its index, the stretches around it, and what of it lies on the chromosome. */
type IntervalVisitor = (index: number, stretches: Stretches, clipped: Interval) => void;

async function visitIntervals(
  intervals: readonly Interval[],
  chromosomes: ReadonlyMap<string, number>,
  read: (interval: Interval) => Promise<Stretches>,
  visit: IntervalVisitor,
): Promise<void> {
  // Where each lies on its chromosome; those with no base there are not visited.
  const clipped = intervals.map(({ chrom, start, end }) => ({
    chrom,
    start: Math.max(start, 0),
    end: Math.min(end, chromosomes.get(chrom) ?? 0),
  }));
  const order = [...clipped.keys()].filter((i) => clipped[i].start < clipped[i].end);
  order.sort((a, b) => byPlace(clipped[a], clipped[b]));
  for (let from = 0; from < order.length; ) {
    const first = clipped[order[from]];
    const reach = first.start + READ_TOGETHER;
    let to = from;
    let { end } = first;
    for (; to < order.length; to++) {
      const next = clipped[order[to]];
      if (next.chrom !== first.chrom || next.start >= reach) break;
      end = Math.max(end, next.end);
    }
    const stretches = await read({ chrom: first.chrom, start: first.start, end });
    for (const i of order.slice(from, to)) visit(i, stretches, clipped[i]);
    from = to;
  }
}

const byPlace = (a: Interval, b: Interval) =>
  a.chrom < b.chrom ? -1 : a.chrom > b.chrom ? 1 : a.start - b.start || a.end - b.end;

function sumIn(stretches: Stretches, interval: Interval): number {
  let sum = 0;
  for (const [start, end, score] of stretchesIn(stretches, interval)) sum += score * (end - start);
  return sum;
}

/** Copies the numbers of an interval to where they belong in an array whose first entry is base `origin`. */
function copyValues(stretches: Stretches, interval: Interval, values: Float32Array, origin: number): void {
  for (const [start, end, score] of stretchesIn(stretches, interval)) {
    values.fill(score, start - origin, end - origin);
  }
}

/** What of the stretches lies in an interval and has a number. */
function* stretchesIn(
  { starts, ends, scores }: Stretches,
  { start, end }: Interval,
): Generator<readonly [start: number, end: number, score: number]> {
  for (let i = firstEndingAfter(ends, start); i < starts.length && starts[i] < end; i++) {
    const score = scores[i];
    if (!Number.isNaN(score)) yield [Math.max(starts[i], start), Math.min(ends[i], end), score];
  }
}

/** Index of the first of some ascending ends that is beyond a position. */
function firstEndingAfter(ends: Int32Array, position: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
