import type { Model } from "../../models/model.ts";
import type { OpenTask, SequenceFile, TaskRow } from "../tasks/task.ts";

/** The original's list of sequences of each member, in the order of `Task.members`: one for all, or one each. */
export function sequenceFiles(task: OpenTask): readonly SequenceFile[] {
  const { members } = task.task;
  const { sequenceFile } = task;
  if (sequenceFile !== undefined) return members.map(() => sequenceFile);
  const { rows } = task.select({ split: "all", purpose: "answer", limit: null });
  return members.map((_, member) => memberFile(task, rows, member));
}

/** One member of all rows of the table, all chromosomes. */
function memberFile(task: OpenTask, rows: readonly TaskRow[], member: number): SequenceFile {
  return {
    lines: rows.length,
    lineOf: (row) => placeOf(rows, row),
    async at(lines) {
      const examples = await task.examples(lines.map((line) => rows[line]!));
      return examples.map(({ row, sequences }) => ({ letters: sequences[member]!, row, member }));
    },
  };
}

/** Place of the row with this number; numbers rise. */
function placeOf(rows: readonly TaskRow[], row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.index < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How far the original padded each of its sequences: to the longest of its batch, which are consecutive sequences of a list.
 * Without an attention mask a sequence's states depend on it (quirk Q7).
 */
export class PaddedBatches {
  private readonly tokens = new Map<SequenceFile, Map<number, Promise<number>>>();

  constructor(
    private readonly model: Model,
    private readonly batchSize: number,
  ) {}

  /** Whether the model's sequences of equal length may have different numbers of tokens. */
  static vary(model: Model): boolean {
    return model.tokenCount !== undefined && model.tokens !== "one-letter" && model.tokens !== "k-mer";
  }

  /** Tokens of the longest sequence in the batch of a line. */
  tokensOf(file: SequenceFile, line: number): Promise<number> {
    const batches = this.tokens.get(file) ?? new Map<number, Promise<number>>();
    this.tokens.set(file, batches);
    const batch = Math.floor(line / this.batchSize);
    const known = batches.get(batch) ?? this.count(file, batch);
    batches.set(batch, known);
    return known;
  }

  private async count(file: SequenceFile, batch: number): Promise<number> {
    const start = batch * this.batchSize;
    const length = Math.min(this.batchSize, file.lines - start);
    const sequences = await file.at(Array.from({ length }, (_, i) => start + i));
    return Math.max(...sequences.map(({ letters }) => this.model.tokenCount!(letters)));
  }
}
