import { join } from "node:path";
import { readTable } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import type { ExpectedRows } from "./source.ts";

/** How many rows of a table fulfil something, as the benchmark's authors counted them. */
export interface ExpectedCount {
  readonly path: string;
  /** What is counted, in words. */
  readonly what: string;
  readonly rows: number;
  readonly columns: readonly string[];
  holds(fields: readonly string[]): boolean;
}

const AFRICAN = "task_5_variant_effect_prediction/input_data/Afr.CaQTLS.tsv";
const YORUBAN = "task_5_variant_effect_prediction/input_data/yoruban.dsqtls.benchmarking.tsv";
const LABELLED =
  "task_3_peak_classification/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv";

const isTrue = (text: string | undefined) => text?.toLowerCase() === "true";

const peaksOf = (line: string, rows: number): ExpectedCount => ({
  path: LABELLED,
  what: `peaks of ${line} alone`,
  rows,
  columns: ["label"],
  holds: ([label]) => label === line,
});

/** Counts within files, beside those of all rows that the sources name. */
export const EXPECTED_COUNTS: readonly ExpectedCount[] = [
  peaksOf("GM12878", 45_184),
  peaksOf("H1ESC", 49_208),
  peaksOf("HEPG2", 33_948),
  peaksOf("IMR90", 50_783),
  peaksOf("K562", 37_623),
  {
    path: AFRICAN,
    what: "variants in peaks that are used",
    rows: 84_820,
    columns: ["IsUsed", "in_peaks"],
    holds: (fields) => fields.every(isTrue),
  },
  {
    path: AFRICAN,
    what: "of them significant",
    rows: 6_821,
    columns: ["IsUsed", "in_peaks", "label"],
    holds: (fields) => fields.every(isTrue),
  },
  {
    path: YORUBAN,
    what: "variants that are used",
    rows: 27_373,
    columns: ["var.isused"],
    holds: (fields) => fields.every(isTrue),
  },
  {
    path: YORUBAN,
    what: "of them significant",
    rows: 560,
    columns: ["var.isused", "var.label"],
    holds: ([used, label]) => isTrue(used) && Number(label) === 1,
  },
];

/** Rows that fulfil a count. @throws {FormatError} when the table lacks a column of it */
export async function countRows(folder: string, expected: ExpectedCount): Promise<number> {
  let rows = 0;
  for await (const { fields } of readTable(join(folder, expected.path), expected.columns)) {
    if (expected.holds(fields)) rows++;
  }
  return rows;
}

/** All rows of a file, counted as its kind wants it; blank lines are none. */
export async function countAllRows(path: string, counted: ExpectedRows["counted"]): Promise<number> {
  let rows = 0;
  await forEachLine(path, (text) => {
    if (counted === "motifs" ? /^MOTIF\s/.test(text) : text !== "") rows++;
  });
  return counted === "table" ? Math.max(0, rows - 1) : rows;
}
