import { InputError } from "../../base/errors.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Task } from "../tasks/task.ts";
import type { Suite, SuiteRow } from "./suite.ts";

/** A row's task with the settings that are evaluated. */
export interface RowSettings {
  readonly task: Task;
  readonly settings: SuiteRow["settings"];
}

/** What a user changes in the settings of a suite. */
interface SettingChanges {
  /** In place of the suite's own numbers of rows. */
  readonly limit: number | undefined;
  /** Each setting takes the values that its recipe has. */
  readonly recipe: Recipe | undefined;
  /** Task and setting are both named, so models that the suite leaves out are evaluated too. */
  readonly named: boolean;
}

/** A row's settings with what a user changes. */
export function changedSettings(
  task: Task,
  settings: SuiteRow["settings"],
  { limit, recipe = {}, named }: SettingChanges,
): SuiteRow["settings"] {
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => {
      const { except, ...own } = setting;
      const { limit: _, sample: __, ...unsized } = own;
      const limited = {
        ...(limit === undefined ? own : { ...unsized, limit }),
        ...(named || except === undefined ? {} : { except }),
      };
      const values = Object.entries(recipe).filter(([value]) => hasValue(task, name, value));
      if (values.length === 0) return [name, limited];
      return [name, { ...limited, recipe: { ...setting.recipe, ...Object.fromEntries(values) } }];
    }),
  );
}

const hasValue = (task: Task, setting: string, value: string) =>
  Object.hasOwn(task.settings[setting]?.recipe ?? {}, value);

/** @throws {InputError} for a value that no setting of the suite has */
export function expectRecipe(suite: Suite, ready: readonly RowSettings[], asked: Recipe = {}): void {
  const unknown = Object.keys(asked).filter(
    (value) =>
      !ready.some(({ task, settings }) => Object.keys(settings).some((name) => hasValue(task, name, value))),
  );
  if (unknown.length === 0) return;
  const known = ready.flatMap(({ task, settings }) =>
    Object.keys(settings).flatMap((name) => Object.keys(task.settings[name]?.recipe ?? {})),
  );
  throw new InputError(
    `no recipe of the suite ${suite.name} has ${unknown.map((name) => JSON.stringify(name)).join(", ")}`,
    { hint: `they have ${[...new Set(known)].join(", ")}` },
  );
}
