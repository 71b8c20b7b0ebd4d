import { join } from "node:path";
import { mismatch } from "../../base/digest.ts";
import { kindOfPath } from "../../base/folder.ts";
import { readTable } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { SOURCES } from "./catalogue.ts";
import { readDataRecord } from "./data-record.ts";
import type { ExpectedRowCount } from "./source.ts";

/** What became of one check of one file. */
export interface DataCheck {
  readonly path: string;
  /** What was checked, in words. */
  readonly what: string;
  readonly ok: boolean;
  readonly says: string;
}

/**
 * Checks a data folder: every recorded file by size and SHA-256, and, where the benchmark's authors or the sources say how
 * many rows a file has, those. Files that are not there are not checked.
 *
 * @param onCheck  told each result as it comes
 */
export async function verifyData(
  folder: string,
  { signal, onCheck }: { readonly signal?: AbortSignal; readonly onCheck?: (check: DataCheck) => void } = {},
): Promise<readonly DataCheck[]> {
  const checks: DataCheck[] = [];
  const tell = (check: DataCheck) => {
    checks.push(check);
    onCheck?.(check);
  };
  const isThere = async (path: string) => (await kindOfPath(join(folder, path))) === "file";
  const broken = new Set<string>();
  for (const { path, bytes, sha256, from } of await readDataRecord(folder)) {
    signal?.throwIfAborted();
    const wrong = (await isThere(path))
      ? await mismatch(join(folder, path), { bytes, sha256 })
      : "is not there any more";
    if (wrong !== undefined) broken.add(path);
    tell({ path, what: "contents", ok: wrong === undefined, says: wrong ?? `as recorded, from ${from}` });
  }
  const counted = async (path: string, what: string, rows: number, count: () => Promise<number>) => {
    signal?.throwIfAborted();
    if (broken.has(path) || !(await isThere(path))) return;
    const found = await count();
    const text = (n: number) => n.toLocaleString("en-US");
    const ok = found === rows;
    tell({ path, what, ok, says: ok ? text(found) : `${text(found)}; expected ${text(rows)}` });
  };
  for (const { path, expectedRows } of SOURCES) {
    if (expectedRows === undefined) continue;
    await counted(path, "rows", expectedRows.rows, () =>
      countAllRows(join(folder, path), expectedRows.counted),
    );
  }
  for (const expected of EXPECTED_COUNTS) {
    await counted(expected.path, expected.what, expected.rows, () => countRows(folder, expected));
  }
  return checks;
}

/** How many rows of a table fulfil something, as the benchmark's authors counted them. */
export interface ExpectedCount {
  readonly path: string;
  /** What is counted, in words. */
  readonly what: string;
  readonly rows: number;
  readonly columns: readonly string[];
  holds(fields: readonly string[]): boolean;
}

const AFRICAN_TABLE = "task_5_variant_effect_prediction/input_data/Afr.CaQTLS.tsv";
const YORUBAN_TABLE = "task_5_variant_effect_prediction/input_data/yoruban.dsqtls.benchmarking.tsv";
const LABELLED_PEAKS =
  "task_3_peak_classification/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv";

const isTrue = (text: string | undefined) => text?.toLowerCase() === "true";

const peaksOf = (line: string, rows: number): ExpectedCount => ({
  path: LABELLED_PEAKS,
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
    path: AFRICAN_TABLE,
    what: "variants in peaks that are used",
    rows: 84_820,
    columns: ["IsUsed", "in_peaks"],
    holds: (fields) => fields.every(isTrue),
  },
  {
    path: AFRICAN_TABLE,
    what: "of them significant",
    rows: 6_821,
    columns: ["IsUsed", "in_peaks", "label"],
    holds: (fields) => fields.every(isTrue),
  },
  {
    path: YORUBAN_TABLE,
    what: "variants that are used",
    rows: 27_373,
    columns: ["var.isused"],
    holds: (fields) => fields.every(isTrue),
  },
  {
    path: YORUBAN_TABLE,
    what: "of them significant",
    rows: 560,
    columns: ["var.isused", "var.label"],
    holds: ([used, label]) => isTrue(used) && Number(label) === 1,
  },
];

/** Rows that fulfil a count. @throws {FormatError} when the table lacks a column of it */
async function countRows(folder: string, expected: ExpectedCount): Promise<number> {
  let rows = 0;
  for await (const { fields } of readTable(join(folder, expected.path), expected.columns)) {
    if (expected.holds(fields)) rows++;
  }
  return rows;
}

/** All rows of a file, counted as its kind wants it; blank lines are none. */
async function countAllRows(path: string, counted: ExpectedRowCount["counted"]): Promise<number> {
  let rows = 0;
  await forEachLine(path, (text) => {
    if (counted === "motifs" ? /^MOTIF\s/.test(text) : text !== "") rows++;
  });
  return counted === "table" ? Math.max(0, rows - 1) : rows;
}
