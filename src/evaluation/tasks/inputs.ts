import { basename } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { type FileOrigin, fileOrigin } from "../../datasets/sources/origin.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import type { Task, TaskInputs } from "./task.ts";

/** A task's name and inputs, for error messages. */
export type InputForms = Pick<Task, "name" | "inputs">;

/** A genome with the function that closes it. */
export interface GivenGenome {
  readonly genome: Genome;
  /** Closes a genome that was given as a path. A genome that was given open stays open. */
  close(): Promise<void>;
}

/** @throws {InputError} when the input is missing, or not a genome */
export async function genomeInput(
  task: InputForms,
  input: string | Genome | undefined,
): Promise<GivenGenome> {
  if (typeof input === "string") {
    const genome = await openGenome(input);
    return { genome, close: () => genome.close() };
  }
  if (input !== undefined && "chromosome" in input) return { genome: input, close: async () => {} };
  throw missingInputError(task, "genome");
}

/**
 * Rows of a table given as a path or in memory.
 *
 * @throws {InputError} when the input is missing or neither, and as `read`
 */
export async function rowsInput<Row>(
  task: InputForms,
  name: string,
  input: string | readonly Row[] | undefined,
  read: (path: string) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  if (isRows(input)) return input;
  if (typeof input === "string" && input !== "") return read(input);
  throw missingInputError(task, name);
}

/** True if a table is given in memory. */
export const isRows = <Row>(input: string | readonly Row[] | undefined): input is readonly Row[] =>
  Array.isArray(input);

/**
 * Rows made in memory, whose numbers identify them.
 * @throws {InputError} when numbers are not whole, not in [0, 2^32), or not ascending
 */
export function numberedRows<Row extends { readonly index: number }>(
  name: string,
  rows: readonly Row[],
): readonly Row[] {
  rows.forEach(({ index }, i) => {
    if (Number.isSafeInteger(index) && index > (rows[i - 1]?.index ?? -1) && index < 2 ** 32) return;
    throw new InputError(`entry ${i} of the ${name} has the index ${String(index)}`, {
      hint: "`index` is the row's number in the whole table: a whole number from 0, ascending",
    });
  });
  return rows;
}

/** Maximum length of a data set's name in characters. */
const MAX_TEXT_LENGTH = 60;

/**
 * The name of a data set, without surrounding spaces.
 * @throws {InputError} when it is missing, too long, or has other characters
 */
export function textInput(task: InputForms, name: string, input: string | undefined): string {
  if (typeof input !== "string" || input === "") throw missingInputError(task, name);
  const text = input.trim();
  if (text.length <= MAX_TEXT_LENGTH && /^[\p{L}\p{N}][\p{L}\p{N} ._+()-]*$/u.test(text)) return text;
  throw new InputError(`the ${name} of ${task.name} is ${JSON.stringify(text)}`, {
    hint: `expected a name such as K562: bases, digits, spaces and . _ + ( ) -, at most ${MAX_TEXT_LENGTH} characters`,
  });
}

export function missingInputError({ name: task, inputs }: InputForms, name: string): InputError {
  const form = inputs.find((input) => input.name === name);
  return new InputError(
    `the task ${task} needs ${JSON.stringify(name)}`,
    form === undefined ? {} : { hint: form.description },
  );
}

/**
 * Origins of a task's input files, by the inputs' names. Rows given in memory have no entry.
 *
 * @throws {InputError} when a file cannot be read
 */
export async function inputOrigins(
  task: InputForms,
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
