import { join } from "node:path";
import { z } from "zod";
import type { FineTuning } from "../../models/fine-tuning.ts";
import type { Model } from "../../models/model.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Example, OpenTask, Supervision, Task, TaskRow } from "../tasks/task.ts";
import type { KeptExample, KeptRows, Learner } from "./learner.ts";
import { learnerBytes } from "./learner-memory.ts";
import type { Setting, SettingContext } from "./setting.ts";
import { outputsOf } from "./supervision.ts";
import { trainedAnswerer } from "./trained-answerer.ts";
import { readRecipe, trainingFields } from "./training-recipe.ts";
import { supervisionOf, trainingRows, trainingTaskOf } from "./training-rows.ts";

const NAME = "fine-tuned";

/** Rows whose sequences are made together while rows are kept. */
const BLOCK = 1024;

const recipeSchema = z.object({
  ...trainingFields,
  optimizer: z.literal("adamw"),
  weightDecay: z.number().nonnegative(),
  accumulate: z.int().positive(),
  rank: z.int().positive(),
  alpha: z.number().positive(),
  dropout: z.number().min(0).lt(1),
});

const readFineTuningRecipe = (recipe: Recipe) => readRecipe(recipeSchema, recipe);

/**
 * The language model itself is trained further, by factors of low rank beside its weights, with a classifier on top. As in
 * the original, each member's batch is run by itself, with dropout masks of its own.
 */
export const fineTuned: Setting = {
  name: NAME,
  title: "fine-tuned with LoRA",
  readyAtOnce: false,
  computedOn: "cpu",
  refuses(_task: Task, model: Model) {
    if (model.fineTune !== undefined) return undefined;
    return "it cannot be trained further (no `fineTune`), which fine-tuned asks for";
  },
  sequencesPerRow: (task) => task.members.length,
  checkRecipe: (recipe) => void readFineTuningRecipe(recipe),
  async trainingMemory(context) {
    const { learner, supervision, recipe, weightBytes, trainRows } = await openLearner(context);
    const { members } = trainingTaskOf(context).task;
    await learner.close();
    const bytes = learnerBytes(learner, supervision, members.length, { recipe, trainRows });
    return { bytes: WEIGHTS_HELD * weightBytes + bytes, asksModel: false };
  },
  async open(context) {
    const { learner, recipe } = await openLearner(context);
    return trainedAnswerer(context, { setting: NAME, recipe, learner });
  },
};

/** Frozen weights in memory: in their file, packed for the forward and for the backward pass, and for the evaluation. */
const WEIGHTS_HELD = 4;

async function openLearner(context: Pick<SettingContext, "task" | "model" | "recipe">) {
  const task = trainingTaskOf(context);
  const recipe = readFineTuningRecipe(context.recipe);
  const supervision = supervisionOf(context, NAME);
  const { rows } = trainingRows(context, recipe).train;
  const [first] = await task.examples(rows.slice(0, 1));
  const { rank, alpha, dropout, trainingSeed } = recipe;
  const tuning = await context.model.fineTune!({
    labels: outputsOf(supervision),
    recipe: { rank, alpha, dropout },
    seed: trainingSeed,
  });
  try {
    const learner = await tuningLearner(task, tuning, supervision, first!.sequences[0]!);
    return { learner, recipe, supervision, weightBytes: tuning.weightBytes, trainRows: rows.length };
  } catch (error) {
    await tuning.close();
    throw error;
  }
}

/** @param letters  a sequence, whose number of tokens models take that need to know it */
async function tuningLearner(
  task: OpenTask,
  tuning: FineTuning,
  supervision: Supervision,
  letters: string,
): Promise<Learner> {
  const tokens = tuning.feeds([letters]).ids!.shape[1]!;
  const training = await tuning.graph("training", tokens);
  const evaluation = await tuning.graph("evaluation", tokens);
  return {
    output: evaluation.logits,
    trainingOutput: training.logits,
    initial: tuning.readBy(training),
    reached: training.reached,
    frozen: new Map([...evaluation.frozen, ...training.frozen]),
    tokens,
    feeds: async (examples) => tuning.feeds(sequencesOf(examples)),
    keeping: "reading",
    keep: (rows, tell) => keepRows(task, tuning, supervision, rows, tell),
    parting: {
      feeds: (place, feeds) => tuning.dropout(place, feeds),
    },
    export: (folder, trained) => tuning.save(join(folder, "adapter.safetensors"), trained),
    close: () => tuning.close(),
  };
}

const sequencesOf = (examples: readonly Pick<Example, "sequences">[]) =>
  examples.flatMap(({ sequences }) => sequences);

/** Letters stay in memory, one byte each: a million pairs of 350 bases take 700 MB. */
async function keepRows(
  task: OpenTask,
  tuning: FineTuning,
  supervision: Supervision,
  rows: readonly TaskRow[],
  tell: (done: number) => void,
): Promise<KeptRows> {
  const letters: (readonly string[])[] = [];
  const examples: KeptExample[] = [];
  for (let start = 0; start < rows.length; start += BLOCK) {
    for (const example of await task.examples(rows.slice(start, start + BLOCK))) {
      letters.push(example.sequences);
      examples.push({ row: example.row, facts: example.facts, labels: supervision.labels(example) });
    }
    tell(examples.length);
  }
  return {
    examples,
    feeds: async (places, member) =>
      tuning.feeds(
        [...places].flatMap((place) => {
          const sequences = letters[place]!;
          return member === undefined ? sequences : [sequences[member]!];
        }),
      ),
  };
}
