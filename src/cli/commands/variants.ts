import type { DefineCommand } from "../command.ts";
import { define as annotate } from "./variants-annotate.ts";
import { define as column } from "./variants-column.ts";

export const define: DefineCommand = (command, context) => {
  command.description("Carries scores between tables of variants and runs of task 5.");
  annotate(command.command("annotate").summary("a table of variants with a run's scores behind"), context);
  column(command.command("column").summary("scores that a table brings, to be run as a model"), context);
};
