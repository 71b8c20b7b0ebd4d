import { sha256Hex } from "../../base/digest.ts";
import { InputError, InternalError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { splitPartOf } from "../../dna/genome/chromosome-split.ts";
import { deviceKind } from "../../net/runtime/device.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import { rowsDigest } from "../tasks/row-list.ts";
import type { OpenTask, Supervision, Task, TaskSetting } from "../tasks/task.ts";
import type { Example, SelectedRows } from "../tasks/task-rows.ts";
import type { SettingContext } from "./setting.ts";
import type { TrainingRecipe } from "./training-recipe.ts";

/** Training and validation rows of a task. */
export interface TrainingRows {
  readonly train: SelectedRows;
  readonly val: SelectedRows;
}

type WithTask = Pick<SettingContext, "task">;

/** The task whose rows train: the evaluated task, unless it has another for training. */
export const trainingTaskOf = ({ task }: WithTask): OpenTask => task.training ?? task;

/**
 * Training and validation rows of a cell, by chromosome.
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

/** Numbers of training and validation rows. */
export const rowCounts = ({ train, val }: TrainingRows) => ({
  trainRows: train.rows.length,
  valRows: val.rows.length,
});

/** Name of the task whose rows train in a setting, if it is not the evaluated task. */
export const trainedBy = ({ task }: WithTask, setting: string): string | undefined =>
  task.task.settings[setting]?.trainedBy;

/**
 * The task whose rows train. Its inputs need not be open, since trained weights can be evaluated without
 * them.
 */
export function trainingTaskForm(context: WithTask, setting: string): Task {
  const { training, task } = context.task;
  if (training !== undefined) return training.task;
  const other = trainedBy(context, setting);
  if (other === undefined) return task;
  const form = taskNamed(other, task.trainingTasks);
  return context.task.context === undefined ? form : { ...form, window: context.task.context };
}

/** Parameters of a setting in the task whose rows train. */
export function trainingFormOf(
  context: WithTask,
  setting: string,
): TaskSetting & { readonly supervision: Supervision } {
  const task = trainingTaskForm(context, setting);
  const form = task.settings[setting];
  if (form?.supervision !== undefined) return { ...form, supervision: form.supervision };
  throw new InternalError(`${task.name} has no labels for the setting ${setting}`);
}

/** Supervision of a setting. @throws {InternalError} when the setting has none */
export const supervisionOf = (context: WithTask, setting: string): Supervision =>
  trainingFormOf(context, setting).supervision;

/**
 * One row, to determine its number of tokens: a training row, or a row of the setting's default split if
 * trained weights are evaluated.
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
    purpose: evaluated ? "evaluate" : "train",
    limit: 1,
    ...(evaluated && part !== undefined ? { part } : {}),
  });
  const [example] = await task.examples(rows.slice());
  if (example !== undefined) return { task, example };
  throw new InputError(`the table of ${task.task.name} has no row on the chromosomes of the split`);
}

/**
 * SHA-256 of everything that a training run's result depends on. It does not depend on the evaluated rows,
 * and of the recipe only on values that the task whose rows train has too, so that cells with other evaluated
 * rows share a training run.
 */
export function trainingIdentity(
  context: Pick<SettingContext, "task" | "model" | "protocol" | "seed" | "recipe" | "device">,
  setting: string,
  { train, val }: TrainingRows,
) {
  const { model, protocol, seed, recipe } = context;
  const device = deviceKind(context.device);
  const { task, digests, context: bases } = trainingTaskOf(context);
  const form = trainingFormOf(context, setting);
  return sha256Hex(
    stableStringify({
      version: 1,
      task: task.name,
      taskVersion: task.version,
      ...(bases === undefined ? {} : { context: bases }),
      setting,
      data: digests,
      model: model.identity ?? `name ${model.name}`,
      protocol,
      seed,
      ...(device === "cpu" ? {} : { device }),
      recipe: Object.fromEntries(Object.entries(recipe).filter(([name]) => name in form.recipe)),
      rows: [train.rows, val.rows].map(rowsDigest),
    }),
  );
}
