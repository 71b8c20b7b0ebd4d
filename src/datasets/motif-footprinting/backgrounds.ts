import { FormatError, InputError } from "../../base/errors.ts";
import { textLines } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";

/**
 * Backgrounds of a text file, one sequence per line, as DART-Eval's `raw_seqs_350.txt`; plain or compressed.
 * @throws {FormatError} naming the line when it has anything but A, C, G and T, or is of another length than the first
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
        `letter ${other.index + 1} is ${JSON.stringify(other[0])}`,
        "expected is one sequence per line, of A, C, G and T in upper case",
      );
    }
    const first = backgrounds[0] ?? text;
    if (text.length !== first.length) {
      throw new FormatError(
        place,
        `the sequence has ${text.length} letters, and the first has ${first.length}`,
      );
    }
    backgrounds.push(text);
  }
  if (backgrounds.length > 0) return backgrounds;
  throw new FormatError({ file: path }, "there is no sequence in the file");
}

/** Writes backgrounds, one per line, whole or not at all. @throws {InputError} when it cannot be written */
export async function writeBackgrounds(path: string, backgrounds: readonly string[]): Promise<void> {
  await writeFileAtomic(path, `${backgrounds.join("\n")}\n`);
}

/** Rows per batch of the file that the original's backgrounds were taken from. */
const BATCH = 1024;

/** Which batches are taken by name, how many of them, and which row of each. */
const EVERY = 20;
const MOST = 100;
const ROW = 567;

/**
 * Rows of Task 1's table whose shuffled controls are the backgrounds of Task 2, in the order of the backgrounds: of the
 * batches of 1,024 rows, listed by name as texts (`emb_0_1024`, `emb_1001472_1002496`, ...), every 20th of the first 2,000
 * gives its row 567 (quirk Q25: the script that makes such files now has batches of 512, of which none has that row).
 *
 * @param rowsInTable  2,348,854 in the benchmark, which gives 100 backgrounds; a smaller table gives fewer
 * @throws {InputError} when the table has no batch long enough
 */
export function backgroundRows(rowsInTable: number): readonly number[] {
  const starts = Array.from({ length: Math.ceil(rowsInTable / BATCH) }, (_, batch) => BATCH * batch);
  const byName = starts
    .map((start) => ({ start, name: `emb_${start}_${Math.min(start + BATCH, rowsInTable)}` }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = byName
    .filter((_, place) => place % EVERY === 0)
    .slice(0, MOST)
    .map(({ start }) => start + ROW)
    .filter((row) => row < rowsInTable);
  if (rows.length > 0) return rows;
  throw new InputError(`a table of ${rowsInTable} elements has no row ${ROW} to take a background from`, {
    hint: "give the whole table of elements, or sequences of your own as backgrounds",
  });
}
