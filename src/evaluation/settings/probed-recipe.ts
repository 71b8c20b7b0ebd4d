import { z } from "zod";
import { checkKernel, ENDS } from "../../models/training/probing-head.ts";
import { type Recipe, readRecipe } from "../tasks/recipe.ts";
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

export const readProbedRecipe = (recipe: Recipe) => withFittingKernel(readRecipe(recipeSchema, recipe));

export function withFittingKernel<Read extends HeadRecipe>(read: Read): Read {
  if (read.positions === "ends") checkKernel(read.kernel, ENDS);
  return read;
}
