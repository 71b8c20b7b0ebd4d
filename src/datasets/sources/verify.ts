import { join } from "node:path";
import { mismatch } from "../../base/digest.ts";
import { kindOfPath } from "../../base/folder.ts";
import { SOURCES } from "./catalogue.ts";
import { countAllRows, countRows, EXPECTED_COUNTS } from "./counts.ts";
import { readDataRecord } from "./data-record.ts";

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
