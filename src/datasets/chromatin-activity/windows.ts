import { FormatError } from "../../base/errors.ts";
import { type FieldPlace, parseWholeNumber, readTable } from "../../base/table.ts";
import { StringPool } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { type BedOptions, readBed } from "../../dna/genome/bed.ts";
import { type Interval, MAX_POSITION } from "../../dna/genome/interval.ts";

/** Length of the model's input in bases, and the number on either side in which reads are not counted. */
export const ACTIVITY_WINDOW = 2114;
const CROP = 557;

/** Input window of a peak or non-peak. Positions are 0-based, ends exclusive. */
export interface ActivityWindow extends Interval {
  /** 0-based number of the data row in its table. */
  readonly index: number;
}

/** Middle 1,000 bases of a window, in which reads are counted. */
export function countedPart({ chrom, start, end }: Interval): Interval {
  return { chrom, start: start + CROP, end: end - CROP };
}

/** Columns of DART-Eval's tables of peaks and non-peaks. Its loaders rely on their order. */
const COLUMNS = [
  "chr",
  "input_start",
  "input_end",
  "elem_start",
  "elem_end",
  "elem_relative_start",
  "elem_relative_end",
] as const;

/**
 * Reads a table of windows, plain or compressed. `{cell line}_peaks.bed` is such a table, with a header
 * despite its extension.
 *
 * @throws {FormatError} naming the line when a column is missing, a position is not a number, a window is not
 *   2,114 bases long, or the element columns are not its middle 1,000 bases
 */
export async function readActivityWindows(path: string): Promise<ActivityWindow[]> {
  const rows: ActivityWindow[] = [];
  const names = new StringPool();
  for await (const { fields, line } of readTable(path, COLUMNS)) {
    const place = { file: path, line };
    if (fields[0] === "") throw new FormatError(place, "the chromosome's name is empty");
    const positions = COLUMNS.slice(1).map((name, i) =>
      parseWholeNumber(fields[i + 1], name, place, 0, MAX_POSITION),
    );
    checkPositions(positions, place);
    rows.push({
      index: rows.length,
      chrom: names.intern(fields[0]),
      start: positions[0],
      end: positions[1],
    });
  }
  return rows;
}

function checkPositions(positions: readonly number[], place: FieldPlace): void {
  const [start, end] = [positions[0], positions[1]];
  if (end - start !== ACTIVITY_WINDOW) {
    throw new FormatError(
      place,
      `the window has ${end - start} bases; expected ${ACTIVITY_WINDOW}`,
      "dart-eval build chromatin-activity makes these tables",
    );
  }
  const expected = [start, end, start + CROP, end - CROP, CROP, ACTIVITY_WINDOW - CROP];
  const wrong = expected.findIndex((position, i) => position !== positions[i]);
  if (wrong === -1) return;
  throw new FormatError(
    place,
    `${COLUMNS[wrong + 1]} is ${positions[wrong]}; expected ${expected[wrong]}`,
    `reads are counted in the middle ${ACTIVITY_WINDOW - 2 * CROP} bases of a window`,
  );
}

/**
 * Writes a table of windows atomically.
 * @throws {InputError} when it cannot be written
 */
export async function writeActivityWindows(
  path: string,
  windows: AsyncIterable<Interval> | Iterable<Interval>,
): Promise<void> {
  await writeFileAtomic(path, tableText(windows));
}

async function* tableText(windows: AsyncIterable<Interval> | Iterable<Interval>): AsyncGenerator<string> {
  let text = `${COLUMNS.join("\t")}\n`;
  for await (const window of windows) {
    const { chrom, start, end } = window;
    const counted = countedPart(window);
    const relative = [CROP, ACTIVITY_WINDOW - CROP];
    text += `${[chrom, start, end, counted.start, counted.end, ...relative].join("\t")}\n`;
    if (text.length < 2 ** 16) continue;
    yield text;
    text = "";
  }
  yield text;
}

export interface PeakWindowOptions extends Pick<BedOptions, "genome"> {
  /**
   * Called with the line of each window skipped because it starts before the chromosome; positions are
   * unsigned.
   */
  readonly onOutside?: (line: number) => void;
}

/**
 * Windows of 2,114 bases around the summits of a narrowPeak file, in file order: 1,057 bases to either side
 * of start + column 10. Non-peaks have the same format with dots in the other columns, which are not read.
 *
 * @throws {FormatError} as `readBed`, when a line does not have ten columns, or a peak has no summit
 */
export async function* peakWindows(
  path: string,
  { genome, onOutside }: PeakWindowOptions = {},
): AsyncGenerator<Interval> {
  const options = { narrowPeak: true, ...(genome === undefined ? {} : { genome }) };
  for await (const { chrom, start, end, columns, line } of readBed(path, options)) {
    const place = { file: path, line };
    const offset = parseWholeNumber(columns[9], "summit", place, -1, end - start);
    if (offset === -1) {
      throw new FormatError(
        place,
        "the peak has no summit",
        "call summits, or set column 10 to half the peak's length",
      );
    }
    const left = start + offset - ACTIVITY_WINDOW / 2;
    if (left < 0) onOutside?.(line);
    else yield { chrom, start: left, end: left + ACTIVITY_WINDOW };
  }
}
