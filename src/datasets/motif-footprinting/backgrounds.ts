import { FormatError, InputError } from "../../base/errors.ts";
import { textLines } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";

/**
 * Reads background sequences, one per line, such as DART-Eval's `raw_seqs_350.txt`; plain or compressed.
 * @throws {FormatError} naming the line when a sequence has a character other than A, C, G, T or differs in
 *   length from the first
 */
export async function readBackgrounds(path: string): Promise<readonly string[]> {
  const backgrounds: string[] = [];
  for await (const { text, number } of textLines(path)) {
    const place = { file: path, line: number };
    if (text === "") continue;
    const other = /[^ACGT]/.exec(text);
    if (other !== null) {
      throw new FormatError(
        place,
        `base ${other.index + 1} is ${JSON.stringify(other[0])}`,
        "expected one sequence of upper-case A, C, G and T per line",
      );
    }
    const first = backgrounds[0] ?? text;
    if (text.length !== first.length) {
      throw new FormatError(
        place,
        `the sequence has ${text.length} bases, and the first has ${first.length}`,
      );
    }
    backgrounds.push(text);
  }
  if (backgrounds.length > 0) return backgrounds;
  throw new FormatError({ file: path }, "there is no sequence in the file");
}

/** Writes backgrounds, one per line, atomically. @throws {InputError} when the file cannot be written */
export async function writeBackgrounds(path: string, backgrounds: readonly string[]): Promise<void> {
  await writeFileAtomic(path, `${backgrounds.join("\n")}\n`);
}

/** Rows per batch of the file from which the original took its backgrounds. */
const BATCH = 1024;

/** Every 20th batch by name, at most 100 batches, row 567 of each. */
const BATCH_STEP = 20;
const MAX_BATCHES = 100;
const BATCH_ROW = 567;

/**
 * Rows of Task 1's table whose shuffled controls are Task 2's backgrounds, in the order of the backgrounds:
 * row 567 of every 20th of the first 2,000 batches of 1,024 rows, with the batches sorted by name as text
 * (`emb_0_1024`, `emb_1001472_1002496`, ...). Quirk Q25: the script that writes such files now makes batches
 * of 512 rows, which have no row 567.
 *
 * @param rowsInTable  2,348,854 in the benchmark, which gives 100 backgrounds; a smaller table gives fewer
 * @throws {InputError} when no batch has enough rows
 */
export function backgroundRows(rowsInTable: number): readonly number[] {
  const starts = Array.from({ length: Math.ceil(rowsInTable / BATCH) }, (_, batch) => BATCH * batch);
  const byName = starts
    .map((start) => ({ start, name: `emb_${start}_${Math.min(start + BATCH, rowsInTable)}` }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = byName
    .filter((_, i) => i % BATCH_STEP === 0)
    .slice(0, MAX_BATCHES)
    .map(({ start }) => start + BATCH_ROW)
    .filter((row) => row < rowsInTable);
  if (rows.length > 0) return rows;
  throw new InputError(`a table of ${rowsInTable} elements has no row ${BATCH_ROW} for a background`, {
    hint: "use the whole table of elements, or your own background sequences",
  });
}
