import type { Example, OpenTask, RowNumbers, SequenceFile } from "../tasks/task.ts";

/** The original's list of sequences of each member, in the order of `Task.members`: one for all, or one each. */
export function sequenceFiles(task: OpenTask): readonly SequenceFile[] {
  const { members } = task.task;
  const { sequenceFile } = task;
  if (sequenceFile !== undefined) return members.map(() => sequenceFile);
  const { rows, tables = [0] } = task.select({ split: "all", purpose: "answer", limit: null });
  const examples = rememberingLast((lines) => task.examples(Uint32Array.from(lines, (line) => rows[line]!)));
  return members.map((_, member) => memberFile({ rows, tables, examples }, member));
}

interface Table {
  /** All chromosomes. */
  readonly rows: RowNumbers;
  /** Number of the first row of each table. */
  readonly tables: readonly number[];
  examples(lines: readonly number[]): Promise<readonly Example[]>;
}

/** One member of all rows of the table. */
function memberFile({ rows, tables, examples }: Table, member: number): SequenceFile {
  return {
    lines: rows.length,
    lineOf: (row) => placeOf(rows, row),
    async at(lines) {
      return (await examples(lines)).map(({ row, sequences }) => ({
        letters: sequences[member]!,
        row,
        member,
      }));
    },
    batchOf(line, size) {
      const number = rows[line]!;
      const table = tables.findLastIndex((first) => first <= number);
      const first = tables[table]!;
      const from = first + Math.floor((number - first) / size) * size;
      const to = Math.min(from + size, tables[table + 1] ?? Number.POSITIVE_INFINITY);
      return [placeOf(rows, from), placeOf(rows, to)];
    },
  };
}

/** Place of the first row whose number is at least this one; numbers rise. */
function placeOf(rows: RowNumbers, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The members of a row are asked for one after the other, and come together. */
function rememberingLast(examples: Table["examples"]): Table["examples"] {
  let last: { readonly key: string; readonly found: Promise<readonly Example[]> } | undefined;
  return (lines) => {
    const key = lines.join(" ");
    if (last?.key !== key) last = { key, found: examples(lines) };
    return last.found;
  };
}
