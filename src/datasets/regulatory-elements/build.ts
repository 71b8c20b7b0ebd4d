import { FormatError, InputError } from "../../base/errors.ts";
import { legacyChoice2, legacyRandint, Mt19937 } from "../../base/mt19937.ts";
import { type BedOptions, readBed } from "../../dna/genome/bed.ts";
import { centredWindow, formatInterval } from "../../dna/genome/interval.ts";
import type { RegulatoryElementRow } from "./table.ts";

export interface BuildOptions {
  /** Bases of each window; 350, as published, when left out. */
  readonly inputSize?: number;
  /** How many bases a window's middle may lie to either side of the element's; 0, as published, when left out. */
  readonly maxJitter?: number;
  /** Of the flags and the jitter; 0, as published, when left out. */
  readonly seed?: number;
  /** Refuse elements that do not lie in this genome. */
  readonly genome?: NonNullable<BedOptions["genome"]>;
}

/**
 * Rows of the prepared table from a BED file of regulatory elements (ENCODE's cCREs): for each element, in its order, a
 * window around its middle, and a coin for the strand. Only the first three columns are read.
 *
 * Windows and flags are those of DART-Eval's own table: one generator of NumPy's older kind runs through the whole file,
 * so rows depend on all rows before them. Its script's defaults, a window of 2,114 with a jitter of 500, are not what was
 * published.
 *
 * @throws {InputError} when a size, jitter or seed cannot be
 * @throws {FormatError} naming the line of the BED file, also where a window would begin before its chromosome does: the
 *   table cannot say that
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
        `the window of ${inputSize} bases for ${formatInterval(row)} would begin at ${inputStart}, before the chromosome`,
        "leave this element out, or choose a smaller window",
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
