import { sha256Hex } from "../../base/digest.ts";
import { stableStringify } from "../../base/json.ts";
import type { SettingContext } from "./setting.ts";
import { type TrainingRows, trainingFormOf, trainingTaskOf } from "./training-rows.ts";

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
