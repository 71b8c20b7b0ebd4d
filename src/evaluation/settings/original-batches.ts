import type { Model } from "../../models/model.ts";
import type { SequenceFile } from "../tasks/task.ts";

/**
 * The batches in which the original embedded a list of sequences, one after the other. Without an attention mask a sequence's
 * states depend on how far it was padded (quirk Q7), which is to the longest of its batch.
 */
export class OriginalBatches {
  /** Tokens of the longest sequence, by the first line of the batch. */
  private readonly tokens = new Map<SequenceFile, Map<number, Promise<number>>>();

  constructor(
    private readonly model: Model,
    private readonly batchSize: number,
  ) {}

  /** Whether the model's sequences of equal length may have different numbers of tokens; else there is nothing to pad. */
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
    return Math.max(...sequences.map(({ letters }) => this.model.tokenCount!(letters)));
  }
}
