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
import { dataInputs } from "./task-inputs.ts";

/** The options that say what is asked: one task and its files, or a suite and a folder. */
export interface AskedOptions {
  readonly task?: readonly string[];
  readonly suite?: string;
  readonly setting?: readonly string[];
  readonly genome?: string;
  readonly data: readonly string[];
  readonly limit?: number;
  readonly recipe: readonly string[];
}

/** What is asked, its genomes open. */
export interface Asked extends AsyncDisposable {
  /** For models that are fitted on the spot. */
  readonly genome: Genome | undefined;
  readonly notes: readonly string[];
  request(models: readonly Model[]): Pick<RunRequest, "tasks" | "settings" | "limit" | "recipe" | "leaveOut">;
}

/** @throws {InputError} when the options do not go together, or files of a suite are missing */
export function openAsked(options: AskedOptions): Promise<Asked> {
  if (options.suite !== undefined) return openAskedSuite(options.suite, options);
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
  return openAskedTask(task, options);
}

async function openAskedTask(
  name: string,
  { genome: path, data, setting = ["zero-shot"], limit, recipe }: AskedOptions,
): Promise<Asked> {
  const task = taskNamed(name);
  for (const one of setting) settingNamed(one);
  const inputs = dataInputs(task, data);
  await expectFiles(task, inputs);
  const genome = path === undefined ? undefined : await openGenome(path);
  return {
    genome,
    notes: [],
    request: () => ({
      tasks: [{ task, inputs: { genome, ...inputs } }],
      settings: setting,
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
    missing.push(`${path}: there is no such file or folder`);
  }
  if (missing.length > 0) throw new InputError(missing.join("\n"));
}

async function openAskedSuite(
  name: string,
  { task: tasks, setting: settings, genome, data, limit, recipe }: AskedOptions,
): Promise<Asked> {
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
