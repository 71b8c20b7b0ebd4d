import type { DefineCommand } from "../command.ts";
import { defineBuildCellTypeElements } from "./build/cell-type-elements.ts";
import { defineBuildChromatinActivity } from "./build/chromatin-activity.ts";
import { defineBuildMotifFootprinting } from "./build/motif-footprinting.ts";
import { defineBuildRegulatoryElements } from "./build/regulatory-elements.ts";

const BUILDERS: readonly DefineCommand[] = [
  defineBuildRegulatoryElements,
  defineBuildMotifFootprinting,
  defineBuildCellTypeElements,
  defineBuildChromatinActivity,
];

export const defineBuild: DefineCommand = (command, context) => {
  command.description("Builds a task's table from public files, once before the first run.");
  for (const define of BUILDERS) define(command, context);
};
