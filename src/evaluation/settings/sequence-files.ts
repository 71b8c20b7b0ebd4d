import { lowerBound } from "../../base/binary-search.ts";
import { assertHas, type Model } from "../../models/model.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { Example, RowNumbers, SequenceFile } from "../tasks/task-rows.ts";

/**
 * The original's list of sequences of each member, in the order of `Task.members`: one for all, or one each.
 */
export function sequenceFiles(task: OpenTask): readonly SequenceFile[] {
  const { members } = task.task;
  const { sequenceFile } = task;
  if (sequenceFile !== undefined) return members.map(() => sequenceFile);
  const selected = task.select({ split: "all", purpose: "evaluate", limit: null });
  const { tables = [0] } = selected;
  const rows = selected.rows.slice();
  const examples = rememberingLast((lines) => task.examples(Uint32Array.from(lines, (line) => rows[line])));
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
    lineOf: (row) => lowerBound(rows, row),
    async at(lines) {
      return (await examples(lines)).map(({ row, sequences }) => ({
        bases: sequences[member],
        row,
        member,
      }));
    },
    batchOf(line, size) {
      const number = rows[line];
      const table = tables.findLastIndex((first) => first <= number);
      const first = tables[table];
      const from = first + Math.floor((number - first) / size) * size;
      const to = Math.min(from + size, tables[table + 1] ?? Number.POSITIVE_INFINITY);
      return [lowerBound(rows, from), lowerBound(rows, to)];
    },
  };
}

/** Caches the last examples: the members of a row are requested one after the other, but made together. */
function rememberingLast(examples: Table["examples"]): Table["examples"] {
  let last: { readonly key: string; readonly found: Promise<readonly Example[]> } | undefined;
  return (lines) => {
    const key = lines.join(" ");
    if (last?.key !== key) last = { key, found: examples(lines) };
    return last.found;
  };
}

/**
 * The original's batches of consecutive sequences. Without an attention mask, states depend on padding (quirk
 * Q7), which is to the longest sequence of the batch.
 */
export class OriginalBatches {
  /** Tokens of the longest sequence, by the first line of the batch. */
  private readonly tokens = new Map<SequenceFile, Map<number, Promise<number>>>();

  constructor(
    private readonly model: Model,
    private readonly batchSize: number,
  ) {}

  /** True if sequences of equal length may have different numbers of tokens, so that batches are padded. */
  static vary(model: Model): boolean {
    return model.tokenCount !== undefined && model.tokens !== "one-letter" && model.tokens !== "k-mer";
  }

  /** Tokens of the longest sequence in the batch of a line. */
  tokensOf(file: SequenceFile, line: number): Promise<number> {
    const [from, to] = this.batchOf(file, line);
    const batches = this.tokens.get(file) ?? new Map<number, Promise<number>>();
    this.tokens.set(file, batches);
    const known = batches.get(from) ?? this.count(file, from, to);
    batches.set(from, known);
    return known;
  }

  private batchOf(file: SequenceFile, line: number): readonly [from: number, to: number] {
    if (file.batchOf !== undefined) return file.batchOf(line, this.batchSize);
    const from = line - (line % this.batchSize);
    return [from, Math.min(from + this.batchSize, file.lines)];
  }

  private async count(file: SequenceFile, from: number, to: number): Promise<number> {
    const sequences = await file.at(Array.from({ length: to - from }, (_, i) => from + i));
    const { model } = this;
    assertHas(model, "tokenCount");
    return Math.max(...sequences.map(({ bases }) => model.tokenCount(bases)));
  }
}

/**
 * Order of sequences if batches are sorted by name, `emb_{start}_{end}`, as texts and not by number (quirk
 * Q2): `emb_0_64`, `emb_100032_100096`, ..., `emb_1024_1088`, ..., `emb_64_128`. Labels remain in file order,
 * so that label i meets sequence `textOrder(...)(i)`.
 *
 * @param lines      number of sequences
 * @param batchSize  sequences per batch; the last may have fewer
 * @returns          the sequence at position i, both from 0; a permutation of 0 to lines − 1
 */
export function textOrder(lines: number, batchSize: number): (position: number) => number {
  const batches = Array.from({ length: Math.ceil(lines / batchSize) }, (_, batch) => {
    const start = batch * batchSize;
    const end = Math.min(start + batchSize, lines);
    return { start, size: end - start, name: `emb_${start}_${end}` };
  });
  batches.sort((a, b) => (a.name < b.name ? -1 : 1));
  const positions = new Int32Array(batches.length);
  for (let i = 1; i < batches.length; i++) positions[i] = positions[i - 1] + batches[i - 1].size;
  return (position) => {
    // All batches but one are full, so the batch is this one or the next.
    let i = Math.min(Math.floor(position / batchSize), batches.length - 1);
    if (i + 1 < batches.length && positions[i + 1] <= position) i++;
    return batches[i].start + position - positions[i];
  };
}
