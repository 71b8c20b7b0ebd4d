import { sha256Hex } from "../../base/digest.ts";
import { InputError, InternalError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { splitPartOf } from "../../dna/genome/chromosome-split.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import type { Example, OpenTask, SelectedRows, Supervision, Task, TaskSetting } from "../tasks/task.ts";
import type { SettingContext } from "./setting.ts";
import type { TrainingRecipe } from "./training-recipe.ts";

/** The part of a task that trains and the one that chooses the epoch. */
export interface TrainingRows {
  readonly train: SelectedRows;
  readonly val: SelectedRows;
}

type WithTask = Pick<SettingContext, "task">;

/** The task whose rows train: the one that is answered, unless it is trained by another. */
export const trainingTaskOf = ({ task }: WithTask): OpenTask => task.training ?? task;

/**
 * The rows that a cell trains with: those of the training and of the validation chromosomes.
 * @throws {InputError} when there are none
 */
export function trainingRows(context: WithTask, recipe: TrainingRecipe): TrainingRows {
  const task = trainingTaskOf(context);
  const rows = {
    train: task.select({ split: "train", purpose: "train", limit: recipe.trainRows }),
    val: task.select({ split: "val", purpose: "validate", limit: recipe.valRows }),
  };
  for (const [part, selected] of Object.entries(rows)) {
    if (selected.rows.length > 0) continue;
    const known = [...selected.perChromosome.keys()].filter((chrom) => splitPartOf(chrom) !== undefined);
    throw new InputError(
      `the table of ${task.task.name} has no row on the chromosomes of the ${part} split`,
      {
        hint: `training needs rows of both train and val; of the split's chromosomes the table has ${known.join(", ") || "none"}`,
      },
    );
  }
  return rows;
}

/** Name of the task whose rows train in a setting, where it is not the task that is evaluated. */
export const trainedBy = ({ task }: WithTask, setting: string): string | undefined =>
  task.task.settings[setting]?.trainedBy;

/** The form of the task whose rows train. Its data need not be open: a file of weights can be evaluated without. */
export function trainingTaskForm(context: WithTask, setting: string): Task {
  const { training, task } = context.task;
  if (training !== undefined) return training.task;
  const other = trainedBy(context, setting);
  return other === undefined ? task : taskNamed(other);
}

/** How a setting that trains is asked by the task whose rows train. */
export function trainingFormOf(
  context: WithTask,
  setting: string,
): TaskSetting & { readonly supervision: Supervision } {
  const task = trainingTaskForm(context, setting);
  const form = task.settings[setting];
  if (form?.supervision !== undefined) return { ...form, supervision: form.supervision };
  throw new InternalError(`${task.name} has nothing to learn in the setting ${setting}`);
}

/** What is learned of the task's rows. @throws {InternalError} when there is nothing in this setting */
export const supervisionOf = (context: WithTask, setting: string): Supervision =>
  trainingFormOf(context, setting).supervision;

/**
 * A row as the network sees it, which tells the number of its tokens: one that trains, or, where a file of weights is
 * evaluated, one of the setting's default split.
 *
 * @throws {InputError} when there is none
 */
export async function firstExample(
  context: WithTask & Pick<SettingContext, "weights">,
  setting: string,
): Promise<{ readonly task: OpenTask; readonly example: Example }> {
  const evaluated = context.weights !== undefined;
  const task = evaluated ? context.task : trainingTaskOf(context);
  const { defaultSplit = "all", part } = task.task.settings[setting] ?? {};
  const { rows } = task.select({
    split: evaluated ? defaultSplit : "train",
    purpose: evaluated ? "answer" : "train",
    limit: 1,
    ...(evaluated && part !== undefined ? { part } : {}),
  });
  const [example] = await task.examples(rows);
  if (example !== undefined) return { task, example };
  throw new InputError(`the table of ${task.task.name} has no row on the chromosomes of the split`);
}

/**
 * SHA-256 of what decides the numbers that a training ends with. Cells that differ in what they answer alone have the same: of
 * the recipe, only values that the task whose rows train has in its own form count, and which rows are answered does not.
 */
export function trainingIdentity(
  context: Pick<SettingContext, "task" | "model" | "protocol" | "seed" | "recipe">,
  setting: string,
  { train, val }: TrainingRows,
) {
  const { model, protocol, seed, recipe } = context;
  const { task, digests } = trainingTaskOf(context);
  const form = trainingFormOf(context, setting);
  return sha256Hex(
    stableStringify({
      version: 1,
      task: task.name,
      taskVersion: task.version,
      setting,
      data: digests,
      model: model.identity ?? `name ${model.name}`,
      protocol,
      seed,
      recipe: Object.fromEntries(Object.entries(recipe).filter(([name]) => name in form.recipe)),
      rows: [train.rows, val.rows].map((rows) => sha256Hex(rows.join("\n"))),
    }),
  );
}
