import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import {
  type BaseTokens,
  largestKernel,
  probingHead,
  probingInputs,
  probingLogits,
} from "../../models/training/probing-head.ts";
import { FreshLayers, initialValues } from "../../net/nn/init.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Supervision } from "../tasks/task.ts";
import { outputsOf } from "./supervision.ts";
import { inferenceFields, readSettingRecipe, trainingFields } from "./training-recipe.ts";

export const headSchema = z.object({
  ...inferenceFields,
  head: z.literal("cnn"),
  positions: z.enum(["bases", "ends"]),
  kernel: z.int().positive().max(32),
  extractionBatchSize: z.int().positive(),
  /** Precision of stored embeddings; "auto": as `decidePrecision` decides for each training run. */
  storedAs: z.enum(["float32", "float16", "auto"]),
  /** Where another task's rows train: what is read of a row that is answered, and rows that the original scored at once. */
  answered: z.enum(["bases", "tokens"]).default("bases"),
  answerBatchSize: z.int().positive().default(256),
});

/** What the head and its inputs depend on, trained here or not. */
export type HeadRecipe = z.infer<typeof headSchema>;

const recipeSchema = headSchema.extend({ ...trainingFields, optimizer: z.literal("adam") });

export type ProbedRecipe = z.infer<typeof recipeSchema>;

/** Tokens that a head sees of the ends of a sequence. */
const ENDS = 2;

export const readProbedRecipe = (recipe: Recipe) =>
  withFittingKernel(readSettingRecipe(recipeSchema, recipe));

export function withFittingKernel<Read extends HeadRecipe>(read: Read): Read {
  if (read.positions === "ends") checkKernel(read.kernel, ENDS);
  return read;
}

/** @throws {InputError} when nothing is left of so many positions behind the head's convolutions */
function checkKernel(kernel: number, positions: number): void {
  const largest = largestKernel(positions);
  if (kernel <= largest) return;
  throw new InputError(
    `kernel of the recipe is ${kernel}, which is too wide for the ${positions} positions that the head sees`,
    { hint: `the widest that fits is ${largest}` },
  );
}

/**
 * A fresh head, its graph, and the values it begins with.
 * @param seed  of these values, which trained weights replace
 */
export function headOf(
  supervision: Supervision,
  basesOf: BaseTokens,
  width: number,
  kernel: number,
  seed = 0,
) {
  checkKernel(kernel, basesOf.kind === "ends" ? ENDS : basesOf.length);
  const layers = new FreshLayers();
  const head = probingHead(layers, { width, kernel, outputs: outputsOf(supervision) });
  const { tokens, index } = probingInputs(width, basesOf);
  const output = probingLogits(head, tokens, basesOf, index);
  return { head, output, initial: initialValues(layers.tensors, seed) };
}
