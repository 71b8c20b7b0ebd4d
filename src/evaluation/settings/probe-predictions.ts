import { baseMap } from "../../dna/tokenizers/base-map.ts";
import type { SequenceEmbedding } from "../../models/model.ts";
import {
  type BaseTokens,
  type ProbingHead,
  probingInputs,
  probingLogits,
} from "../../models/training/probing-head.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { Embedder } from "../embeddings/embedder.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { Example } from "../tasks/task-rows.ts";
import type { InferencePart } from "./learner.ts";
import { OriginalBatches, sequenceFiles } from "./sequence-files.ts";
import type { SettingContext } from "./setting.ts";

/**
 * Positions that a head reads from a row of a task that did not train it. "bases": those it was trained on.
 * "tokens": as many positions as the sequence has tokens, as in the original for variants (quirks Q4 and Q5):
 * with tokens of several bases that number of first bases, with tokens of one base all tokens including the
 * end token.
 */
export type ReadPositions = "bases" | "tokens";

export interface ProbePredictionsOptions {
  readonly head: ProbingHead;
  readonly width: number;
  /** Positions that the head was trained on. */
  readonly basesOf: BaseTokens;
  readonly read: ReadPositions;
  /** The original's batch size: the longest sequence of a batch determines the number of positions. */
  readonly batchSize: number;
  /** Embedder without a store, since each sequence of a variant is embedded once. */
  readonly embedder: Embedder;
}

/**
 * Predictions of a probing head for rows of a task that did not train it.
 *
 * Sequences are embedded without padding, since the original masks it here (quirk Q8), unlike for training
 * rows.
 */
export class ProbePredictions {
  private readonly padded: OriginalBatches | undefined;
  private readonly graphs = new Map<number, Sym>();

  constructor(
    private readonly context: Pick<SettingContext, "task" | "model" | "signal">,
    private readonly options: ProbePredictionsOptions,
  ) {
    const { read, batchSize } = options;
    const vary = read === "tokens" && OriginalBatches.vary(context.model);
    this.padded = vary ? new OriginalBatches(context.model, batchSize) : undefined;
  }

  async answer(examples: readonly Example[]): Promise<readonly InferencePart[]> {
    const { task, signal } = this.context;
    const { name } = task.task;
    const sequences = examples.flatMap((example) =>
      example.sequences.map((bases, member) => ({
        bases,
        origin: { task: name, row: example.row, member },
      })),
    );
    const embeddings = await this.options.embedder.embed(sequences, signal);
    const groups = new Map<number, number[]>();
    for (const [i, { origin }] of sequences.entries()) {
      const positions = await this.positionsOf(task, origin, embeddings[i]);
      groups.set(positions, [...(groups.get(positions) ?? []), i]);
    }
    return [...groups].map(([positions, members]) =>
      this.part(
        positions,
        members,
        members.map((i) => embeddings[i]),
      ),
    );
  }

  /** Number of positions that the head reads of a sequence. */
  private async positionsOf(
    task: OpenTask,
    { row, member }: { readonly row: number; readonly member: number },
    { tokens }: SequenceEmbedding,
  ): Promise<number> {
    const { read, basesOf } = this.options;
    if (read === "bases") return basesOf.length;
    if (this.padded === undefined) return tokens;
    const file = this.files(task)[member];
    return this.padded.tokensOf(file, file.lineOf(row, member));
  }

  private known: ReturnType<typeof sequenceFiles> | undefined;
  private files(task: OpenTask) {
    this.known ??= sequenceFiles(task);
    return this.known;
  }

  private part(
    positions: number,
    sequences: readonly number[],
    embeddings: readonly SequenceEmbedding[],
  ): InferencePart {
    const basesOf = this.seen(positions);
    return {
      output: this.graph(positions, basesOf),
      sequences,
      feeds: headFeeds(embeddings, basesOf),
    };
  }

  private seen(positions: number): BaseTokens {
    const { read, basesOf } = this.options;
    if (read === "bases") return basesOf;
    return basesOf.kind === "gather"
      ? { kind: "gather", length: positions }
      : { kind: "all", length: basesOf.length };
  }

  /** One graph per number of positions, since the length of a convolution is fixed in its graph. */
  private graph(positions: number, basesOf: BaseTokens): Sym {
    const { head, width } = this.options;
    const known = this.graphs.get(positions);
    if (known !== undefined) return known;
    const { tokens, index } = probingInputs(width, basesOf);
    const made = probingLogits(head, tokens, basesOf, index);
    this.graphs.set(positions, made);
    return made;
  }
}

/**
 * Inputs of a probing head: embeddings padded with zeros to the longest, and for tokens of several bases the
 * token of each base. The head never reads padding.
 */
export function headFeeds(
  embeddings: readonly SequenceEmbedding[],
  { kind, length }: BaseTokens,
): Readonly<Record<string, NdArray>> {
  const { width } = embeddings[0];
  const tokens = kind === "gather" ? Math.max(...embeddings.map((each) => each.tokens)) : length + 1;
  const states = new Float32Array(embeddings.length * tokens * width);
  const index = new Int32Array(kind === "gather" ? embeddings.length * length : 0);
  embeddings.forEach((embedding, i) => {
    states.set(embedding.states, i * tokens * width);
    if (kind === "gather") index.set(baseMap(embedding, length), i * length);
  });
  return {
    embedding: { dtype: "float32", shape: [embeddings.length, tokens, width], data: states },
    ...(kind === "gather"
      ? { index: { dtype: "int32", shape: [embeddings.length, length], data: index } }
      : {}),
  };
}
