import { allTasks, type CustomForms } from "../runs/forms.ts";
import type { TaskSuiteRow } from "../tasks/benchmark.ts";

/** One task on one data set. */
export interface SuiteRow extends TaskSuiteRow {
  readonly task: string;
}

/** Several tasks, each on its data sets, run as one. */
export interface Suite {
  /** Kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly SuiteRow[];
}

/**
 * The suite `dart-eval`: every row of every task with a benchmark, as in the paper; custom tasks come last.
 */
export function wholeSuite(forms: CustomForms = {}): Suite {
  const own = forms.tasks ?? [];
  const tasks = [...allTasks().filter(({ name }) => own.every((task) => task.name !== name)), ...own];
  return {
    name: "dart-eval",
    title: "DART-Eval: five tasks, every row",
    rows: tasks.flatMap(({ name, benchmark }) =>
      (benchmark?.suite ?? []).map((row) => ({ task: name, ...row })),
    ),
  };
}
