import type { LabelledRow } from "./task.ts";

/** Whether all rows say where on a genome they lie, so that neighbours can be told; those of DART-Eval's data.h5 do not. */
export const arePlaced = (rows: readonly LabelledRow[]): boolean =>
  rows.every(({ facts }) => "chrom" in facts);

/** What intervals are worth where they do not. */
export const NO_PLACES =
  "the rows have no places on a genome, so intervals take them as independent, which is too hopeful";
