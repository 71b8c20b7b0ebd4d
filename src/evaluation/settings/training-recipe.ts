import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Supervision } from "../tasks/task.ts";

const count = z.int("a whole number is expected").positive();

/** What evaluating a trained network reads of its recipe. */
export const inferenceFields = {
  /** Rows per forward pass of validation and test, and per batch of the original's `test_loss`. */
  evaluationBatchSize: count,
};

/** What every setting that trains reads of its recipe. */
export const trainingFields = {
  ...inferenceFields,
  learningRate: z.number().positive(),
  /** Rows per step, and per batch of the original's `val_loss`. */
  batchSize: count,
  epochs: count,
  order: z.enum(["file", "shuffled"]),
  /** Epochs without improvement after which training ends; null: never. */
  patience: count.nullable(),
  /** At most so many rows; null: all. */
  trainRows: count.nullable(),
  valRows: count.nullable(),
  /** Of first values and of the order of rows. */
  trainingSeed: z.int().nonnegative(),
};

const trainingSchema = z.object({
  ...trainingFields,
  optimizer: z.enum(["adam", "adamw"]),
  weightDecay: z.number().nonnegative().exactOptional(),
});

export interface TrainingRecipe extends Omit<z.infer<typeof trainingSchema>, "optimizer" | "weightDecay"> {
  readonly optimizer: "adam" | "adamw";
  /** Decoupled; none where it is absent. */
  readonly weightDecay?: number;
  /** Batches per step of the optimiser; 1 where it is absent. */
  readonly accumulate?: number;
}

/** What training alone reads: values that say nothing of a file of weights. */
const TRAINING_ALONE = [
  "optimizer",
  "weightDecay",
  "accumulate",
  "dropout",
  ...Object.keys(trainingFields).filter((name) => !(name in inferenceFields)),
];

/**
 * Of a recipe the values that evaluating a file of weights depends on.
 *
 * @param supervision  of the task whose rows train, which may read values of its own for that
 */
export function inferenceRecipe(recipe: Recipe, { epochRecipe = [] }: Supervision): Recipe {
  const alone = new Set([...TRAINING_ALONE, ...epochRecipe]);
  return Object.fromEntries(Object.entries(recipe).filter(([name]) => !alone.has(name)));
}

/** A recipe as a setting reads it. @throws {InputError} naming the first value that is not possible */
export function readSettingRecipe<T>(schema: z.ZodType<T>, recipe: Recipe): T {
  const parsed = schema.safeParse(recipe);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join(".") ?? "";
  throw new InputError(
    `${name} of the recipe is ${JSON.stringify(recipe[name]) ?? "absent"}: ${issue?.message}`,
  );
}

/** Of a network trained on sequences. */
export function readTrainingRecipe(recipe: Recipe): TrainingRecipe {
  const read = readSettingRecipe(trainingSchema, recipe);
  if (read.optimizer === "adamw" || (read.weightDecay ?? 0) === 0) return read;
  throw new InputError(
    `weightDecay of the recipe is ${read.weightDecay}, and its optimiser, adam, has none`,
    {
      hint: "adamw decays weights",
    },
  );
}
