import { join } from "node:path";
import { z } from "zod";
import { valueAt } from "../../base/record.ts";
import { assertHas, type Model } from "../../models/model.ts";
import type { FineTuning } from "../../models/training/fine-tuning.ts";
import { deviceKind } from "../../net/runtime/device.ts";
import { RUNTIME_BYTES } from "../../net/runtime/session-memory.ts";
import { type Recipe, readRecipe } from "../tasks/recipe.ts";
import type { OpenTask, Supervision, Task } from "../tasks/task.ts";
import type { Example, RowNumbers } from "../tasks/task-rows.ts";
import {
  inferenceBytes,
  type Learner,
  learnerBytes,
  type PreparedExample,
  type PreparedRows,
  trainingDisk,
} from "./learner.ts";
import type { Setting, SettingContext } from "./setting.ts";
import { outputsOf } from "./supervision.ts";
import { loadedPredictor, trainedPredictor } from "./trained-predictor.ts";
import { inferenceFields, trainingFields } from "./training-recipe.ts";
import { firstExample, rowCounts, supervisionOf, trainingRows, trainingTaskOf } from "./training-rows.ts";

const NAME = "fine-tuned";

/** Rows whose sequences are extracted together while training rows are prepared. */
const BLOCK = 1024;

const inferenceSchema = z.object({
  ...inferenceFields,
  rank: z.int().positive(),
  alpha: z.number().positive(),
});

const recipeSchema = inferenceSchema.extend({
  ...trainingFields,
  optimizer: z.literal("adamw"),
  weightDecay: z.number().nonnegative(),
  accumulate: z.int().positive(),
  dropout: z.number().min(0).lt(1),
});

const readFineTuningRecipe = (recipe: Recipe) => readRecipe(recipeSchema, recipe);

/**
 * Fine-tuning: the language model is trained with low-rank adapters (LoRA) and a classifier on top. As in the
 * original, the batches of elements and of controls run separately, with separate dropout masks.
 */
export const fineTuned: Setting<"fine-tuned"> = {
  name: NAME,
  title: "fine-tuned with LoRA",
  description:
    "Fine-tuned: the model is trained for the task together with a head, by low-rank updates of its weights (LoRA).",
  publishedAs: ["fine_tuned"],
  readyAtOnce: false,
  takesWeights: true,
  onTrainingDevice: true,
  unsupportedReason(_task: Task, model: Model) {
    if (model.fineTune !== undefined) return undefined;
    return "it cannot be fine-tuned (no `fineTune`), which fine-tuned requires";
  },
  sequencesPerRow: (task) => task.members.length,
  checkRecipe: (recipe) => void readFineTuningRecipe(recipe),
  async trainingMemory(context, rows) {
    const device = deviceKind(context.device);
    if (context.weights !== undefined) {
      const { learner, weights } = await openAdapted(context);
      await learner.close();
      const { members } = context.task.task;
      const bytes = inferenceBytes(learner, { members: members.length, rows, device, weights });
      return { bytes: RUNTIME_BYTES + bytes, disk: 0, usesModel: false };
    }
    const { learner, supervision, recipe, weights, counts } = await openLearner(context);
    const { members } = trainingTaskOf(context).task;
    await learner.close();
    const sizes = { ...counts, recipe, members: members.length, rows, device, weights };
    const bytes = RUNTIME_BYTES + learnerBytes(learner, supervision, sizes);
    return { bytes, disk: trainingDisk(learner), usesModel: false };
  },
  async open(context) {
    const { weights } = context;
    if (weights !== undefined) {
      const { learner } = await openAdapted(context);
      return loadedPredictor(context, { setting: NAME, learner }, weights);
    }
    const { learner, recipe } = await openLearner(context);
    return trainedPredictor(context, { setting: NAME, recipe, learner });
  },
};

type LearnerContext = Pick<SettingContext, "task" | "model" | "recipe" | "weights" | "device">;

