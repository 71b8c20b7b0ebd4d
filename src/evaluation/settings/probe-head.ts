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
import { type Recipe, readRecipe } from "../tasks/recipe.ts";
import type { Supervision } from "../tasks/task.ts";
import { outputsOf } from "./supervision.ts";
import { inferenceFields, trainingFields } from "./training-recipe.ts";

export const headSchema = z.object({
  ...inferenceFields,
  head: z.literal("cnn"),
  positions: z.enum(["bases", "ends"]),
  kernel: z.int().positive().max(32),
  extractionBatchSize: z.int().positive(),
  /** Precision of stored embeddings; "auto": decided by `decidePrecision` for each training run. */
  storedAs: z.enum(["float32", "float16", "auto"]),
  /**
   * If another task's rows train: positions read from an evaluated row, and the original's batch size for
   * scoring.
   */
  answered: z.enum(["bases", "tokens"]).default("bases"),
  answerBatchSize: z.int().positive().default(256),
});

/** Recipe values that the head and its inputs depend on, trained here or not. */
export type HeadRecipe = z.infer<typeof headSchema>;

const recipeSchema = headSchema.extend({ ...trainingFields, optimizer: z.literal("adam") });

export type ProbedRecipe = z.infer<typeof recipeSchema>;

/** Tokens of a sequence that a head with positions "ends" sees. */
const ENDS = 2;

export const readProbedRecipe = (recipe: Recipe) => withFittingKernel(readRecipe(recipeSchema, recipe));

export function withFittingKernel<Read extends HeadRecipe>(read: Read): Read {
  if (read.positions === "ends") checkKernel(read.kernel, ENDS);
  return read;
}

/** @throws {InputError} when the head's convolutions leave none of the positions */
function checkKernel(kernel: number, positions: number): void {
  const largest = largestKernel(positions);
  if (kernel <= largest) return;
  throw new InputError(
    `kernel of the recipe is ${kernel}, too wide for the ${positions} positions that the head sees`,
    { hint: `the widest kernel that fits is ${largest}` },
  );
}

/**
 * A fresh head, its graph and its initial values.
 * @param seed  of the initial values, which trained weights replace
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
