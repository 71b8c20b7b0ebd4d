import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { namesHint } from "../../base/message-text.ts";
import { valueAt } from "../../base/record.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import type { Model } from "../../models/model.ts";
import type { CustomForms } from "../runs/forms.ts";
import type { RequestedTask } from "../runs/request.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Task } from "../tasks/task.ts";
import { findInputs, isGenome, missingFilesError, withResolvedWeights } from "./inputs.ts";
import type { Suite, SuiteRow } from "./suite.ts";

/** A suite whose files were found. */
export interface OpenSuite {
  /** Each opened once and shared by all rows. */
  readonly genomes: readonly Genome[];
  readonly notes: readonly string[];
  /** Tasks of a run request, for these models. */
  tasksFor(models: readonly Model[]): readonly RequestedTask[];
  close(): Promise<void>;
}

export interface OpenSuiteOptions extends CustomForms {
  /** The data folder. */
  readonly data: string;
  /** Names of the tasks and settings to open; absent: all. */
  readonly only?: SuiteNames;
  /** Maximum number of rows of each task, in place of the suite's own numbers. */
  readonly limit?: number | undefined;
  /** Recipe values, for every setting whose recipe has them. */
  readonly recipe?: Recipe | undefined;
}

interface SuiteNames {
  readonly tasks?: readonly string[] | undefined;
  readonly settings?: readonly string[] | undefined;
}

