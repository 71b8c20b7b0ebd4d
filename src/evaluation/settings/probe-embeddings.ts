import { InternalError } from "../../base/errors.ts";
import { sizeBelow, temporaryFolder } from "../../base/folder.ts";
import { valueAt } from "../../base/record.ts";
import { mean } from "../../metrics/mean.ts";
import { has, type Origin, type SequenceEmbedding } from "../../models/model.ts";
import { Embedder, type SequenceToEmbed } from "../embeddings/embedder.ts";
import { EmbeddingStore, embeddingsPlace } from "../embeddings/embedding-store.ts";
import {
  checkFreeSpace,
  embeddingBytes,
  pack,
  type StoredAs,
  unpack,
} from "../embeddings/packed-embedding.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { Example, SequenceFile } from "../tasks/task-rows.ts";
import { OriginalBatches, sequenceFiles } from "./sequence-files.ts";
import type { EmbeddingsNeed, Setting, SettingContext } from "./setting.ts";
import { readTrainingRecipe } from "./training-recipe.ts";
import {
  trainedBy,
  trainingIdentity,
  trainingRows,
  trainingTaskForm,
  trainingTaskOf,
} from "./training-rows.ts";

/**
 * Embeddings that a probing head reads: computed by the model, stored in one precision, on disk or in memory.
 */
export class ProbeEmbeddings {
  readonly embedder: Embedder;
  private store: EmbeddingStore | undefined;
  private storedAs: StoredAs | undefined;
  private temporary: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  private lossReported = false;
  private readonly files = new Map<OpenTask, readonly SequenceFile[]>();
  /** The original's batches, which determine the padding of sequences under `paper`. */
  private readonly batches: OriginalBatches | undefined;

  /** @param extractionBatchSize  sequences that the original embedded together */
  constructor(
    private readonly context: SettingContext,
    extractionBatchSize: number,
  ) {
    const { model, protocol, batchSize } = context;
    this.embedder = new Embedder({ model, protocol, batchSize });
    const padded = protocol === "paper" && OriginalBatches.vary(model);
    this.batches = padded ? new OriginalBatches(model, extractionBatchSize) : undefined;
  }

  /** Decides the precision, once: before anything is stored or evaluated. */
  use(storedAs: StoredAs): void {
    this.storedAs ??= storedAs;
  }

  /**
   * Checks that this many sequences fit on disk.
   * @throws {InputError} when they do not
   */
  async checkSpaceFor(sequences: number, size: Pick<SequenceEmbedding, "tokens" | "width">): Promise<void> {
    const { embeddings: place, model, protocol } = this.context;
    if (place === undefined || place === "recompute") return;
    const { folder = (await this.temporaryPlace()).path } = place;
    const stored = await sizeBelow(embeddingsPlace(folder, { model, protocol }, this.precision));
    await checkFreeSpace(folder, sequences * embeddingBytes(size, this.precision) - stored.bytes);
  }

  /**
   * Stores sequences that are not stored yet.
   *
   * @param known  their embeddings, if already computed
   * @returns      the position of each sequence in the store
   */
  async add(
    sequences: readonly SequenceToEmbed[],
    known?: readonly SequenceEmbedding[],
  ): Promise<readonly number[]> {
    return (await this.open()).add(sequences, this.context.signal, known);
  }

  /** Embeddings in the order given. */
  async read(positions: readonly number[]): Promise<readonly SequenceEmbedding[]> {
    return (await this.open()).read(positions, this.context.signal);
  }

  /**
   * Embeddings of evaluated rows, rounded like those of training rows; stored only if runs share the store.
   */
  async evaluated(sequences: readonly SequenceToEmbed[]): Promise<readonly SequenceEmbedding[]> {
    const { embeddings: place } = this.context;
    if (place !== undefined && place !== "recompute" && place.shared)
      return this.read(await this.add(sequences));
    const embeddings = await this.embedder.embed(sequences, this.context.signal);
    return embeddings.map((embedding) => unpack(pack(embedding, this.precision)));
  }

  /** Reports the largest change of a state by rounding to float16. */
  reportRoundingLoss(): void {
    const { loss } = this.store ?? {};
    if (loss === undefined || this.lossReported) return;
    this.lossReported = true;
    const share = loss.largest === 0 ? 0 : loss.change / loss.largest;
    this.context.onNote?.(
      `stored as float16, states changed by at most ${loss.change.toPrecision(2)}, which is ${share.toPrecision(2)} of the largest`,
    );
  }

  async toEmbed(task: OpenTask, examples: readonly Example[]): Promise<readonly SequenceToEmbed[]> {
    const { name } = task.task;
    const sequences: SequenceToEmbed[] = [];
    for (const { row, sequences: members } of examples) {
      for (const [member, bases] of members.entries()) {
        const origin = { task: name, row, member };
        sequences.push({ bases, padTo: await this.padTo(task, row, member), origin });
      }
    }
    return sequences;
  }

