import { z } from "zod";
import { FormatError, InputError } from "../../../base/errors.ts";
import { textIfPresent } from "../../../base/read-file.ts";
import { type ChrombpnetRecipe, PUBLISHED_RECIPE } from "./recipe.ts";

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
export async function readRecipe(path: string): Promise<ChrombpnetRecipe> {
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
    const { path: at, message } = read.error.issues[0]!;
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
