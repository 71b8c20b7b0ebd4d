import { join } from "node:path";
import { sha256Hex } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import { Pcg64 } from "../../../base/pcg64.ts";
import { seedOf } from "../../../base/random.ts";
import { valueAt } from "../../../base/record.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import type { NdArray } from "../../../net/arrays/array.ts";
import { deviceKind, trainingDevice } from "../../../net/runtime/device.ts";
import type { ProgramOptions } from "../../../net/runtime/program.ts";
import type { FitEvent } from "../../../net/train/fit-state.ts";
import { type BpnetSizes, bpnet } from "../bpnet.ts";
import type { StoredBpnet } from "../keras-bpnet.ts";
import { openPredictor } from "../predictor.ts";
import {
  type BaseValues,
  insideGenome,
  type Region,
  type RegionWindow,
  readsInside,
  readWindows,
  trimmed,
} from "../regions.ts";
import { regionExamples, regionExamplesInParts } from "./examples.ts";
import { fitNetwork, rowsPerPart, type TrainedNetwork } from "./fit-network.ts";
import type { ChrombpnetRecipe } from "./recipe.ts";
import {
  type RegionSelection,
  sampleRegions,
  selectForAccessibility,
  selectForBias,
} from "./region-selection.ts";

/** Split of a region: training, or validation for early stopping; undefined regions are not used. */
export type RegionPart = "train" | "validation" | undefined;

/** Inputs and recipe of `trainChrombpnet`. */
export interface ChrombpnetTraining {
  readonly genome: Genome;
  readonly signal: BaseValues;
  readonly peaks: readonly Region[];
  readonly nonpeaks: readonly Region[];
  /** Part of the training in which a region is used. */
  partOf(region: Region): RegionPart;
  readonly recipe: ChrombpnetRecipe;
  /** A trained bias network; if absent, one is trained. */
  readonly bias?: StoredBpnet;
  /** Folder of training states and logs, in `bias` and `accessibility`. */
  readonly folder: string;
  /** Digests of the data files, as JSON-serialisable data. */
  readonly identity: unknown;
  readonly program?: ProgramOptions;
  /** Receives the progress of the training of either network. */
  readonly onProgress?: (network: "bias" | "accessibility", event: FitEvent) => void;
  readonly abort?: AbortSignal;
}

/** Result of `trainChrombpnet`. */
export interface TrainedChrombpnet {
  /** The bias network before its counts are scaled to this signal, as trained or as given. */
  readonly bias: StoredBpnet;
  /**
   * The bias network with its mean log counts shifted to that of the non-peaks, part of the combined model.
   */
  readonly scaledBias: StoredBpnet;
  readonly accessibility: StoredBpnet;
  /** Absent if the bias was given. */
  readonly biasFit: TrainedNetwork | undefined;
  readonly accessibilityFit: TrainedNetwork;
  readonly biasSelection: RegionSelection | undefined;
  readonly accessibilitySelection: RegionSelection;
}

interface FittedBias {
  readonly fit: TrainedNetwork;
  readonly selection: RegionSelection;
}

/** A region for training or validation. */
interface Example extends CountedWindow {
  readonly part: RegionPart;
}

/**
 * Trains a ChromBPNet as published: first a small network on non-peaks with few reads, where the enzyme's
 * sequence preference alone determines the profile; then, with that network frozen and its prediction added,
 * the accessibility network on peaks and some non-peaks. Both training runs depend on the recipe's seed
 * alone, and resume after an interruption.
 *
 * @throws {InputError} when there are too few regions or reads, or as `fitEpochs` does
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221
 */
export async function trainChrombpnet(request: ChrombpnetTraining): Promise<TrainedChrombpnet> {
  const { recipe } = request;
  checkLengths(recipe, request.bias?.sizes ?? recipe.bias);
  const peaks = await readExamples(request, request.peaks, recipe.jitter, "peak");
  const nonpeaks = await readExamples(request, request.nonpeaks, recipe.biasJitter, "non-peak");
  let { bias } = request;
  let fittedBias: FittedBias | undefined;
  if (bias === undefined) {
    fittedBias = await trainBias(request, peaks, nonpeaks);
    bias = fittedBias.fit.network;
  }
  const selection = selectForAccessibility(readsOf(peaks), readsOf(nonpeaks), recipe);
  const kept = {
    peaks: selection.peaks.map((i) => peaks[i]),
    nonpeaks: selection.nonpeaks.map((i) => nonpeaks[i]),
  };
  const scaledBias = await biasScaledTo(kept.nonpeaks, bias, request);
  const fit = await trainAccessibility(request, kept, selection, scaledBias);
  return {
    bias,
    scaledBias,
    accessibility: fit.network,
    biasFit: fittedBias?.fit,
    accessibilityFit: fit,
    biasSelection: fittedBias?.selection,
    accessibilitySelection: selection,
  };
}

