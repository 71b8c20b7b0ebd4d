import { basename } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { type FileOrigin, fileOrigin } from "../../datasets/sources/origin.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import type { Task, TaskInputs } from "./task.ts";

type Asking = Pick<Task, "name" | "inputs">;

/** A genome, and what to close when the task that asked for it is closed. */
export interface GivenGenome {
  readonly genome: Genome;
  /** Closes a genome that was given as a path; one given open is its giver's. */
  close(): Promise<void>;
}

/** @throws {InputError} when the input is not given, or is no genome */
export async function genomeInput(task: Asking, inputs: TaskInputs, name = "genome"): Promise<GivenGenome> {
  const input = inputs[name];
  if (typeof input === "string") {
    const genome = await openGenome(input);
    return { genome, close: () => genome.close() };
  }
  if (input !== undefined && "chromosome" in input) return { genome: input, close: async () => {} };
  throw missingInputError(task, name);
}

/** @throws {InputError} when it is not given */
function pathInput(task: Asking, inputs: TaskInputs, name: string): string {
  const input = inputs[name];
  if (typeof input === "string" && input !== "") return input;
  throw missingInputError(task, name);
}

/** Longest name of a data set: it stands in titles and tables. */
const LONGEST_TEXT = 60;

/**
 * The name of a data set: a few words on one line.
 * @throws {InputError} when it is not given, is longer, or has other characters
 */
export function textInput(task: Asking, inputs: TaskInputs, name: string): string {
  const text = pathInput(task, inputs, name).trim();
  if (text.length <= LONGEST_TEXT && /^[\p{L}\p{N}][\p{L}\p{N} ._+()-]*$/u.test(text)) return text;
  throw new InputError(`the ${name} of ${task.name} is ${JSON.stringify(text)}`, {
    hint: `it is a name, such as K562: letters, digits, spaces and . _ + ( ) -, at most ${LONGEST_TEXT}`,
  });
}

export function missingInputError({ name: task, inputs }: Asking, name: string): InputError {
  const form = inputs.find((input) => input.name === name);
  return new InputError(
    `the task ${task} needs ${JSON.stringify(name)}`,
    form === undefined ? {} : { hint: form.what },
  );
}

/**
 * Where the files of a task's inputs come from, by the inputs' names. Rows given in memory have no entry.
 *
 * @throws {InputError} when a file cannot be read
 */
export async function inputOrigins(
  task: Asking,
  inputs: TaskInputs,
): Promise<Readonly<Record<string, FileOrigin>>> {
  const origins: Record<string, FileOrigin> = {};
  for (const { name, kind } of task.inputs) {
    const input = inputs[name];
    if (input === undefined || kind === "text" || Array.isArray(input)) continue;
    const path = typeof input === "string" ? input : "path" in input ? String(input.path) : "";
    if (path === "") continue;
    origins[name] = (await kindOfPath(path)) === "file" ? await fileOrigin(path) : { file: basename(path) };
  }
  return origins;
}
