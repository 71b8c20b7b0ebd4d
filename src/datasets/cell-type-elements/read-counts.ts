import { lowerBound } from "../../base/binary-search.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readBam, UNMAPPED } from "../../dna/genome/bam.ts";
import { formatInterval, type Interval, missingChromosomeError } from "../../dna/genome/interval.ts";
import { CELL_LINES, type CellLine } from "../cell-lines.ts";

/**
 * Counts the mapped reads of a BAM file that overlap each interval by at least one base. As in DART-Eval,
 * reads are counted, not fragments, including duplicates, secondary alignments and all mapping qualities. One
 * pass over the file; it needs neither sorting nor an index.
 *
 * The count of an interval is (reads that start before its end) - (reads that end at or before its start).
 *
 * @param signal  aborts reading
 * @returns       one number per interval, in their order
 * @throws {InputError} when the file does not have an interval's chromosome
 * @throws {FormatError} as `readBam`
 */
export async function countReads(
  bam: string,
  intervals: readonly Interval[],
  signal?: AbortSignal,
): Promise<Int32Array> {
  let byReference: readonly (ReferenceCounts | undefined)[] = [];
  await readBam(
    bam,
    (references) => {
      const of = new Map<string, number[]>();
      intervals.forEach(({ chrom }, i) => {
        const indices = of.get(chrom);
        if (indices === undefined) of.set(chrom, [i]);
        else indices.push(i);
      });
      for (const chrom of of.keys()) {
        if (!references.has(chrom)) throw missingChromosomeError(chrom, references.keys(), { file: bam });
      }
      byReference = [...references.keys()].map((name) => {
        const indices = of.get(name);
        return indices && new ReferenceCounts(indices, intervals);
      });
    },
    ({ reference, start, end, flag }) => {
      if (reference >= 0 && (flag & UNMAPPED) === 0) byReference[reference]?.add(start, end);
    },
    signal,
  );
  const counts = new Int32Array(intervals.length);
  for (const one of byReference) one?.writeTo(counts);
  return counts;
}

/** Read starts and ends on one chromosome, binned between the sorted ends and starts of its intervals. */
class ReferenceCounts {
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  /** [i]: reads that start at or after exactly i of the interval ends. */
  private readonly beginning: Float64Array;
  /** [i]: reads that end after exactly i of the interval starts. */
  private readonly ending: Float64Array;

  /** @param indices  of the chromosome's intervals */
  constructor(
    private readonly indices: readonly number[],
    private readonly intervals: readonly Interval[],
  ) {
    this.starts = Float64Array.from(indices, (i) => intervals[i].start).sort();
    this.ends = Float64Array.from(indices, (i) => intervals[i].end).sort();
    this.beginning = new Float64Array(indices.length + 1);
    this.ending = new Float64Array(indices.length + 1);
  }

  add(start: number, end: number): void {
    this.beginning[lowerBound(this.ends, start + 1)]++;
    this.ending[lowerBound(this.starts, end)]++;
  }

  writeTo(counts: Int32Array): void {
    const begun = runningSums(this.beginning);
    const ended = runningSums(this.ending);
    for (const i of this.indices) {
      const { start, end } = this.intervals[i];
      counts[i] = begun[lowerBound(this.ends, end)] - ended[lowerBound(this.starts, start)];
    }
  }
}

