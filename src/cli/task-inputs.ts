import { InputError } from "../base/errors.ts";
import type { Task } from "../evaluation/tasks/task.ts";

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
  if (files.length === 1) return files[0]!;
  throw new InputError(`--data ${file} does not say which input of ${task.name} it is`, {
    hint: `name it: --data ${names.map((name) => `${name}=${kindOf(task, name) === "text" ? "NAME" : "FILE"}`).join(" ")}`,
  });
}

const kindOf = (task: Task, name: string) => task.inputs.find((input) => input.name === name)?.kind;
