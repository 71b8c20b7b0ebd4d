import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { isInsidePath, kindOfPath } from "../../base/folder.ts";
import type { InputForm, Task } from "../tasks/task.ts";
import { commandsFor } from "./places.ts";
import type { SuiteRow, SuiteSetting } from "./suite.ts";

/** What is there of a row's inputs. */
export interface FoundInputs {
  /** Paths of files, and texts, by the names of the task's form. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Places of needed files that are missing. */
  readonly missing: readonly string[];
  /** Places of optional files that are missing. */
  readonly leftOut: readonly string[];
  /** Places of files that stand in for the row's own, where those are missing. */
  readonly standIns: readonly string[];
}

/** Inputs that genomes are given as: `genome`, `training-genome`. */
export const isGenome = (name: string) => /^(.+-)?genome$/.test(name);

/**
 * Finds the files of a row in the data folder, or those of its fallback where one of its own is missing.
 * @throws {InputError} for an input that the task lacks, or a place outside the folder
 */
export async function findInputs(task: Task, row: SuiteRow, data: string): Promise<FoundInputs> {
  const own = await findPlaces(task, row, row.inputs, data);
  const { fallback } = row;
  if (own.missing.length === 0 || fallback === undefined) return own;
  const found = await findPlaces(task, row, fallback, data);
  const standIns = Object.entries(fallback)
    .filter(([name, place]) => formOf(task, name).kind !== "text" && row.inputs[name] !== place)
    .map(([, place]) => place);
  return { ...found, standIns: found.missing.length === 0 ? standIns : [] };
}

async function findPlaces(
  task: Task,
  { optional = [] }: SuiteRow,
  places: SuiteRow["inputs"],
  data: string,
): Promise<FoundInputs> {
  const inputs: Record<string, string> = {};
  const missing: string[] = [];
  const leftOut: string[] = [];
  for (const [name, given] of Object.entries(places)) {
    if (formOf(task, name).kind === "text") {
      inputs[name] = given;
      continue;
    }
    if (!isInsidePath(given)) {
      throw new InputError(`the suite's ${name} of ${task.name} is ${JSON.stringify(given)}`, {
        hint: "files are named by their place in the data folder, with / and without ..",
      });
    }
    if ((await kindOfPath(join(data, given))) === "file") inputs[name] = join(data, given);
    else (optional.includes(name) ? leftOut : missing).push(given);
  }
  return { inputs, missing, leftOut, standIns: [] };
}

/** Weights of a suite are named by their place in the data folder, as its other files are. */
export function withPlacedWeights({ weights, ...rest }: SuiteSetting, data: string): SuiteSetting {
  if (weights === undefined) return rest;
  if (isInsidePath(weights)) return { ...rest, weights: join(data, weights) };
  throw new InputError(`the suite's weights are ${JSON.stringify(weights)}`, {
    hint: "files are named by their place in the data folder, with / and without ..",
  });
}

function formOf(task: Task, name: string): InputForm {
  const form = task.inputs.find((input) => input.name === name);
  if (form !== undefined) return form;
  throw new InputError(`the task ${task.name} has no input ${JSON.stringify(name)}`, {
    hint: `it has ${task.inputs.map((input) => input.name).join(", ")}`,
  });
}

/** Every missing file under the commands that bring it; a command that brings several is told once. */
export function missingFiles(places: readonly string[], data: string): InputError {
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
