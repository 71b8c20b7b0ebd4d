import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { isInsidePath } from "../../base/inside-path.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import type { Model } from "../../models/model.ts";
import type { AskedTask } from "../runs/request.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import type { InputForm, Task } from "../tasks/task.ts";
import { commandsFor } from "./places.ts";
import type { Suite, SuiteRow, SuiteSetting } from "./suite.ts";

/** A suite whose files are all there. */
export interface OpenSuite {
  /** Opened by the first row that needs each, shared by all rows. */
  readonly genomes: readonly Genome[];
  readonly notes: readonly string[];
  /** What a run is asked for, once the models are open. */
  tasksFor(models: readonly Model[]): readonly AskedTask[];
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
}

/** Inputs that genomes are given as: `genome`, `training-genome`. */
const isGenome = (name: string) => /^(.+-)?genome$/.test(name);

interface ReadyRow {
  readonly row: SuiteRow;
  readonly task: Task;
  readonly inputs: Readonly<Record<string, string>>;
  readonly settings: SuiteRow["settings"];
}

/**
 * Finds everything that a suite needs, before anything starts.
 *
 * @throws {InputError} for names that no task has, or that the suite does not ask; and, all in one message, for every file that is missing, with the commands
 *   that bring it
 */
export async function openSuite(
  suite: Suite,
  { data, settings, tasks, limit }: OpenSuiteOptions,
): Promise<OpenSuite> {
  const notes: string[] = [];
  const missing = new Set<string>();
  const ready: ReadyRow[] = [];
  expectNames(suite, { settings, tasks });
  for (const row of suite.rows) {
    if (tasks !== undefined && !tasks.includes(row.task)) continue;
    const task = taskNamed(row.task);
    const wanted = Object.entries(row.settings).filter(
      ([name]) => settings === undefined || settings.includes(name),
    );
    if (wanted.length === 0) continue;
    const inputs: Record<string, string> = {};
    for (const [name, given] of Object.entries(row.inputs)) {
      const form = formOf(task, name);
      if (form.kind === "text") {
        inputs[name] = given;
        continue;
      }
      if (!isInsidePath(given)) {
        throw new InputError(`the suite's ${name} of ${task.name} is ${JSON.stringify(given)}`, {
          hint: "files are named by their place in the data folder, with / and without ..",
        });
      }
      if ((await kindOfPath(join(data, given))) === "file") inputs[name] = join(data, given);
      else if (row.optional?.includes(name))
        notes.push(`${task.name} does without ${given}, which is not there`);
      else missing.add(given);
    }
    const placed = wanted.map(([name, setting]) => [name, withPlacedWeights(setting, data)] as const);
    ready.push({ row, task, inputs, settings: withLimit(Object.fromEntries(placed), limit) });
  }
  if (ready.length === 0) {
    throw new InputError(`the suite ${suite.name} asks nothing of that`, {
      hint: `its tasks: ${[...new Set(suite.rows.map(({ task }) => task))].join(", ")}; its settings: ${[...new Set(suite.rows.flatMap((row) => Object.keys(row.settings)))].join(", ")}`,
    });
  }
  if (missing.size > 0) throw missingFiles([...missing], data);
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
    tasksFor: (models) => ready.flatMap((one) => askedOf(one, genomes, models)),
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

function askedOf(
  { row, task, inputs, settings }: ReadyRow,
  genomes: ReadonlyMap<string, Genome>,
  models: readonly Model[],
): readonly AskedTask[] {
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

function formOf(task: Task, name: string): InputForm {
  const form = task.inputs.find((input) => input.name === name);
  if (form !== undefined) return form;
  throw new InputError(`the task ${task.name} has no input ${JSON.stringify(name)}`, {
    hint: `it has ${task.inputs.map((input) => input.name).join(", ")}`,
  });
}

/** Weights of a suite are named by their place in the data folder, as its other files are. */
function withPlacedWeights({ weights, ...rest }: SuiteSetting, data: string): SuiteSetting {
  if (weights === undefined) return rest;
  if (isInsidePath(weights)) return { ...rest, weights: join(data, weights) };
  throw new InputError(`the suite's weights are ${JSON.stringify(weights)}`, {
    hint: "files are named by their place in the data folder, with / and without ..",
  });
}

/** A limit that is asked for takes the place of the suite's own numbers. */
function withLimit(settings: SuiteRow["settings"], limit: number | undefined): SuiteRow["settings"] {
  if (limit === undefined) return settings;
  return Object.fromEntries(
    Object.entries(settings).map(([name, { limit: _, sample: __, ...rest }]) => [name, { ...rest, limit }]),
  );
}

/** Every missing file under the commands that bring it; a command that brings several is told once. */
function missingFiles(places: readonly string[], data: string): InputError {
  const commands = new Map<string, string[]>();
  for (const place of places) {
    const key = commandsFor(place, data).join("\n");
    commands.set(key, [...(commands.get(key) ?? []), place]);
  }
  const fetched = [...commands].flatMap(([key, files]) => [
    ...files.map((file) => `- ${file}`),
    ...(key === ""
      ? ["    no command is known that makes it"]
      : key.split("\n").map((line) => `    ${line}`)),
  ]);
  return new InputError(
    `${places.length === 1 ? "a file is" : `${places.length} files are`} missing in ${data}:\n${fetched.join("\n")}`,
    { hint: "the suite can be cut to what is there with --task and --setting" },
  );
}
