import type { Model } from "../../models/model.ts";
import type { OpenTask, TaskRow } from "../tasks/task.ts";

/**
 * The batches in which the original embedded a table: consecutive rows of the whole table, all chromosomes, each member of
 * a row with the same member of the others. Without an attention mask a row's states depend on how far it was padded
 * (quirk Q7), which these batches decide.
 */
export class OriginalBatches {
  private readonly rows: readonly TaskRow[];
  private readonly tokens = new Map<number, Promise<readonly number[]>>();

  constructor(
    private readonly task: OpenTask,
    private readonly model: Model,
    private readonly batchSize: number,
  ) {
    this.rows = task.select({ split: "all", limit: null }).rows;
  }

  /** Tokens of the longest sequence in the row's batch, for each member. */
  tokensOf(row: number): Promise<readonly number[]> {
    const batch = Math.floor(row / this.batchSize);
    const known = this.tokens.get(batch) ?? this.count(batch);
    this.tokens.set(batch, known);
    return known;
  }

  private async count(batch: number): Promise<readonly number[]> {
    const start = this.firstFrom(batch * this.batchSize);
    const end = this.firstFrom((batch + 1) * this.batchSize);
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
