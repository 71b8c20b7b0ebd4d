import type { Command } from "commander";
import { InputError } from "../base/errors.ts";
import {
  missingRunError,
  type RunCommand,
  readRunRecord,
  runFolders,
} from "../evaluation/runs/run-folder.ts";

/**
 * Options of `dart-eval run` that determine rows and data, and are repeated for models that are added later.
 */
const RECORDED = [
  ...["task", "suite", "setting", "genome", "data", "protocol"],
  ...["context", "split", "limit", "untilWidth", "recipe", "weights", "seed", "precision"],
];

/** Options of this command to record in the run: those that the user gave, as typed. */
export function recordedOptions(command: Command): RunCommand {
  const given = RECORDED.filter((name) => command.getOptionValueSource(name) === "cli");
  return Object.fromEntries(given.map((name) => [name, command.getOptionValue(name)]));
}

/**
 * Options for adding models to the run in a folder: those that began it, replaced by those that are given
 * now, such as the new path of a file.
 *
 * @throws {InputError} when the folder has no run, or its plan records no options and none are given
 */
export async function optionsOfRun(folder: string, command: Command): Promise<RunCommand> {
  const [first] = await runFolders(folder);
  const run = await readRunRecord(first);
  if (run === undefined) throw missingRunError(folder);
  const options = { ...run.command, ...recordedOptions(command) };
  if (options.task !== undefined || options.suite !== undefined) return options;
  throw new InputError("the run does not record the options that began it", {
    place: { file: folder },
    hint: "repeat them: --task or --suite, --data, --genome, and what else was given",
  });
}
