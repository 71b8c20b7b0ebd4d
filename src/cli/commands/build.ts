import type { DefineCommand } from "../command.ts";
import { define as cellTypeElements } from "./build/cell-type-elements.ts";
import { define as chromatinActivity } from "./build/chromatin-activity.ts";
import { define as motifFootprinting } from "./build/motif-footprinting.ts";
import { define as regulatoryElements } from "./build/regulatory-elements.ts";

/** Builders by task. */
const TABLES: Readonly<Record<string, DefineCommand>> = {
  "regulatory-elements": regulatoryElements,
  "motif-footprinting": motifFootprinting,
  "cell-type-elements": cellTypeElements,
  "chromatin-activity": chromatinActivity,
};

export const define: DefineCommand = (command, context) => {
  command.description("Builds a task's table from public files, once before the first run.");
  for (const [name, table] of Object.entries(TABLES)) table(command.command(name), context);
};
