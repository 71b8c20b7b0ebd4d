import type { Model } from "../../models/model.ts";
import type { OpenTask, TaskRow } from "../tasks/task.ts";

/**
 * The batches in which the original embedded a table: consecutive rows of the whole table, all chromosomes, each member of
 * a row with the same member of the others. Where a task has several tables, each was embedded by itself. Without an attention mask a row's states depend on how far it was padded
 * (quirk Q7), which these batches decide.
 */
export class OriginalBatches {
  private readonly rows: readonly TaskRow[];
  /** Number of the first row of each table. */
  private readonly tables: readonly number[];
  private readonly tokens = new Map<number, Promise<readonly number[]>>();

  constructor(
    private readonly task: OpenTask,
    private readonly model: Model,
    private readonly batchSize: number,
  ) {
    const { rows, tables = [0] } = task.select({ split: "all", purpose: "answer", limit: null });
    this.rows = rows;
    this.tables = tables;
  }

  /** Tokens of the longest sequence in the row's batch, for each member. */
  tokensOf(row: number): Promise<readonly number[]> {
    const table = this.tables.findLastIndex((first) => first <= row);
    const first = this.tables[table]!;
    const batch = first + Math.floor((row - first) / this.batchSize) * this.batchSize;
    const known = this.tokens.get(batch) ?? this.count(batch, this.tables[table + 1]);
    this.tokens.set(batch, known);
    return known;
  }

  /** @param batch  number of its first row */
  private async count(batch: number, nextTable = Number.POSITIVE_INFINITY): Promise<readonly number[]> {
    const start = this.firstFrom(batch);
    const end = this.firstFrom(Math.min(batch + this.batchSize, nextTable));
    const examples = await this.task.examples(this.rows.slice(start, end));
    return this.task.task.members.map((_, member) =>
      Math.max(...examples.map(({ sequences }) => this.model.tokenCount!(sequences[member]!))),
    );
  }

  /** Place of the first row whose number is at least `index`; numbers rise. */
  private firstFrom(index: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle]!.index < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
