import { z } from "zod";
import { FormatError, InputError } from "../../../base/errors.ts";
import { Pcg64 } from "../../../base/pcg64.ts";
import { seedOf } from "../../../base/random.ts";
import { textIfPresent } from "../../../base/read-file.ts";
import type { Region } from "../regions.ts";
import type { ChrombpnetRecipe } from "./recipe.ts";

/**
 * Regions for training and validation, as indices into the given lists, and quantities derived from their
 * reads.
 */
export interface RegionSelection {
  readonly peaks: readonly number[];
  readonly nonpeaks: readonly number[];
  /** Regions with at least `mostReads` or at most `fewestReads` reads are left out. */
  readonly mostReads: number;
  readonly fewestReads: number;
  /**
   * Weight of the squared error of the log counts in the loss: the recipe's weight per read × median reads,
   * at least 1.
   */
  readonly countsWeight: number;
}

/**
 * Non-peaks for training the bias: those with few reads, without outliers.
 *
 * @param peakReads     reads in the window of each peak
 * @param nonpeakReads  reads in the window of each non-peak
 * @throws {InputError} when no non-peak is left
 */
export function selectForBias(
  peakReads: ArrayLike<number>,
  nonpeakReads: ArrayLike<number>,
  { biasThreshold, outlierQuantile, countsWeight }: ChrombpnetRecipe,
): RegionSelection {
  const threshold = quantile(peakReads, 0.01) * biasThreshold;
  const quiet = Array.from(nonpeakReads).filter((reads) => reads < threshold);
  if (quiet.length === 0) {
    throw new InputError(`no non-peak has fewer than ${threshold} reads, as training the bias requires`, {
      hint: "raise biasThreshold, or check that peaks and non-peaks belong to this signal",
    });
  }
  const limits = limitsOf(quiet, outlierQuantile);
  const nonpeaks = indicesInside(nonpeakReads, limits);
  const kept = quiet.filter((reads) => isInside(reads, limits));
  return { peaks: [], nonpeaks, ...limits, countsWeight: weightOf(kept, countsWeight) };
}

/**
 * Peaks and non-peaks for training accessibility: all but outliers. The limits are quantiles over the peaks
 * and as many non-peaks as an epoch uses.
 *
 * @throws {InputError} when there are no peaks
 */
export function selectForAccessibility(
  peakReads: ArrayLike<number>,
  nonpeakReads: ArrayLike<number>,
  { outlierQuantile, negativesPerPeak, countsWeight, seed }: ChrombpnetRecipe,
): RegionSelection {
  const some = sampleRegions(nonpeakReads.length, Math.floor(negativesPerPeak * peakReads.length), [
    seed,
    "reads",
  ]);
  const reads = [...Array.from(peakReads), ...some.map((i) => nonpeakReads[i])];
  if (reads.length === 0) throw new InputError("there are no peaks");
  const limits = limitsOf(reads, outlierQuantile);
  const peaks = indicesInside(peakReads, limits);
  const nonpeaks = indicesInside(nonpeakReads, limits);
  const { fewestReads, mostReads } = limits;
  return {
    peaks,
    nonpeaks,
    ...limits,
    countsWeight: weightOf(
      reads.filter((count) => fewestReads <= count && count <= mostReads),
      countsWeight,
    ),
  };
}

/** Samples `wanted` of the indices 0 to `count` − 1, ascending; all if there are no more. */
export function sampleRegions(
  count: number,
  wanted: number,
  seed: readonly (number | string)[],
): readonly number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (wanted >= count) return all;
  return Array.from(new Pcg64(seedOf(seed)).permutation(count).subarray(0, wanted)).sort((a, b) => a - b);
}

type Limits = Pick<RegionSelection, "mostReads" | "fewestReads">;

const limitsOf = (reads: readonly number[], most: number): Limits => ({
  mostReads: quantile(reads, most),
  fewestReads: quantile(reads, 1 - most),
});

const isInside = (reads: number, { mostReads, fewestReads }: Limits) =>
  fewestReads < reads && reads < mostReads;

const indicesInside = (reads: ArrayLike<number>, limits: Limits) =>
  Array.from(reads).flatMap((count, i) => (isInside(count, limits) ? [i] : []));

function weightOf(reads: readonly number[], perRead: number): number {
  const weight = perRead * quantile(reads, 0.5);
  if (weight > 0) return Math.max(weight, 1);
  throw new InputError(
    `half of the ${reads.length} training regions have no reads, so the counts would have weight 0`,
    { hint: "check the peaks, and that the signal has cut counts of sufficient depth" },
  );
}

/** The q-quantile with linear interpolation, NumPy's default; NaN for no values. */
function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Split of a genome: training, validation for early stopping, and test. */
export type FoldPart = "train" | "valid" | "test";

/** Chromosomes (`chr8`) and ranges (`chr22:0-3483672`, 0-based and half-open) of each split. */
export type Fold = Readonly<Record<FoldPart, readonly string[]>>;

const FoldText = z.strictObject({
  train: z.array(z.string()),
  valid: z.array(z.string()),
  test: z.array(z.string()),
});

/**
 * Reads a fold in the original's JSON format.
 *
 * @throws {FormatError} when the file has another form
 * @throws {InputError} when there is no such file
 */
export async function readFold(path: string): Promise<Fold> {
  const text = await textIfPresent(path);
  if (text === undefined) throw new InputError("no such file", { place: { file: path } });
  try {
    return FoldText.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(
      { file: path },
      "this is not a fold: expected an object with the lists train, valid and test",
      'such as {"train": ["chr1", "chr22:0-3000000"], "valid": ["chr8"], "test": ["chr10"]}',
      cause,
    );
  }
}

/**
 * Function from a region to the split of its centre; undefined outside all splits.
 * @throws {InputError} when an entry is not a chromosome or range
 */
export function foldOf(fold: Fold): (region: Region) => FoldPart | undefined {
  const spans = (["train", "valid", "test"] as const).flatMap((part) =>
    fold[part].map((text) => ({ part, ...spanOf(text) })),
  );
  return ({ chrom, centre }) =>
    spans.find((span) => span.chrom === chrom && span.start <= centre && centre < span.end)?.part;
}

function spanOf(text: string) {
  const [, chrom = "", start, end] = /^([^:]+)(?::(\d+)-(\d+))?$/.exec(text) ?? [];
  const span = { chrom, start: Number(start ?? 0), end: Number(end ?? Number.POSITIVE_INFINITY) };
  if (chrom !== "" && span.start < span.end) return span;
  throw new InputError(`${JSON.stringify(text)} in the fold is neither a chromosome nor a range`, {
    hint: "write chr8, or chr22:0-3483672 for bases 0 to 3,483,671, counted from 0",
  });
}