  async close(): Promise<void> {
    await this.store?.close();
    await this.temporary?.remove();
  }

  private get precision(): StoredAs {
    if (this.storedAs === undefined)
      throw new InternalError("the precision of the embeddings is not decided");
    return this.storedAs;
  }

  private async open(): Promise<EmbeddingStore> {
    const { embeddings: place } = this.context;
    const recomputed = place === "recompute";
    const folder =
      place === undefined || recomputed ? undefined : (place.folder ?? (await this.temporaryPlace()).path);
    this.store ??= new EmbeddingStore({
      embedder: this.embedder,
      folder,
      storedAs: this.precision,
      recomputedFrom: recomputed ? (origins) => this.trainingSequences(origins) : undefined,
    });
    return this.store;
  }

  /** Sequences of training rows. */
  private async trainingSequences(origins: readonly Origin[]): Promise<readonly SequenceToEmbed[]> {
    const task = trainingTaskOf(this.context);
    const rows = Uint32Array.from(new Set(origins.map(({ row }) => row)));
    const sequences = await this.toEmbed(task, await task.examples(rows));
    const found = new Map(sequences.map((each) => [`${each.origin.row} ${each.origin.member}`, each]));
    return origins.map(({ row, member }) => valueAt(found, `${row} ${member}`));
  }

  private async temporaryPlace() {
    this.temporary ??= await temporaryFolder();
    return this.temporary;
  }

  /** Tokens to which the original padded a sequence. */
  private async padTo(task: OpenTask, row: number, member: number): Promise<number | undefined> {
    if (this.batches === undefined) return undefined;
    const files = this.files.get(task) ?? sequenceFiles(task);
    this.files.set(task, files);
    const file = files[member];
    return this.batches.tokensOf(file, file.lineOf(row, member));
  }
}

type NeedContext = Parameters<NonNullable<Setting["embeddingsNeed"]>>[0];

/** Rows from which the mean number of tokens is estimated. */
const ROWS = 64;

/**
 * Embeddings that a cell of the setting `probed` stores.
 * @returns undefined if the model does not declare its width
 */
export async function probeEmbeddingsNeed(
  setting: string,
  context: NeedContext,
  storedAs: StoredAs | "auto",
): Promise<EmbeddingsNeed | undefined> {
  const { model, weights, task } = context;
  const { width } = model;
  if (width === undefined) return undefined;
  const form = trainingTaskForm(context, setting);
  const perEvaluatedRow = trainedBy(context, setting) === undefined ? task.task.members.length : 0;
  const rows = weights === undefined ? trainingRows(context, readTrainingRecipe(context.recipe)) : undefined;
  const size = { width, tokens: await meanTokens(context, setting) };
  return {
    training: rows === undefined ? undefined : trainingIdentity(context, setting, rows),
    sequences: rows === undefined ? 0 : (rows.train.rows.length + rows.val.rows.length) * form.members.length,
    perEvaluatedRow,
    bytesPerSequence: { float32: embeddingBytes(size, "float32"), float16: embeddingBytes(size, "float16") },
    storedAs,
    secondsPerSequence: (batchSize, signal) => secondsPerSequence(context, batchSize, signal),
  };
}

/** Time per sequence of a second call, since the first warms up. */
async function secondsPerSequence(
  context: NeedContext,
  batchSize: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { model } = context;
  const task = trainingTaskOf(context);
  const { rows } = trainingRows(context, readTrainingRecipe(context.recipe)).train;
  const examples = await task.examples(rows.slice(0, ROWS));
  const sequences = examples
    .flatMap(({ row, sequences }) =>
      sequences.map((bases, member) => ({ bases, origin: { task: task.task.name, row, member } })),
    )
    .slice(0, batchSize);
  const embedder = new Embedder({ model, protocol: "corrected", batchSize });
  await embedder.embed(sequences, signal);
  const began = performance.now();
  await embedder.embed(sequences, signal);
  return (performance.now() - began) / 1000 / sequences.length;
}

/** Mean number of tokens of a sequence, over the first training rows if it varies. */
async function meanTokens(context: NeedContext, setting: string): Promise<number> {
  const { model, weights } = context;
  const { window } = trainingTaskForm(context, setting);
  if (!has(model, "tokenCount")) return window + 1;
  if (!OriginalBatches.vary(model)) return model.tokenCount("A".repeat(window));
  const task = weights === undefined ? trainingTaskOf(context) : context.task;
  const { rows } = task.select({ split: "all", purpose: "evaluate", limit: null });
  const examples = await task.examples(rows.slice(0, ROWS));
  const counts = examples.flatMap(({ sequences }) => sequences.map((bases) => model.tokenCount(bases)));
  return counts.length === 0 ? window + 1 : mean(counts);
}
