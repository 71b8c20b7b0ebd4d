import { InputError, InternalError } from "../../base/errors.ts";
import { splitPartOf } from "../tasks/split.ts";
import type { OpenTask, SelectedRows, Supervision, TaskSetting } from "../tasks/task.ts";
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

/** How a setting that trains is asked by the task whose rows train. */
export function trainingFormOf(
  context: WithTask,
  setting: string,
): TaskSetting & { readonly supervision: Supervision } {
  const { task } = trainingTaskOf(context);
  const form = task.settings[setting];
  if (form?.supervision !== undefined) return { ...form, supervision: form.supervision };
  throw new InternalError(`${task.name} has nothing to learn in the setting ${setting}`);
}

/** What is learned of the task's rows. @throws {InternalError} when there is nothing in this setting */
export const supervisionOf = (context: WithTask, setting: string): Supervision =>
  trainingFormOf(context, setting).supervision;
