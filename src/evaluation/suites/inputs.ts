import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { isInsidePath, kindOfPath } from "../../base/folder.ts";
import { SOURCES } from "../../datasets/sources/catalogue.ts";
import type { Source } from "../../datasets/sources/source.ts";
import { allTasks, type CustomForms } from "../runs/forms.ts";
import { fetchCommand, type SuiteSetting } from "../tasks/benchmark.ts";
import type { InputForm, Task } from "../tasks/task.ts";
import type { Suite, SuiteRow } from "./suite.ts";

/**
 * Commands that create a file of the data folder, in order; empty where none is known.
 *
 * @param path    in the data folder
 * @param folder  the data folder as the user typed it
 */
export function commandsFor(path: string, folder: string, forms: CustomForms = {}): readonly string[] {
  for (const { benchmark } of allTasks(forms)) {
    const commands = benchmark?.commandsFor?.(path, folder);
    if (commands !== undefined) return commands;
  }
  const source = SOURCES.find((one) => one.path === path && one.addresses.length > 0);
  return source === undefined ? [] : [fetchCommand(source.name, folder)];
}

/** Sources of the files that a suite reads, or that those are built from, in the catalogue's order. */
export function sourcesOfSuite({ rows }: Suite, forms: CustomForms = {}): readonly Source[] {
  const paths = new Set(rows.flatMap(({ inputs, fallback = inputs }) => Object.values(fallback)));
  const builtFrom = new Map(
    allTasks(forms).flatMap(({ benchmark }) => Object.entries(benchmark?.builtFrom ?? {})),
  );
  const parts = new Set([...paths].map((path) => builtFrom.get(path)));
  return SOURCES.filter(
    ({ name, path, addresses }) =>
      addresses.length > 0 && (parts.has(name) || (paths.has(path) && !builtFrom.has(path))),
  );
}

/** Inputs of a suite's row that the data folder has. */
export interface FoundInputs {
  /** Paths of files, and texts, by input name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Paths of required files that are missing. */
  readonly missing: readonly string[];
  /** Paths of optional files that are missing. */
  readonly leftOut: readonly string[];
  /** Paths of the fallback files that are used in place of missing ones. */
  readonly fallbacks: readonly string[];
}

/** An input that is a genome: `genome`, `training-genome`. */
export const isGenome = (name: string) => /^(.+-)?genome$/.test(name);

/**
 * Finds the files of a row in the data folder, or those of its fallback where a required one is missing.
 * @throws {InputError} for an input that the task lacks, or a path outside the folder
 */
export async function findInputs(task: Task, row: SuiteRow, data: string): Promise<FoundInputs> {
  const own = await findFiles(task, row, row.inputs, data);
  const { fallback } = row;
  if (own.missing.length === 0 || fallback === undefined) return own;
  const found = await findFiles(task, row, fallback, data);
  const fallbacks = Object.entries(fallback)
    .filter(([name, path]) => formOf(task, name).kind !== "text" && row.inputs[name] !== path)
    .map(([, path]) => path);
  return { ...found, fallbacks: found.missing.length === 0 ? fallbacks : [] };
}

async function findFiles(
  task: Task,
  { optional = [] }: SuiteRow,
  given: SuiteRow["inputs"],
  data: string,
): Promise<FoundInputs> {
  const inputs: Record<string, string> = {};
  const missing: string[] = [];
  const leftOut: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (formOf(task, name).kind === "text") {
      inputs[name] = value;
      continue;
    }
    if (!isInsidePath(value)) throw outsideError(`the input ${name} of ${task.name}`, value);
    if ((await kindOfPath(join(data, value))) === "file") inputs[name] = join(data, value);
    else (optional.includes(name) ? leftOut : missing).push(value);
  }
  return { inputs, missing, leftOut, fallbacks: [] };
}

/**
 * The setting with its weights as a path of the data folder.
 * @throws {InputError} for a path outside the folder
 */
export function withResolvedWeights({ weights, ...rest }: SuiteSetting, data: string): SuiteSetting {
  if (weights === undefined) return rest;
  if (!isInsidePath(weights)) throw outsideError("the weights", weights);
  return { ...rest, weights: join(data, weights) };
}

const outsideError = (what: string, path: string) =>
  new InputError(`${what} in the suite: ${JSON.stringify(path)} is not a path inside the data folder`, {
    hint: "write a relative path with / and without ..",
  });

function formOf(task: Task, name: string): InputForm {
  const form = task.inputs.find((input) => input.name === name);
  if (form !== undefined) return form;
  throw new InputError(`the task ${task.name} has no input ${JSON.stringify(name)}`, {
    hint: `inputs: ${task.inputs.map((input) => input.name).join(", ")}`,
  });
}

/** Lists missing files, grouped by the commands that create them. */
export function missingFilesError(
  paths: readonly string[],
  data: string,
  forms: CustomForms = {},
): InputError {
  const byCommands = new Map<string, string[]>();
  for (const path of paths) {
    const commands = commandsFor(path, data, forms).join("\n");
    byCommands.set(commands, [...(byCommands.get(commands) ?? []), path]);
  }
  const list = [...byCommands].flatMap(([commands, files]) => [
    ...files.map((file) => `- ${file}`),
    ...(commands === "" ? ["    no command creates it"] : commands.split("\n").map((line) => `    ${line}`)),
  ]);
  return new InputError(
    `${paths.length === 1 ? "a file is" : `${paths.length} files are`} missing in ${data}:\n${list.join("\n")}`,
    { hint: "--task and --setting restrict the suite to what is there" },
  );
}
