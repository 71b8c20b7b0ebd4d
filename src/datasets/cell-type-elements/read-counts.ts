import { FormatError, InputError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { readBam, UNMAPPED } from "../../dna/genome/bam.ts";
import { formatInterval, type Interval, missingChromosomeError } from "../../dna/genome/interval.ts";
import { CELL_LINES, type CellLine } from "../cell-lines.ts";

/**
 * Mapped reads of a BAM file that overlap each interval by a base or more: reads and not fragments; duplicates, secondary
 * alignments and any mapping quality count, as in DART-Eval. One pass over the file, in any order, without an index.
 *
 * A read counts where it begins before the interval's end and does not end before its start. So the number is that of reads
 * which begin before the end, less that of reads which end at the start or before.
 *
 * @param signal  reading ends with its reason
 * @returns       one number per interval, in their order
 * @throws {InputError} when an interval lies on a chromosome that the file does not name
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
        const places = of.get(chrom);
        if (places === undefined) of.set(chrom, [i]);
        else places.push(i);
      });
      for (const chrom of of.keys()) {
        if (!references.has(chrom)) throw missingChromosomeError(chrom, references.keys(), { file: bam });
      }
      byReference = [...references.keys()].map((name) => {
        const places = of.get(name);
        return places && new ReferenceCounts(places, intervals);
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

/** Reads on one chromosome, sorted into the gaps between the intervals' starts and between their ends. */
class ReferenceCounts {
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  /** Reads that begin at or behind i of the ends, and before the next. */
  private readonly beginning: Float64Array;
  /** Reads that end behind i of the starts, and not behind the next. */
  private readonly ending: Float64Array;

  constructor(
    private readonly places: readonly number[],
    private readonly intervals: readonly Interval[],
  ) {
    this.starts = Float64Array.from(places, (i) => intervals[i].start).sort();
    this.ends = Float64Array.from(places, (i) => intervals[i].end).sort();
    this.beginning = new Float64Array(places.length + 1);
    this.ending = new Float64Array(places.length + 1);
  }

  add(start: number, end: number): void {
    this.beginning[countBelow(this.ends, start + 1)]++;
    this.ending[countBelow(this.starts, end)]++;
  }

  writeTo(counts: Int32Array): void {
    const begun = runningSums(this.beginning);
    const ended = runningSums(this.ending);
    for (const i of this.places) {
      const { start, end } = this.intervals[i];
      counts[i] = begun[countBelow(this.ends, end)] - ended[countBelow(this.starts, start)];
    }
  }
}

/** How many of ascending numbers are below a value. */
function countBelow(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function runningSums(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

/** Reads per peak in some samples: `merged_counts_matrix.csv`, or one sample of it. */
export interface CountTable {
  readonly samples: readonly string[];
  /** `chrom:start-end`, 0-based, half-open. */
  readonly peaks: readonly string[];
  /** One array per sample: [samples][peaks]. */
  readonly counts: readonly Int32Array[];
}

/** The name of a peak in tables of counts. */
export const peakName = formatInterval;

/** @throws {InputError} when the text is no peak's name */
export function peakInterval(name: string): Interval {
  const [, chrom, start, end] = /^(\S+):(\d{1,10})-(\d{1,10})$/.exec(name) ?? [];
  if (chrom !== undefined && Number(end) > Number(start)) {
    return { chrom, start: Number(start), end: Number(end) };
  }
  throw new InputError(`${JSON.stringify(name.slice(0, 60))} is no peak`, {
    hint: "peaks are written chrom:start-end",
  });
}

/** The cell line that a sample's name begins with: `GM12878_1`. @throws {InputError} when it begins with none */
export function cellLineOfSample(sample: string): CellLine {
  const found = CELL_LINES.find((line) => new RegExp(`^${line}([^A-Za-z0-9]|$)`).test(sample));
  if (found !== undefined) return found;
  throw new InputError(`the sample ${JSON.stringify(sample)} does not begin with a cell line`, {
    hint: `samples are named like GM12878_1; cell lines are ${CELL_LINES.join(", ")}`,
  });
}

/** @throws {InputError} when it cannot be written */
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
 * @throws {FormatError} naming the line when the header does not begin with `peak`, a line has another number of fields, a
 *   count is no whole number, or a peak or a sample comes twice
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
      throw new FormatError(place, `the peak ${JSON.stringify(peak.slice(0, 60))} comes twice`);
    seen.add(peak);
    peaks.push(peak);
    counts.forEach((column, i) => {
      column.push(parseWholeNumber(fields[i + 1], `count of ${samples![i]}`, place, 0, 2 ** 31 - 1));
    });
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
      "a table of counts has the columns peak and one per sample, separated by commas",
    );
  }
  const twice = samples.find((sample, i) => samples.indexOf(sample) !== i);
  if (twice === undefined) return samples;
  throw new FormatError(place, `two columns are named ${JSON.stringify(twice)}`);
}

/**
 * Tables of counts side by side, with the peaks that all of them have, in the order of the first.
 * @throws {InputError} when two tables have a sample of one name, or none is given
 */
export function joinCountTables(tables: readonly CountTable[]): CountTable {
  const [first, ...others] = tables;
  if (first === undefined) throw new InputError("no table of counts was given");
  const samples = tables.flatMap((table) => table.samples);
  const twice = samples.find((sample, i) => samples.indexOf(sample) !== i);
  if (twice !== undefined)
    throw new InputError(`two tables of counts have the sample ${JSON.stringify(twice)}`);
  const places = others.map(({ peaks }) => new Map(peaks.map((peak, i) => [peak, i])));
  const kept = [...first.peaks.keys()].filter((i) => places.every((place) => place.has(first.peaks[i])));
  const peaks = kept.map((i) => first.peaks[i]);
  return {
    samples,
    peaks,
    counts: [
      ...first.counts.map((column) => Int32Array.from(kept, (i) => column[i])),
      ...others.flatMap(({ counts }, table) =>
        counts.map((column) => Int32Array.from(peaks, (peak) => column[places[table].get(peak)!])),
      ),
    ],
  };
}

/** The lines of a table that belong to some peaks, in the table's order. */
export function countsOfPeaks(
  { samples, peaks, counts }: CountTable,
  wanted: ReadonlySet<string>,
): CountTable {
  const kept = [...peaks.keys()].filter((i) => wanted.has(peaks[i]));
  return {
    samples,
    peaks: kept.map((i) => peaks[i]),
    counts: counts.map((column) => Int32Array.from(kept, (i) => column[i])),
  };
}
