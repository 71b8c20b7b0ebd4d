import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { type Recipe, readRecipe } from "../tasks/recipe.ts";
import type { Supervision } from "../tasks/task.ts";

const count = z.int().positive();

/** Recipe values for inference with a trained network. */
export const inferenceFields = {
  /** Rows per forward pass of validation and test, and per batch of the original's `test_loss`. */
  evaluationBatchSize: count,
};

/** Recipe values of all settings that train. */
export const trainingFields = {
  ...inferenceFields,
  learningRate: z.number().positive(),
  /** Rows per step, and per batch of the original's `val_loss`. */
  batchSize: count,
  epochs: count,
  order: z.enum(["file", "shuffled"]),
  /** Epochs without improvement after which training ends; null: never. */
  patience: count.nullable(),
  /** Maximum number of rows; null: all. */
  trainRows: count.nullable(),
  valRows: count.nullable(),
  /** Seed of initial values and of the order of rows. */
  trainingSeed: z.int().nonnegative(),
};

const trainingSchema = z.object({
  ...trainingFields,
  optimizer: z.enum(["adam", "adamw"]),
  weightDecay: z.number().nonnegative().exactOptional(),
});

export interface TrainingRecipe extends Omit<z.infer<typeof trainingSchema>, "optimizer" | "weightDecay"> {
  readonly optimizer: "adam" | "adamw";
  /** Decoupled weight decay. Default: 0. */
  readonly weightDecay?: number;
  /** Batches per optimiser step. Default: 1. */
  readonly accumulate?: number;
}

/** Values that only training reads; trained weights do not depend on them. */
const TRAINING_ALONE = [
  "optimizer",
  "weightDecay",
  "accumulate",
  "dropout",
  ...Object.keys(trainingFields).filter((name) => !(name in inferenceFields)),
];

/**
 * Values of a recipe that the evaluation of trained weights depends on.
 *
 * @param supervision  of the task whose rows train, which may read further values for training
 */
export function inferenceRecipe(recipe: Recipe, { epochRecipe = [] }: Supervision): Recipe {
  const alone = new Set([...TRAINING_ALONE, ...epochRecipe]);
  return Object.fromEntries(Object.entries(recipe).filter(([name]) => !alone.has(name)));
}

/** Recipe of a network trained on sequences. */
export function readTrainingRecipe(recipe: Recipe): TrainingRecipe {
  const read = readRecipe(trainingSchema, recipe);
  if (read.optimizer === "adamw" || (read.weightDecay ?? 0) === 0) return read;
  throw new InputError(
    `weightDecay of the recipe is ${read.weightDecay}, which its optimizer adam does not support`,
    { hint: "use optimizer=adamw" },
  );
}