function runningSums(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

/** Reads per peak and sample: `merged_counts_matrix.csv`, or one sample of it. */
export interface CountTable {
  readonly samples: readonly string[];
  /** `chrom:start-end`, 0-based, half-open. */
  readonly peaks: readonly string[];
  /** One array per sample: [samples][peaks]. */
  readonly counts: readonly Int32Array[];
}

/** Name of a peak in count tables: `chrom:start-end`. */
export const peakName = formatInterval;

/** Interval of a peak's name. @throws {InputError} when the text is not a peak's name */
export function peakInterval(name: string): Interval {
  const [, chrom, start, end] = /^(\S+):(\d{1,10})-(\d{1,10})$/.exec(name) ?? [];
  if (chrom !== undefined && Number(end) > Number(start)) {
    return { chrom, start: Number(start), end: Number(end) };
  }
  throw new InputError(`${JSON.stringify(name.slice(0, 60))} is not a peak: expected chrom:start-end`);
}

/**
 * Cell line at the beginning of a sample's name, such as `GM12878_1`.
 * @throws {InputError} when there is none
 */
export function cellLineOfSample(sample: string): CellLine {
  const found = CELL_LINES.find((line) => new RegExp(`^${line}([^A-Za-z0-9]|$)`).test(sample));
  if (found !== undefined) return found;
  throw new InputError(`the sample ${JSON.stringify(sample)} does not begin with a cell line`, {
    hint: `name samples like GM12878_1; cell lines are ${CELL_LINES.join(", ")}`,
  });
}

/** Writes a count table as CSV, atomically. @throws {InputError} when it cannot be written */
export async function writeCountTable(path: string, { samples, peaks, counts }: CountTable): Promise<void> {
  await writeFileAtomic(path, linesOf());
  async function* linesOf() {
    let text = `${["peak", ...samples].join(",")}\n`;
    for (let i = 0; i < peaks.length; i++) {
      text += `${peaks[i]}`;
      for (const column of counts) text += `,${column[i]}`;
      text += "\n";
      if (text.length < 2 ** 16) continue;
      yield text;
      text = "";
    }
    yield text;
  }
}

/**
 * Reads a count table.
 * @throws {FormatError} naming the line when the header does not begin with `peak`, the number of fields
 *   differs from the header's, a count is not a whole number, or a peak or a sample occurs twice
 */
export async function readCountTable(path: string): Promise<CountTable> {
  let samples: readonly string[] | undefined;
  const peaks: string[] = [];
  const seen = new Set<string>();
  const counts: number[][] = [];
  await forEachLine(path, (text, line) => {
    const place = { file: path, line };
    const fields = text.split(",");
    if (samples === undefined) {
      samples = headerOf(fields, place);
      counts.push(...samples.map(() => []));
      return;
    }
    if (text === "") return;
    if (fields.length !== samples.length + 1) {
      throw new FormatError(place, `the line has ${fields.length} fields, the header ${samples.length + 1}`);
    }
    const peak = fields[0];
    if (seen.has(peak))
      throw new FormatError(place, `the peak ${JSON.stringify(peak.slice(0, 60))} occurs twice`);
    seen.add(peak);
    peaks.push(peak);
    for (const [i, column] of counts.entries()) {
      column.push(parseWholeNumber(fields[i + 1], `count of ${samples[i]}`, place, 0, 2 ** 31 - 1));
    }
  });
  if (samples === undefined) throw new FormatError({ file: path }, "the table is empty");
  return { samples, peaks, counts: counts.map((column) => Int32Array.from(column)) };
}

function headerOf(fields: readonly string[], place: { readonly file: string }): readonly string[] {
  const [first, ...samples] = fields;
  if (first !== "peak" || samples.length === 0) {
    throw new FormatError(
      place,
      `the header is ${JSON.stringify(fields.join(",").slice(0, 60))}`,
      "a count table is CSV with the column peak and one column per sample",
    );
  }
  const twice = samples.find((sample, i) => samples.indexOf(sample) !== i);
  if (twice === undefined) return samples;
  throw new FormatError(place, `two columns are named ${JSON.stringify(twice)}`);
}

/**
 * Joins count tables by peak. The result has the peaks common to all tables, in the order of the first.
 * @throws {InputError} when two tables have the same sample, or there is no table
 */
export function joinCountTables(tables: readonly CountTable[]): CountTable {
  const [first, ...others] = tables;
  if (first === undefined) throw new InputError("no count table was given");
  const samples = tables.flatMap((table) => table.samples);
  const twice = samples.find((sample, i) => samples.indexOf(sample) !== i);
  if (twice !== undefined) throw new InputError(`two count tables have the sample ${JSON.stringify(twice)}`);
  const rowsOf = others.map(({ peaks }) => new Map(peaks.map((peak, row) => [peak, row])));
  const common = [...first.peaks.keys()].filter((i) => rowsOf.every((rows) => rows.has(first.peaks[i])));
  const peaks = common.map((i) => first.peaks[i]);
  return {
    samples,
    peaks,
    counts: [
      ...first.counts.map((column) => Int32Array.from(common, (i) => column[i])),
      ...others.flatMap(({ counts }, table) =>
        counts.map((column) => Int32Array.from(peaks, (peak) => column[valueAt(rowsOf[table], peak)])),
      ),
    ],
  };
}

/** Selects the rows of some peaks, in table order. */
export function countsOfPeaks(
  { samples, peaks, counts }: CountTable,
  wanted: ReadonlySet<string>,
): CountTable {
  const rows = [...peaks.keys()].filter((i) => wanted.has(peaks[i]));
  return {
    samples,
    peaks: rows.map((i) => peaks[i]),
    counts: counts.map((column) => Int32Array.from(rows, (i) => column[i])),
  };
}
