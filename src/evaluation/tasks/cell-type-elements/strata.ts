import type { TaskStratification } from "../stratification.ts";
import type { CellTypeFacts } from "./subset.ts";

/** Stratifications of Task 3; the accuracy of a cell line's stratum is the recall of its class. */
export const CELL_TYPES_STRATA: readonly TaskStratification<CellTypeFacts>[] = [
  { name: "cell-line", title: "cell line of the element", valueOf: ({ label }) => label },
  { use: "ccre-class" },
  { use: "gc" },
  { use: "tss" },
  { use: "repeats" },
  { use: "chromosome" },
];