interface ReadyRow extends RowSettings {
  readonly row: SuiteRow;
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Finds all files of a suite and opens its genomes.
 *
 * @throws {InputError} for tasks or settings that are not in the suite, and, in one message, for every
 *   missing file with the commands that create it
 */
export async function openSuite(
  suite: Suite,
  { data, only = {}, limit, recipe, ...forms }: OpenSuiteOptions,
): Promise<OpenSuite> {
  const { tasks, settings } = only;
  const notes: string[] = [];
  const missing = new Set<string>();
  const fallbacks = new Map<string, readonly SuiteRow[]>();
  const ready: ReadyRow[] = [];
  checkNames(suite, only, forms);
  if ((await kindOfPath(data)) === "file") {
    throw new InputError("this is a file; expected a folder", {
      place: { file: data },
      hint: "a suite needs the folder of its files, see `dart-eval data fetch --help`",
    });
  }
  for (const row of suite.rows) {
    if (tasks !== undefined && !tasks.includes(row.task)) continue;
    const task = taskNamed(row.task, forms.tasks);
    const wanted = Object.entries(row.settings).filter(
      ([name]) => settings === undefined || settings.includes(name),
    );
    if (wanted.length === 0) continue;
    const found = await findInputs(task, row, data);
    for (const path of found.leftOut) notes.push(`${task.name} runs without ${path}, which is missing`);
    for (const path of found.missing) missing.add(path);
    for (const path of found.fallbacks) fallbacks.set(path, [...(fallbacks.get(path) ?? []), row]);
    const resolved = wanted.map(([name, setting]) => [name, withResolvedWeights(setting, data)] as const);
    const named = tasks !== undefined && settings !== undefined;
    const changed = changedSettings(task, Object.fromEntries(resolved), { limit, recipe, named });
    ready.push({ row, task, inputs: found.inputs, settings: changed });
  }
  for (const [path, rows] of fallbacks) {
    const titles = rows.map(({ task, inputs }) => `${task} ${inputs.dataset ?? inputs["cell-line"] ?? ""}`);
    notes.push(`${path} replaces missing tables and signals of ${titles.join(", ")}`);
  }
  if (ready.length === 0) {
    const { task, setting } = namesOf(suite);
    throw new InputError(`the suite ${suite.name} has no such combination of task and setting`, {
      hint: `tasks: ${task.join(", ")}; settings: ${setting.join(", ")}`,
    });
  }
  checkRecipe(suite, ready, recipe);
  if (missing.size > 0) throw missingFilesError([...missing], data, forms);
  const genomes = await openGenomes(ready);
  return {
    genomes: [...genomes.values()],
    notes,
    tasksFor: (models) => ready.flatMap((one) => requestedTaskOf(one, genomes, models, forms)),
    async close() {
      for (const genome of genomes.values()) await genome.close();
    },
  };
}

/** Genomes of the rows by path, each opened once. */
async function openGenomes(ready: readonly ReadyRow[]): Promise<ReadonlyMap<string, Genome>> {
  const genomes = new Map<string, Genome>();
  try {
    for (const { inputs } of ready) {
      for (const [name, path] of Object.entries(inputs)) {
        if (isGenome(name) && !genomes.has(path)) genomes.set(path, await openGenome(path));
      }
    }
    return genomes;
  } catch (error) {
    for (const genome of genomes.values()) await genome.close();
    throw error;
  }
}

const namesOf = ({ rows }: Suite) => ({
  task: [...new Set(rows.map(({ task }) => task))],
  setting: [...new Set(rows.flatMap((row) => Object.keys(row.settings)))],
});

/**
 * @throws {InputError} for a task of the suite that does not exist, and for a task or setting that the suite
 *   lacks
 */
function checkNames(suite: Suite, { settings, tasks }: SuiteNames, forms: CustomForms): void {
  const own = namesOf(suite);
  for (const name of own.task) taskNamed(name, forms.tasks);
  for (const [kind, names = []] of [
    ["task", tasks],
    ["setting", settings],
  ] as const) {
    const unknown = names.filter((name) => !own[kind].includes(name));
    if (unknown.length === 0) continue;
    throw new InputError(
      `the suite ${suite.name} has no ${kind} ${unknown.map((name) => JSON.stringify(name)).join(", ")}`,
      { hint: namesHint(`${kind}s`, unknown.join(" "), own[kind]) },
    );
  }
}

function requestedTaskOf(
  { row, task, inputs, settings }: ReadyRow,
  genomes: ReadonlyMap<string, Genome>,
  models: readonly Model[],
  forms: CustomForms,
): readonly RequestedTask[] {
  const chosen = models.filter(
    ({ name, family }) =>
      row.models === undefined || row.models.some((one) => one === name || one === family),
  );
  if (chosen.length === 0) return [];
  const opened = Object.entries(inputs).map(([name, path]) => [
    name,
    isGenome(name) ? valueAt(genomes, path) : path,
  ]);
  return [
    {
      task,
      inputs: Object.fromEntries(opened),
      models: chosen,
      settings: Object.keys(settings).map(
        (name) => forms.settings?.find((setting) => setting.name === name) ?? name,
      ),
      bySetting: settings,
    },
  ];
}

/** A row's task with its settings. */
interface RowSettings {
  readonly task: Task;
  readonly settings: SuiteRow["settings"];
}

/** Changes of a user to the settings of a suite. */
interface SettingChanges {
  /** Replaces the suite's own numbers of rows. */
  readonly limit: number | undefined;
  /** Values for every setting whose recipe has them. */
  readonly recipe: Recipe | undefined;
  /**
   * True if the user named both task and setting; models that the suite leaves out are then evaluated too.
   */
  readonly named: boolean;
}

/** A row's settings with the changes of a user. */
function changedSettings(
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
function checkRecipe(suite: Suite, ready: readonly RowSettings[], recipe: Recipe = {}): void {
  const unknown = Object.keys(recipe).filter(
    (value) =>
      !ready.some(({ task, settings }) => Object.keys(settings).some((name) => hasValue(task, name, value))),
  );
  if (unknown.length === 0) return;
  const known = ready.flatMap(({ task, settings }) =>
    Object.keys(settings).flatMap((name) => Object.keys(task.settings[name]?.recipe ?? {})),
  );
  throw new InputError(
    `no recipe of the suite ${suite.name} has ${unknown.map((name) => JSON.stringify(name)).join(", ")}`,
    { hint: `values: ${[...new Set(known)].join(", ")}` },
  );
}
