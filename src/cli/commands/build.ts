import type { DefineCommand } from "../command.ts";
import { defineBuildCellTypeElements } from "./build/cell-type-elements.ts";
import { defineBuildChromatinActivity } from "./build/chromatin-activity.ts";
import { defineBuildMotifFootprinting } from "./build/motif-footprinting.ts";
import { defineBuildRegulatoryElements } from "./build/regulatory-elements.ts";

/** Builders by task. */
const TABLES: Readonly<Record<string, DefineCommand>> = {
  "regulatory-elements": defineBuildRegulatoryElements,
  "motif-footprinting": defineBuildMotifFootprinting,
  "cell-type-elements": defineBuildCellTypeElements,
  "chromatin-activity": defineBuildChromatinActivity,
};

export const defineBuild: DefineCommand = (command, context) => {
  command.description("Builds a task's table from public files, once before the first run.");
  for (const [name, define] of Object.entries(TABLES)) define(command.command(name), context);
};