function checkLengths({ accessibility }: ChrombpnetRecipe, bias: BpnetSizes): void {
  for (const sizes of [bias, accessibility]) bpnet("network", sizes);
  for (const length of ["inputLength", "outputLength"] as const) {
    const [one, other] = [bias[length], accessibility[length]];
    if (one !== other || one % 2 !== 0) {
      throw new InputError(
        `${length} is ${one} for the bias and ${other} for accessibility; expected the same even number`,
      );
    }
  }
}

async function readExamples(
  { genome, signal, partOf, recipe, abort }: ChrombpnetTraining,
  all: readonly Region[],
  jitter: number,
  what: string,
): Promise<readonly Example[]> {
  const { inputLength, outputLength } = recipe.accessibility;
  const used = all.filter((region) => partOf(region) !== undefined);
  const regions = insideGenome(used, genome, inputLength + 2 * jitter);
  for (const part of ["train", "validation"] as const) {
    if (!regions.some((region) => partOf(region) === part)) {
      throw new InputError(`no ${what} is in the ${part} split`, {
        hint: `${all.length} were given; check their chromosomes and the split`,
      });
    }
  }
  const windows = await readWindows(
    regions,
    { genome, signal },
    { inputLength, outputLength, jitter },
    abort,
  );
  return windows.map((window, i) => ({
    window,
    reads: readsInside(window, outputLength),
    part: partOf(regions[i]),
  }));
}

const readsOf = (examples: readonly Example[]) => examples.map(({ reads }) => reads);
const ofPart = (examples: readonly Example[], part: RegionPart) =>
  examples.filter((example) => example.part === part);

async function trainBias(
  request: ChrombpnetTraining,
  peaks: readonly Example[],
  nonpeaks: readonly Example[],
): Promise<FittedBias> {
  const { recipe } = request;
  const selection = selectForBias(readsOf(peaks), readsOf(nonpeaks), recipe);
  const quiet = selection.nonpeaks.map((i) => nonpeaks[i]);
  for (const part of ["train", "validation"] as const) {
    if (ofPart(quiet, part).length === 0) {
      throw new InputError(`none of ${quiet.length} non-peaks with few reads is in the ${part} split`, {
        hint: "raise biasThreshold or give more non-peaks",
      });
    }
  }
  const fit = await fitNetwork({
    ...shared(request, "bias"),
    sizes: recipe.bias,
    countsWeight: selection.countsWeight,
    training: trainingExamples(
      request,
      recipe.bias,
      windowsOf(recipe, ofPart(quiet, "train"), recipe.biasJitter),
    ),
    validation: regionExamples(windowsOf(recipe, ofPart(quiet, "validation"), 0), recipe.bias),
    order: { kind: "shuffled", seed: recipe.seed },
  });
  return { fit, selection };
}

async function trainAccessibility(
  request: ChrombpnetTraining,
  kept: { readonly peaks: readonly Example[]; readonly nonpeaks: readonly Example[] },
  { countsWeight }: RegionSelection,
  frozenBias: StoredBpnet,
): Promise<TrainedNetwork> {
  const { recipe } = request;
  const { seed, negativesPerPeak } = recipe;
  // At most as many non-peaks as peaks are used.
  const most = sampleRegions(kept.nonpeaks.length, kept.peaks.length, [seed, "non-peaks"]);
  const nonpeaks = most.map((i) => kept.nonpeaks[i]);
  const [peaksTrain, peaksVal] = [ofPart(kept.peaks, "train"), ofPart(kept.peaks, "validation")];
  const [nonpeaksTrain, nonpeaksVal] = [ofPart(nonpeaks, "train"), ofPart(nonpeaks, "validation")];
  const validated = sampleRegions(nonpeaksVal.length, Math.floor(negativesPerPeak * peaksVal.length), [
    seed,
    "validation",
  ]);
  return fitNetwork({
    ...shared(request, "accessibility"),
    identity: [request.identity, arraysDigest(frozenBias.arrays)],
    sizes: recipe.accessibility,
    frozenBias,
    countsWeight,
    training: trainingExamples(request, recipe.accessibility, [
      ...windowsOf(recipe, peaksTrain, recipe.jitter),
      ...windowsOf(recipe, nonpeaksTrain, 0),
    ]),
    validation: regionExamples(
      windowsOf(recipe, [...peaksVal, ...validated.map((i) => nonpeaksVal[i])], 0),
      recipe.accessibility,
    ),
    order: {
      kind: "chosen",
      rows: (epoch) => epochRows(peaksTrain.length, nonpeaksTrain.length, epoch, recipe),
    },
  });
}

