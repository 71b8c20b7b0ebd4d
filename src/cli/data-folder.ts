import type { Command } from "commander";

/** The option that every command of `data` has. */
export function dataFolderOption(command: Command): Command {
  return command.option(
    "--data <folder>",
    "the data folder, in the layout of the benchmark's work directory",
    process.env.DART_WORK_DIR || "dart-eval-data",
  );
}
