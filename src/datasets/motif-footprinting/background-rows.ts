import { InputError } from "../../base/errors.ts";

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
