import { z } from "zod";
import { FormatError, InputError } from "../../../base/errors.ts";
import { textIfPresent } from "../../../base/read-file.ts";
import { ACCESSIBILITY_SIZES, BIAS_SIZES, type BpnetSizes } from "../bpnet.ts";

/** Recipe of a ChromBPNet: everything that determines the result apart from the data. */
export interface ChrombpnetRecipe {
  readonly bias: BpnetSizes;
  readonly accessibility: BpnetSizes;
  /**
   * Non-peaks with fewer reads than this fraction of the 1 % quantile of the peaks' reads train the bias;
   * published as 0.5 for ATAC-seq and 0.8 for DNase-seq.
   */
  readonly biasThreshold: number;
  /** Regions with reads at or above this quantile, or at or below its complement, are left out. */
  readonly outlierQuantile: number;
  /** Non-peaks per peak, in training and in validation. */
  readonly negativesPerPeak: number;
  /** Largest random shift of a training peak's window in bases, to either side; non-peaks are not shifted. */
  readonly jitter: number;
  /** Largest random shift of the non-peaks that train the bias. */
  readonly biasJitter: number;
  /**
   * Weight of the squared error of the log counts in the loss, per median read of the regions; the product is
   * at least 1.
   */
  readonly countsWeight: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Epochs without a smaller validation loss before training stops. */
  readonly patience: number;
  readonly seed: number;
}

/** The defaults of kundajelab/chrombpnet. */
export const PUBLISHED_RECIPE: ChrombpnetRecipe = {
  bias: BIAS_SIZES,
  accessibility: ACCESSIBILITY_SIZES,
  biasThreshold: 0.5,
  outlierQuantile: 0.9999,
  negativesPerPeak: 0.1,
  jitter: 500,
  biasJitter: 0,
  countsWeight: 0.1,
  learningRate: 1e-3,
  batchSize: 64,
  epochs: 50,
  patience: 5,
  seed: 1234,
};

/**
 * Keras' default ε of Adam. Keras adds it before the bias correction of the second moment; the optimiser here
 * adds it after, a negligible difference.
 */
export const ADAM_EPSILON = 1e-7;

const count = z.number().int().positive();
const room = z.number().int().nonnegative();
const Sizes = z
  .strictObject({
    inputLength: count,
    outputLength: count,
    filters: count,
    dilatedLayers: room,
    firstKernel: count,
    profileKernel: count,
  })
  .partial();
const RecipeText = z
  .strictObject({
    bias: Sizes,
    accessibility: Sizes,
    biasThreshold: z.number().positive(),
    outlierQuantile: z.number().min(0.5).max(1),
    negativesPerPeak: z.number().nonnegative(),
    jitter: room,
    biasJitter: room,
    countsWeight: z.number().positive(),
    learningRate: z.number().positive(),
    batchSize: count,
    epochs: count,
    patience: count,
    seed: room,
  })
  .partial();

/**
 * Reads a recipe from a JSON file with the differences from the published one, by the names of
 * `ChrombpnetRecipe`.
 *
 * @throws {FormatError} naming the invalid entry
 * @throws {InputError} when there is no such file
 */
export async function readChrombpnetRecipe(path: string): Promise<ChrombpnetRecipe> {
  const text = await textIfPresent(path);
  if (text === undefined) throw new InputError("no such file", { place: { file: path } });
  const invalid = (message: string, cause?: unknown) =>
    new FormatError(
      { file: path },
      `this is not a recipe: ${message}`,
      'such as {"epochs": 20, "bias": {"filters": 32}}',
      cause,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("it is not JSON", cause);
  }
  const read = RecipeText.safeParse(value);
  if (!read.success) {
    const { path: at, message } = read.error.issues[0];
    throw invalid(`${at.length === 0 ? "" : `${at.join(".")}: `}${message}`, read.error);
  }
  const { bias, accessibility, ...more } = read.data as Partial<ChrombpnetRecipe>;
  return {
    ...PUBLISHED_RECIPE,
    ...more,
    bias: { ...PUBLISHED_RECIPE.bias, ...bias },
    accessibility: { ...PUBLISHED_RECIPE.accessibility, ...accessibility },
  };
}
