import { z } from "zod";
import { FormatError, InputError } from "../../../base/errors.ts";
import { textIfPresent } from "../../../base/read-file.ts";
import { ACCESSIBILITY_SIZES, BIAS_SIZES, type BpnetSizes } from "../bpnet.ts";

/** How a ChromBPNet is trained: everything that decides the result beside the data. */
export interface ChrombpnetRecipe {
  readonly bias: BpnetSizes;
  readonly accessibility: BpnetSizes;
  /**
   * Non-peaks with fewer reads than this part of the 1 % quantile of the peaks' reads train the bias; published for ATAC-seq 0.5,
   * for DNase-seq 0.8.
   */
  readonly biasThreshold: number;
  /** Regions with as many reads as this quantile or more are left out, and with as few as its complement or fewer. */
  readonly outlierQuantile: number;
  /** Non-peaks per peak, in training and in validation. */
  readonly negativesPerPeak: number;
  /** Bases that the window around a training peak may be moved at random, to either side; non-peaks stay in their place. */
  readonly jitter: number;
  /** The same of the non-peaks that train the bias. */
  readonly biasJitter: number;
  /** Weight of the squared error of the log counts in the loss, per median read of the regions; the weight is 1 at least. */
  readonly countsWeight: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Ends a training after so many epochs without a smaller validation loss. */
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

/** Keras' Adam: ε is 10⁻⁷ there. It is added before the second moment's correction, here after it, which moves no digit that matters. */
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
 * A recipe from a JSON file that says what differs from the published one, by the names of `ChrombpnetRecipe`.
 *
 * @throws {FormatError} naming what is not understood
 * @throws {InputError} when there is no such file
 */
export async function readChrombpnetRecipe(path: string): Promise<ChrombpnetRecipe> {
  const text = await textIfPresent(path);
  if (text === undefined) throw new InputError("there is no such file", { place: { file: path } });
  const trouble = (message: string, cause?: unknown) =>
    new FormatError(
      { file: path },
      `this is no recipe: ${message}`,
      'such as {"epochs": 20, "bias": {"filters": 32}}',
      cause,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw trouble("it is not JSON", cause);
  }
  const read = RecipeText.safeParse(value);
  if (!read.success) {
    const { path: at, message } = read.error.issues[0];
    throw trouble(`${at.length === 0 ? "" : `${at.join(".")}: `}${message}`, read.error);
  }
  const { bias, accessibility, ...more } = read.data as Partial<ChrombpnetRecipe>;
  return {
    ...PUBLISHED_RECIPE,
    ...more,
    bias: { ...PUBLISHED_RECIPE.bias, ...bias },
    accessibility: { ...PUBLISHED_RECIPE.accessibility, ...accessibility },
  };
}