/**
 * Rows of an epoch: all peaks and a sample of the non-peaks, whose rows follow the peaks', in a random order.
 */
function epochRows(
  peaks: number,
  nonpeaks: number,
  epoch: number,
  { seed, negativesPerPeak }: ChrombpnetRecipe,
): Int32Array {
  const some = sampleRegions(nonpeaks, Math.floor(negativesPerPeak * peaks), [
    seed,
    "non-peaks of epoch",
    epoch,
  ]);
  const rows = Int32Array.from({ length: peaks + some.length }, (_, i) =>
    i < peaks ? i : peaks + some[i - peaks],
  );
  return new Pcg64(seedOf([seed, "order of epoch", epoch])).permutation(rows.length).map((i) => rows[i]);
}

/** SHA-256 of array names and values. */
function arraysDigest(arrays: ReadonlyMap<string, NdArray>): string {
  const parts = [...arrays].map(([name, { data }]) => {
    const { buffer, byteOffset, byteLength } = data;
    return `${name} ${sha256Hex(new Uint8Array(buffer, byteOffset, byteLength))}`;
  });
  return sha256Hex(parts.sort().join("\n"));
}

function shared(request: ChrombpnetTraining, name: "bias" | "accessibility") {
  const { recipe, folder, identity, program, onProgress, abort } = request;
  return {
    name,
    recipe,
    folder: join(folder, name),
    identity,
    ...(program === undefined ? {} : { program }),
    ...(onProgress === undefined ? {} : { onProgress: (event: FitEvent) => onProgress(name, event) }),
    ...(abort === undefined ? {} : { signal: abort }),
  };
}

function trainingExamples(
  { recipe, program }: ChrombpnetTraining,
  sizes: BpnetSizes,
  windows: readonly RegionWindow[],
) {
  const { seed, batchSize } = recipe;
  const { inputLength, outputLength } = sizes;
  const options = { inputLength, outputLength, augment: { seed, batchSize } };
  return regionExamplesInParts(
    windows,
    options,
    rowsPerPart(sizes, deviceKind(trainingDevice(program?.device ?? "cpu"))),
  );
}

/** Windows with margins for this jitter. */
function windowsOf({ accessibility }: ChrombpnetRecipe, examples: readonly Example[], jitter: number) {
  return examples.map(({ window }) => trimmed(window, accessibility.inputLength + 2 * jitter));
}

/** A region's window and the reads in its centre. */
export interface CountedWindow {
  readonly window: RegionWindow;
  readonly reads: number;
}

/**
 * The bias network with a constant added to its log counts, so that their mean over some regions equals the
 * observed mean: the bias may come from an experiment of another depth.
 *
 * @throws {InputError} when there are no regions
 */
async function biasScaledTo(
  windows: readonly CountedWindow[],
  bias: StoredBpnet,
  { program, abort }: { readonly program?: ProgramOptions; readonly abort?: AbortSignal },
): Promise<StoredBpnet> {
  if (windows.length === 0) throw new InputError("no non-peak is left to scale the bias counts with");
  const { inputLength } = bias.sizes;
  await using predictor = await openPredictor({ bias }, program);
  const codes = windows.map(({ window }) => trimmed(window, inputLength).codes);
  const predicted = await predictor.predict(codes, abort);
  const difference = windows.reduce(
    (sum, { reads }, i) => sum + (Math.log1p(reads) - predicted[i].logCounts) / windows.length,
    0,
  );
  const { data } = valueAt(bias.arrays, "counts.bias");
  const moved = {
    dtype: "float32",
    shape: [1],
    data: Float32Array.of(Number(data[0]) + difference),
  } as const;
  return { sizes: bias.sizes, arrays: new Map([...bias.arrays, ["counts.bias", moved]]) };
}
