import { firstIndex } from "../../base/binary-search.ts";
import type { Numbers } from "../../base/typed-numbers.ts";
import { ColumnsBuilder } from "./columns-builder.ts";
import type { RowFacts } from "./prediction.ts";
import type { PredictionColumns } from "./prediction-columns.ts";
import { blocksOf } from "./row-list.ts";
import type { RowList } from "./task-rows.ts";

/**
 * Predictions of distinct rows by ascending row number. Columns on disk are sorted by an external merge sort,
 * which writes them to temporary files twice.
 */
export function inRowOrder<Row extends RowFacts>(columns: PredictionColumns<Row>): PredictionColumns<Row> {
  if (isAscending(columns.rowList)) return columns;
  const { layout, blockNumbers } = columns;
  const sorted = new ColumnsBuilder(columns.length, layout, { blockNumbers });
  const runs: Run[] = [];
  for (const block of columns.blocks()) {
    const run = block.pick(ascendingOrder(block.rows));
    if (run.length === columns.length) return run;
    const start = runs.at(-1)?.end ?? 0;
    runs.push({ head: run.rows[0], next: start, end: start + run.length });
    sorted.add(run);
  }
  const merged = new ColumnsBuilder(columns.length, layout, { blockNumbers });
  for (const block of mergedRuns(sorted.done(), runs)) merged.add(block);
  return merged.done() as PredictionColumns<Row>;
}

/** Indices [next, end) of ascending rows that are not merged yet. */
interface Run {
  /** Row number at `next`; infinity at the end. */
  head: number;
  next: number;
  readonly end: number;
}

/**
 * Merges runs of distinct rows. A block has the rows of a range of numbers, which are consecutive in every
 * run, and which are not more than the rows of the longest run.
 */
function* mergedRuns(sorted: PredictionColumns, runs: readonly Run[]): Generator<PredictionColumns> {
  const { rowList } = sorted;
  const numbers = Math.max(...runs.map(({ next, end }) => end - next));
  for (;;) {
    const least = Math.min(...runs.map(({ head }) => head));
    if (least === Number.POSITIVE_INFINITY) return;
    const block = new ColumnsBuilder(numbers, sorted.layout, { memory: Number.POSITIVE_INFINITY });
    for (const run of runs) {
      if (run.head >= least + numbers) continue;
      const until = placeOf(rowList, least + numbers, run);
      block.add(sorted.slice(run.next, until));
      run.next = until;
      run.head = until < run.end ? rowList.slice(until, until + 1)[0] : Number.POSITIVE_INFINITY;
    }
    const rows = block.done();
    yield rows.pick(ascendingOrder(rows.rows));
  }
}

/** First index of a run whose row number is at least `row`. */
const placeOf = (rows: RowList, row: number, { next, end }: Run): number =>
  firstIndex(next, end, (i) => rows.slice(i, i + 1)[0] >= row);

function isAscending(rows: RowList): boolean {
  let before = -1;
  for (const block of blocksOf(rows)) {
    for (const row of block) {
      if (row < before) return false;
      before = row;
    }
  }
  return true;
}

/** Indices that sort distinct row numbers in ascending order. */
function ascendingOrder(rows: Numbers): Uint32Array {
  const count = rows.length;
  let most = 0;
  for (const row of rows) most = Math.max(most, row);
  if ((most + 1) * count > Number.MAX_SAFE_INTEGER) {
    return Uint32Array.from(rows, (_, i) => i).sort((a, b) => rows[a] - rows[b]);
  }
  // Sorting numbers that encode row and index takes a third of the memory of sorting with a function.
  const keys = Float64Array.from(rows, (row, i) => row * count + i).sort();
  return Uint32Array.from(keys, (key) => key % count);
}
