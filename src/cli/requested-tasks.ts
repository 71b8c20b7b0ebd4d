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

/** The options that say what is asked: one task and its files, or a suite and a folder. */
export interface RequestOptions {
  readonly task?: readonly string[];
  readonly suite?: string;
  readonly setting?: readonly string[];
  readonly genome?: string;
  readonly data: readonly string[];
  readonly limit?: number;
  readonly recipe: readonly string[];
}

/** What is asked, its genomes open. */
export interface RequestedTasks extends AsyncDisposable {
  /** For models that are fitted on the spot. */
  readonly genome: Genome | undefined;
  readonly notes: readonly string[];
  request(models: readonly Model[]): Pick<RunRequest, "tasks" | "settings" | "limit" | "recipe" | "leaveOut">;
}

/** @throws {InputError} when the options do not go together, or files of a suite are missing */
export function openRequestedTasks(options: RequestOptions): Promise<RequestedTasks> {
  if (options.suite !== undefined) return openRequestedSuite(options.suite, options);
  const [task, ...others] = options.task ?? [];
  if (task === undefined) {
    throw new InputError("nothing is asked for", {
      hint: "give --task NAME, or --suite NAME with --data FOLDER",
    });
  }
  if (others.length > 0) {
    throw new InputError("several tasks at once are a suite", {
      hint: "add --suite dart-eval or --suite mini",
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
  await expectFiles(task, inputs);
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
 * Models may take minutes to open, one that is fitted to a genome among them; that a file is not there is found before.
 * @throws {InputError} naming every file that is not there
 */
async function expectFiles(task: Task, inputs: Readonly<Record<string, string>>): Promise<void> {
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
    throw new InputError("a suite needs --data FOLDER, one folder with its files");
  }
  if (genome !== undefined) {
    throw new InputError("--genome is not for suites, which have theirs for each task", {
      hint: `write the suite to a file with dart-eval suites ${name} and change it there`,
    });
  }
  const changes = { tasks, settings, limit, recipe: parseRecipe(recipe) };
  const suite = await openSuite(await readSuite(name), { data: folder, ...changes });
  return {
    genome: suite.genomes[0],
    notes: suite.notes,
    request: (models) => ({ tasks: suite.tasksFor(models), leaveOut: true }),
    [Symbol.asyncDispose]: () => suite.close(),
  };
}

/** The input that every task but a few takes from a FASTA or 2bit file. */
const GENOME = "genome";

/**
 * The files and words of `--data`, by the names that a task's form gives its inputs. `name=file` says which; a file alone is
 * the one file that is not the genome and that the task needs, where there is only one.
 *
 * @throws {InputError} for a name the task does not have, one given twice, or a file alone where there are several
 */
export function dataInputs(task: Task, given: readonly string[]): Record<string, string> {
  const names = task.inputs.map(({ name }) => name).filter((name) => name !== GENOME);
  const inputs: Record<string, string> = {};
  for (const text of given) {
    const [name, file] = namedFile(text, names) ?? [onlyOne(task, names, text), text];
    if (name in inputs) throw new InputError(`--data gives ${name} twice: ${inputs[name]} and ${file}`);
    inputs[name] = file;
  }
  return inputs;
}

/** `elements=table.tsv`, where `elements` is an input; any other text is a file's path, `=` or not. */
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
  throw new InputError(`--data ${file} does not say which input of ${task.name} it is`, {
    hint: `name it: --data ${names.map((name) => `${name}=${kindOf(task, name) === "text" ? "NAME" : "FILE"}`).join(" ")}`,
  });
}

const kindOf = (task: Task, name: string) => task.inputs.find((input) => input.name === name)?.kind;
