import type { DefineCommand } from "../command.ts";
import { define as annotate } from "./variants-annotate.ts";
import { define as column } from "./variants-column.ts";

export const define: DefineCommand = (command, context) => {
  command.description("Converts scores between variant tables and runs of task 5.");
  annotate(command.command("annotate").summary("add a run's scores to a variant table"), context);
  column(
    command.command("column").summary("write a score column of a variant table as a model's scores"),
    context,
  );
};
