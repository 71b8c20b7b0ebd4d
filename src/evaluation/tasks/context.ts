import { InputError } from "../../base/errors.ts";
import type { OpenTask, Task } from "./task.ts";

/**
 * Checks a requested context: bases per sequence, instead of the task's window.
 *
 * @throws {InputError} when the task's windows cannot be widened, or not to this number
 */
export function checkContext(task: Pick<Task, "name" | "window" | "widens">, context: number): void {
  const { name, window, widens } = task;
  if (widens === undefined) {
    throw new InputError(`the windows of ${name} cannot be widened: its sequences are not part of a genome`, {
      hint: "leave out --context, or choose a task whose sequences come from a genome",
    });
  }
  if (!Number.isSafeInteger(context) || context <= window || (context - window) % 2 !== 0) {
    throw new InputError(`--context is ${context}: ${name} has ${window} bases per sequence`, {
      hint: `give an even number above ${window}, such as ${4 * window}`,
    });
  }
}

/** Bases to add on either side of a window. */
export const flankOf = ({ window }: Pick<Task, "window">, context: number = window): number =>
  (context - window) / 2;

/** The task with wider windows, as properties of an open task. */
export function widened(task: Task, context: number | undefined): Pick<OpenTask, "task" | "context"> {
  return context === undefined ? { task } : { task: { ...task, window: context }, context };
}

/** @throws {InputError} when windows of an exported table are to be widened */
export function refuseContext(file: string, context: number | undefined): void {
  if (context === undefined) return;
  throw new InputError("the sequences of DART-Eval's data.h5 cannot be widened", {
    place: { file },
    hint: "give the prepared table and the genome instead",
  });
}
