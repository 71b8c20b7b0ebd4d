import { FormatError, InputError } from "../../base/errors.ts";
import { legacyChoice2, legacyRandint, Mt19937 } from "../../base/mt19937.ts";
import { type BedOptions, readBed } from "../../dna/genome/bed.ts";
import { centredWindow, formatInterval } from "../../dna/genome/interval.ts";
import type { RegulatoryElementRow } from "./table.ts";

export interface BuildOptions {
  /** Window length in bases; default 350, as published. */
  readonly inputSize?: number;
  /** Largest shift of the window from the element's centre in bases; default 0, as published. */
  readonly maxJitter?: number;
  /** Seed of strand flags and jitter; default 0, as published. */
  readonly seed?: number;
  /** Genome that elements must lie in. */
  readonly genome?: NonNullable<BedOptions["genome"]>;
}

/**
 * Builds the rows of Task 1's table from a BED file of regulatory elements (ENCODE's cCREs): a window around
 * the centre of each element, and a random strand. Only the first three columns are read.
 *
 * Windows and strands equal those of DART-Eval's table. One legacy NumPy generator (`RandomState`) is used
 * for the whole file, so a row depends on all rows before it. The published table was not made with the
 * script's defaults, a window of 2,114 and a jitter of 500.
 *
 * @throws {InputError} when a size, jitter or seed is out of range
 * @throws {FormatError} naming the line of the BED file, also when a window would start before its
 *   chromosome, since positions in the table are unsigned
 */
export async function* buildRegulatoryElements(
  bedPath: string,
  { inputSize = 350, maxJitter = 0, seed = 0, genome }: BuildOptions = {},
): AsyncGenerator<RegulatoryElementRow> {
  checkWhole("window size", inputSize, 1, 2 ** 24);
  checkWhole("jitter", maxJitter, 0, 2 ** 24);
  checkWhole("seed", seed, 0, 2 ** 32 - 1);
  const rng = Mt19937.fromSeed(seed);
  let index = 0;
  for await (const row of readBed(bedPath, genome === undefined ? {} : { genome })) {
    const left = centredWindow(row, inputSize + 2 * maxJitter).start;
    const inputStart = maxJitter === 0 ? left : legacyRandint(rng, left, left + 2 * maxJitter);
    const reverseComplement = legacyChoice2(rng);
    if (inputStart < 0) {
      throw new FormatError(
        { file: bedPath, line: row.line },
        `the window of ${inputSize} bases for ${formatInterval(row)} would start at ${inputStart}, before the chromosome`,
        "remove this element, or choose a smaller window",
      );
    }
    yield {
      index: index++,
      chrom: row.chrom,
      inputStart,
      inputEnd: inputStart + inputSize,
      elementStart: row.start,
      elementEnd: row.end,
      relativeStart: row.start - inputStart,
      relativeEnd: row.end - inputStart,
      reverseComplement,
    };
  }
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new InputError(`${name} ${value} is not a whole number from ${min} to ${max}`);
  }
}
