import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import { cellTypeElements } from "./cell-type-elements/cell-type-elements.ts";
import { chromatinActivity } from "./chromatin-activity/chromatin-activity.ts";
import { motifFootprinting } from "./motif-footprinting/motif-footprinting.ts";
import type { RowFacts } from "./prediction.ts";
import { regulatoryElements } from "./regulatory-elements/regulatory-elements.ts";
import type { Task, TaskInputs } from "./task.ts";
import { variantEffects } from "./variant-effects/variant-effects.ts";

/** The tasks with the types of their rows, inputs and metrics. */
const CATALOGUE = [
  regulatoryElements,
  motifFootprinting,
  cellTypeElements,
  chromatinActivity,
  variantEffects,
] as const;

type CatalogueTask = (typeof CATALOGUE)[number];

/** Every task, in the benchmark's order. Here the types of rows and inputs are erased. */
export const TASKS: readonly Task[] = CATALOGUE;

/** Names of the catalogue's tasks. */
export type TaskName = CatalogueTask["name"];

/** Names of the metrics of the catalogue's tasks. */
export type MetricName = MetricNameOf<TaskName>;

/**
 * A name of the catalogue, which an editor completes, or any other: custom tasks, settings and metrics have
 * their own.
 */
export type NameOr<Name extends string> = Name | (string & Record<never, never>);

/** A task by name or as a form. */
export type AnyTask = NameOr<TaskName> | Task;

/**
 * The form of a task that is given by name or as a form; `Task` for a name that is only known at run time.
 */
type FormOf<T> = T extends string
  ? string extends T
    ? Task
    : Extract<CatalogueTask, { readonly name: T }>
  : T;

/** Inputs of a task that is given by name or as a form. */
export type InputsOf<T> = T extends unknown
  ? FormOf<T> extends Task<infer _Row, infer Inputs>
    ? Inputs
    : TaskInputs
  : never;

/** Facts of a row of a task that is given by name or as a form. */
export type RowOf<T> = T extends unknown ? (FormOf<T> extends Task<infer Row> ? Row : RowFacts) : never;

/** Metric names of a task that is given by name or as a form. */
export type MetricNameOf<T> = T extends unknown
  ? FormOf<T> extends Task<infer _Row, infer _Inputs, infer _Name, infer Metrics>
    ? Metrics
    : string
  : never;

/**
 * Finds a task by name, among custom tasks and the catalogue.
 * @throws {InputError} with the known names
 */
export function taskNamed(name: NameOr<TaskName>, custom: readonly Task[] = []): Task {
  const tasks = [...custom, ...TASKS];
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
