import type { PlantedSignal } from "./planted-signals.ts";
import type { DemoRun, DemoTask } from "./runs.ts";
import { cellTypeElementsDemo } from "./tasks/cell-type-elements.ts";
import { chromatinActivityDemo } from "./tasks/chromatin-activity.ts";
import { motifFootprintingDemo } from "./tasks/motif-footprinting.ts";
import { regulatoryElementsDemo } from "./tasks/regulatory-elements.ts";
import { variantEffectsDemo } from "./tasks/variant-effects.ts";

/** Tasks of the demo, in the order of its runs. */
export const DEMO_TASKS: readonly DemoTask[] = [
  regulatoryElementsDemo,
  motifFootprintingDemo,
  cellTypeElementsDemo,
  chromatinActivityDemo,
  variantEffectsDemo,
];

/** Runs of the demo, in order. */
export const DEMO_RUNS: readonly DemoRun[] = DEMO_TASKS.flatMap(({ task, inputs, runs }) =>
  runs.map((run) => ({ task, inputs, ...run })),
);

/** Signals that the demo must recover. */
export const PLANTED_SIGNALS: readonly PlantedSignal[] = DEMO_TASKS.flatMap(({ task, signals }) =>
  signals.map((signal) => ({ task, ...signal })),
);
