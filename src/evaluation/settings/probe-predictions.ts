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
import type { Example, OpenTask } from "../tasks/task.ts";
import type { InferencePart } from "./learner.ts";
import { OriginalBatches, sequenceFiles } from "./sequence-files.ts";
import type { SettingContext } from "./setting.ts";

/**
 * What a head reads of a row of another task than the one that trained it. "bases": what it was trained on. "tokens": as many
 * positions as the sequence has tokens, as the original did with variants (quirks Q4 and Q5): of tokens of several bases the
 * first so many bases, of tokens of one base each all tokens, the end token with them.
 */
export type ReadPositions = "bases" | "tokens";

export interface ProbePredictionsOptions {
  readonly head: ProbingHead;
  readonly width: number;
  /** What the head was trained on. */
  readonly basesOf: BaseTokens;
  readonly read: ReadPositions;
  /** Sequences that the original scored at once: how many positions it read of each is up to the longest. */
  readonly batchSize: number;
  /** Nothing is stored: each sequence of a variant is embedded once. */
  readonly embedder: Embedder;
}

/**
 * Answers of a probing head to rows of another task than the one that trained it.
 *
 * The model sees sequences without padding, since the original hid it here (quirk Q8), other than where it embedded the rows
 * that train.
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
      example.sequences.map((letters, member) => ({
        letters,
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

  /** Positions that the head reads of a sequence. */
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

  /** One graph for each number of positions: a convolution's length is known to its graph. */
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
 * Inputs of a probing head: embeddings padded with zeros to the longest, and the token of each base where one token stands for
 * several. What is read of a sequence never lies in the padding.
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
