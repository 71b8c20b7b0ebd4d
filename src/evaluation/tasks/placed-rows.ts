import type { GenomicColumns } from "../../metrics/blocks.ts";
import type { PredictionColumns } from "./prediction-columns.ts";
import type { LabelledRow } from "./task.ts";

/** Whether all rows say where on a genome they lie, so that neighbours can be told; those of DART-Eval's data.h5 do not. */
export function arePlaced(rows: Iterable<LabelledRow>): boolean {
  for (const { facts } of rows) if (!("chrom" in facts)) return false;
  return true;
}

/** What intervals are worth where they do not. */
export const NO_PLACES =
  "the rows have no places on a genome, so intervals take them as independent, which is too hopeful";

/** Where on a genome the rows lie; undefined where some do not say. */
export function placesOf(columns: PredictionColumns): GenomicColumns | undefined {
  const none = new Uint8Array(0);
  if (columns.length === 0) return { chromosomes: none, starts: none, ends: none };
  const [chromosomes, starts, ends] = [
    columns.factTexts("chrom"),
    columns.factNumbers("start"),
    columns.factNumbers("end"),
  ];
  if (chromosomes === undefined || starts === undefined || ends === undefined) return undefined;
  return chromosomes.codes.includes(0) ? undefined : { chromosomes: chromosomes.codes, starts, ends };
}
