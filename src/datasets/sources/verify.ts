import { join } from "node:path";
import { mismatch } from "../../base/digest.ts";
import { kindOfPath } from "../../base/folder.ts";
import { readTable } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { SOURCES } from "./catalogue.ts";
import { readDataRecord } from "./data-record.ts";
import type { ExpectedRowCount } from "./source.ts";

/** Result of one check of one file. */
export interface DataCheck {
  readonly path: string;
  /** Checked property: "contents", "rows". */
  readonly what: string;
  readonly ok: boolean;
  /** Finding as text. */
  readonly says: string;
}

/**
 * Checks a data folder: size and SHA-256 of every recorded file, and row counts where the benchmark's authors
 * or the sources state them. Skips row counts of missing files.
 *
 * @param onCheck  called with each result
 */
export async function verifyData(
  folder: string,
  { signal, onCheck }: { readonly signal?: AbortSignal; readonly onCheck?: (check: DataCheck) => void } = {},
): Promise<readonly DataCheck[]> {
  const checks: DataCheck[] = [];
  const add = (check: DataCheck) => {
    checks.push(check);
    onCheck?.(check);
  };
  const isThere = async (path: string) => (await kindOfPath(join(folder, path))) === "file";
  const broken = new Set<string>();
  for (const { path, bytes, sha256, from } of await readDataRecord(folder)) {
    signal?.throwIfAborted();
    const wrong = (await isThere(path))
      ? await mismatch(join(folder, path), { bytes, sha256 })
      : "is missing";
    if (wrong !== undefined) broken.add(path);
    add({ path, what: "contents", ok: wrong === undefined, says: wrong ?? `as recorded, from ${from}` });
  }
  const counted = async (path: string, what: string, rows: number, count: () => Promise<number>) => {
    signal?.throwIfAborted();
    if (broken.has(path) || !(await isThere(path))) return;
    const found = await count();
    const text = (n: number) => n.toLocaleString("en-US");
    const ok = found === rows;
    add({ path, what, ok, says: ok ? text(found) : `${text(found)}; expected ${text(rows)}` });
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

/** Number of rows of a table that meet a condition, as counted by the benchmark's authors. */
export interface ExpectedCount {
  readonly path: string;
  /** Label of the counted rows. */
  readonly what: string;
  readonly rows: number;
  /** Columns that the condition reads. */
  readonly columns: readonly string[];
  matches(fields: readonly string[]): boolean;
}

const AFRICAN_TABLE = "task_5_variant_effect_prediction/input_data/Afr.CaQTLS.tsv";
const YORUBAN_TABLE = "task_5_variant_effect_prediction/input_data/yoruban.dsqtls.benchmarking.tsv";
const LABELLED_PEAKS =
  "task_3_peak_classification/processed_inputs/peaks_by_cell_label_unique_dataloader_format.tsv";

const isTrue = (text: string | undefined) => text?.toLowerCase() === "true";

const peaksOf = (line: string, rows: number): ExpectedCount => ({
  path: LABELLED_PEAKS,
  what: `peaks of ${line} only`,
  rows,
  columns: ["label"],
  matches: ([label]) => label === line,
});

/** Counts of subsets of rows. The sources state the counts of all rows. */
export const EXPECTED_COUNTS: readonly ExpectedCount[] = [
  peaksOf("GM12878", 45_184),
  peaksOf("H1ESC", 49_208),
  peaksOf("HEPG2", 33_948),
  peaksOf("IMR90", 50_783),
  peaksOf("K562", 37_623),
  {
    path: AFRICAN_TABLE,
    what: "evaluated variants",
    rows: 84_820,
    columns: ["IsUsed", "in_peaks"],
    matches: (fields) => fields.every(isTrue),
  },
  {
    path: AFRICAN_TABLE,
    what: "evaluated significant variants",
    rows: 6_821,
    columns: ["IsUsed", "in_peaks", "label"],
    matches: (fields) => fields.every(isTrue),
  },
  {
    path: YORUBAN_TABLE,
    what: "evaluated variants",
    rows: 27_373,
    columns: ["var.isused"],
    matches: (fields) => fields.every(isTrue),
  },
  {
    path: YORUBAN_TABLE,
    what: "evaluated significant variants",
    rows: 560,
    columns: ["var.isused", "var.label"],
    matches: ([used, label]) => isTrue(used) && Number(label) === 1,
  },
];

/** Counts the matching rows. @throws {FormatError} when the table lacks a column */
async function countRows(folder: string, expected: ExpectedCount): Promise<number> {
  let rows = 0;
  for await (const { fields } of readTable(join(folder, expected.path), expected.columns)) {
    if (expected.matches(fields)) rows++;
  }
  return rows;
}

/** Counts the rows of a file, without blank lines. */
async function countAllRows(path: string, counted: ExpectedRowCount["counted"]): Promise<number> {
  let rows = 0;
  await forEachLine(path, (text) => {
    if (counted === "motifs" ? /^MOTIF\s/.test(text) : text !== "") rows++;
  });
  return counted === "table" ? Math.max(0, rows - 1) : rows;
}
