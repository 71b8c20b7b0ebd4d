import { InputError } from "../../base/errors.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import type { Model } from "../../models/model.ts";
import type { RequestedTask } from "../runs/request.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Task } from "../tasks/task.ts";
import { findInputs, isGenome, missingFilesError, withResolvedWeights } from "./inputs.ts";
import type { Suite, SuiteRow } from "./suite.ts";

/** A suite whose files are all there. */
export interface OpenSuite {
  /** Opened by the first row that needs each, shared by all rows. */
  readonly genomes: readonly Genome[];
  readonly notes: readonly string[];
  /** What a run is asked for, once the models are open. */
  tasksFor(models: readonly Model[]): readonly RequestedTask[];
  close(): Promise<void>;
}

export interface OpenSuiteOptions {
  /** The data folder. */
  readonly data: string;
  /** Only these settings; all where it is absent. */
  readonly settings?: readonly string[] | undefined;
  /** Only these tasks; all where it is absent. */
  readonly tasks?: readonly string[] | undefined;
  /** At most this many rows of each task, in place of the suite's own numbers. */
  readonly limit?: number | undefined;
  /** Values in place of those of the recipes, in every setting whose recipe has them. */
  readonly recipe?: Recipe | undefined;
}

interface ReadyRow extends RowSettings {
  readonly row: SuiteRow;
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Finds everything that a suite needs, before anything starts.
 *
 * @throws {InputError} for names that no task has, or that the suite does not ask; and, all in one message, for every file that is missing, with the commands
 *   that bring it
 */
export async function openSuite(
  suite: Suite,
  { data, settings, tasks, limit, recipe }: OpenSuiteOptions,
): Promise<OpenSuite> {
  const notes: string[] = [];
  const missing = new Set<string>();
  const standIns = new Map<string, readonly SuiteRow[]>();
  const ready: ReadyRow[] = [];
  expectNames(suite, { settings, tasks });
  for (const row of suite.rows) {
    if (tasks !== undefined && !tasks.includes(row.task)) continue;
    const task = taskNamed(row.task);
    const wanted = Object.entries(row.settings).filter(
      ([name]) => settings === undefined || settings.includes(name),
    );
    if (wanted.length === 0) continue;
    const found = await findInputs(task, row, data);
    for (const place of found.leftOut) notes.push(`${task.name} does without ${place}, which is not there`);
    for (const place of found.missing) missing.add(place);
    for (const place of found.standIns) standIns.set(place, [...(standIns.get(place) ?? []), row]);
    const placed = wanted.map(([name, setting]) => [name, withResolvedWeights(setting, data)] as const);
    const named = tasks !== undefined && settings !== undefined;
    const changed = changedSettings(task, Object.fromEntries(placed), { limit, recipe, named });
    ready.push({ row, task, inputs: found.inputs, settings: changed });
  }
  for (const [place, rows] of standIns) {
    const titles = rows.map(({ task, inputs }) => `${task} ${inputs.dataset ?? inputs["cell-line"] ?? ""}`);
    notes.push(`${place} stands in for tables and signals that are not there: ${titles.join(", ")}`);
  }
  if (ready.length === 0) {
    throw new InputError(`the suite ${suite.name} asks nothing of that`, {
      hint: `its tasks: ${[...new Set(suite.rows.map(({ task }) => task))].join(", ")}; its settings: ${[...new Set(suite.rows.flatMap((row) => Object.keys(row.settings)))].join(", ")}`,
    });
  }
  expectRecipe(suite, ready, recipe);
  if (missing.size > 0) throw missingFilesError([...missing], data);
  const genomes = new Map<string, Genome>();
  try {
    for (const { inputs } of ready) {
      for (const [name, path] of Object.entries(inputs)) {
        if (isGenome(name) && !genomes.has(path)) genomes.set(path, await openGenome(path));
      }
    }
  } catch (error) {
    for (const genome of genomes.values()) await genome.close();
    throw error;
  }
  return {
    genomes: [...genomes.values()],
    notes,
    tasksFor: (models) => ready.flatMap((one) => requestedTaskOf(one, genomes, models)),
    async close() {
      for (const genome of genomes.values()) await genome.close();
    },
  };
}

/** A name that is mistyped would otherwise leave out, without a word, what it was to choose. */
function expectNames(suite: Suite, { settings, tasks }: Pick<OpenSuiteOptions, "settings" | "tasks">): void {
  const asked = {
    task: [...new Set(suite.rows.map(({ task }) => task))],
    setting: [...new Set(suite.rows.flatMap((row) => Object.keys(row.settings)))],
  };
  for (const name of asked.task) taskNamed(name);
  for (const [kind, names = []] of [
    ["task", tasks],
    ["setting", settings],
  ] as const) {
    const unknown = names.filter((name) => !asked[kind].includes(name));
    if (unknown.length === 0) continue;
    throw new InputError(
      `the suite ${suite.name} has no ${kind} ${unknown.map((name) => JSON.stringify(name)).join(", ")}`,
      {
        hint: `its ${kind}s: ${asked[kind].join(", ")}`,
      },
    );
  }
}

function requestedTaskOf(
  { row, task, inputs, settings }: ReadyRow,
  genomes: ReadonlyMap<string, Genome>,
  models: readonly Model[],
): readonly RequestedTask[] {
  const chosen = models.filter(
    ({ name, family }) =>
      row.models === undefined || row.models.some((one) => one === name || one === family),
  );
  if (chosen.length === 0) return [];
  const opened = Object.entries(inputs).map(([name, path]) => [
    name,
    isGenome(name) ? genomes.get(path)! : path,
  ]);
  return [
    {
      task,
      inputs: Object.fromEntries(opened),
      models: chosen,
      settings: Object.keys(settings),
      bySetting: settings,
    },
  ];
}

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
function expectRecipe(suite: Suite, ready: readonly RowSettings[], asked: Recipe = {}): void {
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
