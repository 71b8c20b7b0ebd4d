import { InputError } from "../../base/errors.ts";
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
 * A task by its name, among the catalogue's and some of one's own.
 * @throws {InputError} with the names there are
 */
export function taskNamed(name: string, own: readonly Task[] = []): Task {
  const tasks = [...own, ...TASKS];
  const found = tasks.find((task) => task.name === name);
  if (found !== undefined) return found;
  throw new InputError(`there is no task ${JSON.stringify(name)}`, {
    hint: `tasks: ${tasks.map((task) => task.name).join(", ")}`,
  });
}
