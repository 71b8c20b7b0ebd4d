import { InputError } from "../base/errors.ts";
import { kindOfPath } from "../base/folder.ts";
import { type Genome, openGenome } from "../dna/genome/genome.ts";
import type { RunRequest } from "../evaluation/runs/request.ts";
import { settingNamed } from "../evaluation/settings/catalogue.ts";
import { openSuite } from "../evaluation/suites/open-suite.ts";
import { readSuite } from "../evaluation/suites/read-suite.ts";
import { taskNamed } from "../evaluation/tasks/catalogue.ts";
import { parseRecipe } from "../evaluation/tasks/recipe.ts";
import type { Task } from "../evaluation/tasks/task.ts";
import type { Model } from "../models/model.ts";

/** Options of the requested tasks: one task and its files, or a suite and a data folder. */
export interface RequestOptions {
  readonly task?: readonly string[];
  readonly suite?: string;
  readonly setting?: readonly string[];
  readonly genome?: string;
  readonly data: readonly string[];
  readonly limit?: number;
  readonly recipe: readonly string[];
}

/** Requested tasks with their open genomes. */
export interface RequestedTasks extends AsyncDisposable {
  /** Genome for models that are fitted when opened. */
  readonly genome: Genome | undefined;
  readonly notes: readonly string[];
  request(models: readonly Model[]): Pick<RunRequest, "tasks" | "settings" | "limit" | "recipe" | "leaveOut">;
}

/**
 * Opens the requested task or suite.
 * @throws {InputError} when options contradict each other, or files are missing
 */
export function openRequestedTasks(options: RequestOptions): Promise<RequestedTasks> {
  if (options.suite !== undefined) return openRequestedSuite(options.suite, options);
  const [task, ...others] = options.task ?? [];
  if (task === undefined) {
    throw new InputError("no task given", {
      hint: "use --task NAME, or --suite NAME with --data FOLDER; `dart-eval tasks` lists the tasks",
    });
  }
  if (others.length > 0) {
    throw new InputError("--task takes one task", {
      hint: "for several tasks, add --suite dart-eval or --suite mini",
    });
  }
  return openRequestedTask(task, options);
}

async function openRequestedTask(
  name: string,
  { genome: path, data, setting, limit, recipe }: RequestOptions,
): Promise<RequestedTasks> {
  const task = taskNamed(name);
  for (const one of setting ?? []) settingNamed(one);
  const inputs = dataInputs(task, data);
  await checkFiles(task, inputs);
  const genome = path === undefined ? undefined : await openGenome(path);
  return {
    genome,
    notes: [],
    request: () => ({
      tasks: [{ task, inputs: { genome, ...inputs } }],
      ...(setting === undefined ? {} : { settings: setting }),
      recipe: parseRecipe(recipe),
      ...(limit === undefined ? {} : { limit }),
    }),
    [Symbol.asyncDispose]: async () => genome?.close(),
  };
}

/**
 * Checks the input files before models are opened, which may take minutes.
 * @throws {InputError} naming every missing file
 */
async function checkFiles(task: Task, inputs: Readonly<Record<string, string>>): Promise<void> {
  const missing: string[] = [];
  for (const { name, kind = "file" } of task.inputs) {
    const path = inputs[name];
    if (kind !== "file" || path === undefined || (await kindOfPath(path)) !== undefined) continue;
    missing.push(`${path}: no such file or folder`);
  }
  if (missing.length > 0) throw new InputError(missing.join("\n"));
}

async function openRequestedSuite(
  name: string,
  { task: tasks, setting: settings, genome, data, limit, recipe }: RequestOptions,
): Promise<RequestedTasks> {
  const [folder, ...more] = data;
  if (folder === undefined || more.length > 0) {
    throw new InputError("a suite needs --data FOLDER, the folder with its files");
  }
  if (genome !== undefined) {
    throw new InputError("--genome cannot be used with --suite: a suite names the genome of each task", {
      hint: `edit the suite: dart-eval suites ${name} > my-suite.json`,
    });
  }
  const suite = await openSuite(await readSuite(name), {
    data: folder,
    only: { tasks, settings },
    limit,
    recipe: parseRecipe(recipe),
  });
  return {
    genome: suite.genomes[0],
    notes: suite.notes,
    request: (models) => ({ tasks: suite.tasksFor(models), leaveOut: true }),
    [Symbol.asyncDispose]: () => suite.close(),
  };
}

/** Input of the option --genome. */
const GENOME = "genome";

/**
 * Parses the values of `--data`: `name=file` or `name=text` for an input of the task; a file alone is the
 * only required file next to the genome.
 *
 * @throws {InputError} for an input given twice, or a file alone where the task requires several
 */
export function dataInputs(task: Task, given: readonly string[]): Record<string, string> {
  const names = task.inputs.map(({ name }) => name).filter((name) => name !== GENOME);
  const inputs: Record<string, string> = {};
  for (const text of given) {
    const [name, file] = namedFile(text, names) ?? [onlyOne(task, names, text), text];
    if (name in inputs) throw new InputError(`--data has ${name} twice: ${inputs[name]} and ${file}`);
    inputs[name] = file;
  }
  return inputs;
}

/** `elements=table.tsv`, if `elements` is an input; any other text is a path, with `=` or not. */
function namedFile(text: string, names: readonly string[]): [string, string] | undefined {
  const at = text.indexOf("=");
  const name = text.slice(0, at);
  return at > 0 && names.includes(name) ? [name, text.slice(at + 1)] : undefined;
}

function onlyOne(task: Task, names: readonly string[], file: string): string {
  const files = names.filter((name) => {
    const form = task.inputs.find((input) => input.name === name);
    return kindOf(task, name) !== "text" && form?.optional !== true;
  });
  if (files.length === 1) return files[0];
  throw new InputError(`--data ${file}: ${task.name} has several inputs`, {
    hint: `name the input: --data ${names.map((name) => `${name}=${kindOf(task, name) === "text" ? "NAME" : "FILE"}`).join(" ")}`,
  });
}

const kindOf = (task: Task, name: string) => task.inputs.find((input) => input.name === name)?.kind;
