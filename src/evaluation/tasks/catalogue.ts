import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import { cellTypeElements } from "./cell-type-elements/cell-type-elements.ts";
import { chromatinActivity } from "./chromatin-activity/chromatin-activity.ts";
import { motifFootprinting } from "./motif-footprinting/motif-footprinting.ts";
import { regulatoryElements } from "./regulatory-elements/regulatory-elements.ts";
import type { Task } from "./task.ts";
import { variantEffects } from "./variant-effects/variant-effects.ts";

/** Every task, in the benchmark's order. */
export const TASKS: readonly Task[] = [
  regulatoryElements,
  motifFootprinting,
  cellTypeElements,
  chromatinActivity,
  variantEffects,
];

/**
 * Finds a task by name, among custom tasks and the catalogue.
 * @throws {InputError} with the known names
 */
export function taskNamed(name: string, own: readonly Task[] = []): Task {
  const tasks = [...own, ...TASKS];
  const found = tasks.find((task) => task.name === name);
  if (found !== undefined) return found;
  throw new InputError(`there is no task ${JSON.stringify(name)}`, {
    hint: namesHint(
      "tasks",
      name,
      tasks.map((task) => task.name),
    ),
  });
}
