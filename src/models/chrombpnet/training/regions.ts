import { FormatError } from "../../../base/errors.ts";
import { parseWholeNumber } from "../../../base/table.ts";
import { type BedOptions, NARROW_PEAK_COLUMNS, readBed } from "../../../dna/genome/bed.ts";
import type { Region } from "./windows.ts";

/** Column of narrowPeak files that has the summit's distance from the start, 0-based. */
const SUMMIT = 9;

/**
 * Regions of a BED file: around the summit where there are just the ten columns of narrowPeak, as in the original's files of
 * peaks and non-peaks; else around the middle.
 *
 * @throws {FormatError} as `readBed`, and when a summit is none, or there is no region
 */
export async function readRegions(
  path: string,
  genome: NonNullable<BedOptions["genome"]>,
): Promise<readonly Region[]> {
  const regions: Region[] = [];
  for await (const { chrom, start, end, columns, line } of readBed(path, { genome })) {
    const place = { file: path, line };
    const summit =
      columns.length === NARROW_PEAK_COLUMNS
        ? parseWholeNumber(columns[SUMMIT]!, "summit", place, -1, end - start)
        : -1;
    regions.push({ chrom, centre: start + (summit < 0 ? Math.floor((end - start) / 2) : summit) });
  }
  if (regions.length === 0) throw new FormatError({ file: path }, "there is no region in the file");
  return regions;
}
