import { FormatError, InputError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { formatInterval, type Interval } from "../../dna/genome/interval.ts";
import { CELL_LINES, type CellLine } from "../cell-lines.ts";

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
    const peak = fields[0]!;
    if (seen.has(peak))
      throw new FormatError(place, `the peak ${JSON.stringify(peak.slice(0, 60))} comes twice`);
    seen.add(peak);
    peaks.push(peak);
    counts.forEach((column, i) => {
      column.push(parseWholeNumber(fields[i + 1]!, `count of ${samples![i]}`, place, 0, 2 ** 31 - 1));
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
  const kept = [...first.peaks.keys()].filter((i) => places.every((place) => place.has(first.peaks[i]!)));
  const peaks = kept.map((i) => first.peaks[i]!);
  return {
    samples,
    peaks,
    counts: [
      ...first.counts.map((column) => Int32Array.from(kept, (i) => column[i]!)),
      ...others.flatMap(({ counts }, table) =>
        counts.map((column) => Int32Array.from(peaks, (peak) => column[places[table]!.get(peak)!]!)),
      ),
    ],
  };
}

/** The lines of a table that belong to some peaks, in the table's order. */
export function countsOfPeaks(
  { samples, peaks, counts }: CountTable,
  wanted: ReadonlySet<string>,
): CountTable {
  const kept = [...peaks.keys()].filter((i) => wanted.has(peaks[i]!));
  return {
    samples,
    peaks: kept.map((i) => peaks[i]!),
    counts: counts.map((column) => Int32Array.from(kept, (i) => column[i]!)),
  };
}