/** The adapted model for evaluation alone. */
async function openAdapted(context: LearnerContext) {
  const recipe = readRecipe(inferenceSchema, context.recipe);
  const { rank, alpha } = recipe;
  const { example } = await firstExample(context, NAME);
  const { model } = context;
  assertHas(model, "fineTune");
  const tuning = await model.fineTune({
    labels: outputsOf(supervisionOf(context, NAME)),
    recipe: { rank, alpha, dropout: 0 },
    seed: 0,
    device: context.device,
  });
  try {
    const learner = await evaluatedLearner(context, tuning, example.sequences[0]);
    return { learner, weights: tuning.weightMemory };
  } catch (error) {
    await tuning.close();
    throw error;
  }
}

async function openLearner(context: LearnerContext) {
  const recipe = readFineTuningRecipe(context.recipe);
  const supervision = supervisionOf(context, NAME);
  const counts = rowCounts(trainingRows(context, recipe));
  const { example } = await firstExample(context, NAME);
  const { rank, alpha, dropout, trainingSeed } = recipe;
  const { model } = context;
  assertHas(model, "fineTune");
  const tuning = await model.fineTune({
    labels: outputsOf(supervision),
    recipe: { rank, alpha, dropout },
    seed: trainingSeed,
    device: context.device,
  });
  try {
    const learner = await tuningLearner(context, tuning, example.sequences[0]);
    return { learner, recipe, supervision, weights: tuning.weightMemory, counts };
  } catch (error) {
    await tuning.close();
    throw error;
  }
}

/** @param bases  a sequence; its number of tokens sizes the graphs of models that need it */
async function tuningLearner(context: LearnerContext, tuning: FineTuning, bases: string): Promise<Learner> {
  const evaluated = await evaluatedLearner(context, tuning, bases);
  const training = await tuning.graph("training", evaluated.tokens);
  return {
    ...evaluated,
    trainingOutput: training.logits,
    initial: tuning.readBy(training),
    reached: training.reached,
    frozen: new Map([...evaluated.frozen, ...training.frozen]),
    parting: {
      feeds: (place, feeds) => tuning.dropout(place, feeds),
    },
    export: (folder, trained) => tuning.save(join(folder, "adapter.safetensors"), trained),
  };
}

/** A learner without a training graph, for parameters from a file or from the run. */
async function evaluatedLearner(
  context: LearnerContext,
  tuning: FineTuning,
  bases: string,
): Promise<Learner> {
  const supervision = supervisionOf(context, NAME);
  const tokens = tuning.feeds([bases]).ids.shape[1];
  const evaluation = await tuning.graph("evaluation", tokens);
  const initial = tuning.readBy(evaluation);
  return {
    output: evaluation.logits,
    initial,
    frozen: evaluation.frozen,
    tokens,
    feeds: async (examples) => tuning.feeds(sequencesOf(examples)),
    preparing: "reading",
    prepare: (rows, onRows) => keepRows(trainingTaskOf(context), tuning, supervision, rows, onRows),
    async load(file) {
      const values = await tuning.load(file, initial.keys());
      return new Map([...initial.keys()].map((name) => [name, valueAt(values, name)]));
    },
    close: () => tuning.close(),
  };
}

const sequencesOf = (examples: readonly Pick<Example, "sequences">[]) =>
  examples.flatMap(({ sequences }) => sequences);

/**
 * Training rows with their sequences in memory, one byte per base: a million pairs of 350 bases take 700 MB.
 */
async function keepRows(
  task: OpenTask,
  tuning: FineTuning,
  supervision: Supervision,
  rows: RowNumbers,
  onRows: (done: number) => void,
): Promise<PreparedRows> {
  const bases: (readonly string[])[] = [];
  const examples: PreparedExample[] = [];
  for (let start = 0; start < rows.length; start += BLOCK) {
    for (const example of await task.examples(rows.slice(start, start + BLOCK))) {
      bases.push(example.sequences);
      examples.push({ row: example.row, facts: example.facts, labels: supervision.labels(example) });
    }
    onRows(examples.length);
  }
  return {
    examples,
    feeds: async (indices, member) =>
      tuning.feeds(
        [...indices].flatMap((index) => {
          const sequences = bases[index];
          return member === undefined ? sequences : [sequences[member]];
        }),
      ),
  };
}
