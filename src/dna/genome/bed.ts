import { FormatError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { type FieldPlace, parseFiniteNumber, parseWholeNumber } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import type { Genome } from "./genome.ts";
import { type Interval, missingChromosomeError } from "./interval.ts";

/** One line of a BED file: its interval, and all columns as text. */
export interface BedRow extends Interval {
  readonly columns: readonly string[];
  /** 1-based line of the file. */
  readonly line: number;
}

export interface BedOptions {
  /** Require the ten columns of narrowPeak; otherwise three or more columns are accepted. */
  readonly narrowPeak?: boolean;
  /** Require intervals within the chromosomes of this genome. */
  readonly genome?: Pick<Genome, "path" | "chromosomes">;
}

/** Number of columns of narrowPeak. Formats with more do not have the summit in the tenth. */
export const NARROW_PEAK_COLUMNS = 10;

/**
 * Rows of a BED file, plain or compressed. Columns are separated by tabs, or by spaces in a line without a
 * tab. Blank lines, comments (`#`), `track` and `browser` lines are skipped. Intervals may be empty, except
 * those of narrowPeak.
 *
 * @throws {FormatError} naming the line when the number of columns does not fit the format, a position is not
 *   an integer, the end is before the start, or the interval is outside the genome
 * @see https://samtools.github.io/hts-specs/BEDv1.pdf
 */
export async function* readBed(path: string, options: BedOptions = {}): AsyncGenerator<BedRow> {
  for await (const { text, number } of textLines(path)) {
    if (!isSkipped(text)) yield bedRow(text, { file: path, line: number }, options);
  }
}

/** A peak of ENCODE's narrowPeak format (BED6+4). */
export interface NarrowPeak extends Interval {
  readonly name: string;
  readonly score: number;
  readonly strand: string;
  /** Mean enrichment in the interval. */
  readonly signalValue: number;
  /** -log10 of the p-value; -1 when there is none. */
  readonly pValue: number;
  /** -log10 of the q-value; -1 when there is none. */
  readonly qValue: number;
  /** Offset of the summit from `start`; -1 when none was called. Some peak callers give `end - start`. */
  readonly summit: number;
  /** 1-based line of the file. */
  readonly line: number;
}

/**
 * Peaks of a narrowPeak file, plain or compressed.
 *
 * @throws {FormatError} as `readBed`, and when a line does not have ten columns, a value is not a number, or
 *   the summit is outside the peak
 * @see https://genome.ucsc.edu/FAQ/FAQformat.html#format12
 */
export async function* readNarrowPeaks(
  path: string,
  options: Omit<BedOptions, "narrowPeak"> = {},
): AsyncGenerator<NarrowPeak> {
  for await (const row of readBed(path, { ...options, narrowPeak: true })) {
    const { chrom, start, end, columns, line } = row;
    const place = { file: path, line };
    yield {
      chrom,
      start,
      end,
      name: columns[3],
      score: parseFiniteNumber(columns[4], "score", place),
      strand: columns[5],
      signalValue: parseFiniteNumber(columns[6], "signal value", place),
      pValue: parseFiniteNumber(columns[7], "p-value", place),
      qValue: parseFiniteNumber(columns[8], "q-value", place),
      summit: parseWholeNumber(columns[9], "summit", place, -1, end - start),
      line,
    };
  }
}

const isSkipped = (text: string) =>
  text === "" || text.startsWith("#") || /^(\s*$|track\b|browser\b)/.test(text);

function bedRow(text: string, place: FieldPlace & { readonly line: number }, options: BedOptions): BedRow {
  const columns = text.includes("\t") ? text.split("\t") : text.trim().split(/\s+/);
  const { narrowPeak = false, genome } = options;
  const least = narrowPeak ? NARROW_PEAK_COLUMNS : 3;
  if (columns.length < least) {
    throw new FormatError(
      place,
      `the line has ${counted(columns.length, "column")}; expected at least ${least}: ${JSON.stringify(text.slice(0, 80))}`,
      "columns are separated by tabs",
    );
  }
  if (narrowPeak && columns.length > NARROW_PEAK_COLUMNS) {
    throw new FormatError(
      place,
      `the line has ${columns.length} columns; narrowPeak has ${NARROW_PEAK_COLUMNS}`,
      "the tenth column of BED12 and gappedPeak is not a summit; if yours is, remove the extra columns",
    );
  }
  const chrom = columns[0];
  if (chrom === "") throw new FormatError(place, "the chromosome's name is empty");
  const start = parseWholeNumber(columns[1], "start", place);
  const end = parseWholeNumber(columns[2], "end", place);
  if (end < start || (narrowPeak && end === start)) {
    throw new FormatError(
      place,
      `end ${end} is ${narrowPeak ? "not after" : "before"} start ${start}`,
      "BED is 0-based and half-open; are columns 2 and 3 swapped?",
    );
  }
  if (genome !== undefined) {
    const length = genome.chromosomes.get(chrom);
    if (length === undefined) throw missingChromosomeError(chrom, genome.chromosomes.keys(), place);
    if (end > length) {
      throw new FormatError(
        place,
        `end ${end} lies beyond the end of ${chrom}, which has ${length} bases in ${genome.path}`,
        "does the file use another genome or assembly?",
      );
    }
  }
  return { chrom, start, end, columns, line: place.line };
}
