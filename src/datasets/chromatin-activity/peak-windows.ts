import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { type BedOptions, readBed } from "../../dna/genome/bed.ts";
import type { Interval } from "../../dna/genome/interval.ts";
import { ACTIVITY_WINDOW } from "./windows.ts";

export interface PeakWindowOptions extends Pick<BedOptions, "genome"> {
  /** Told of a window that begins before its chromosome, which the table's unsigned positions cannot say: it is left out. */
  readonly onOutside?: (line: number) => void;
}

/**
 * Windows of 2,114 bases around the summits of a narrowPeak file, in the file's order: start + column 10, 1,057 bases to
 * either side. Non-peaks come in the same format; their other columns are dots and are not read.
 *
 * @throws {FormatError} as `readBed`, and when a line has not ten columns, or its peak no summit
 */
export async function* peakWindows(
  path: string,
  { genome, onOutside }: PeakWindowOptions = {},
): AsyncGenerator<Interval> {
  const options = { narrowPeak: true, ...(genome === undefined ? {} : { genome }) };
  for await (const { chrom, start, end, columns, line } of readBed(path, options)) {
    const place = { file: path, line };
    const offset = parseWholeNumber(columns[9]!, "summit", place, -1, end - start);
    if (offset === -1) {
      throw new FormatError(
        place,
        "the peak has no summit",
        "call summits, or put half its length into column 10",
      );
    }
    const left = start + offset - ACTIVITY_WINDOW / 2;
    if (left < 0) onOutside?.(line);
    else yield { chrom, start: left, end: left + ACTIVITY_WINDOW };
  }
}
