import { InputError } from "../../base/errors.ts";
import { counted, gibibytes } from "../../base/message-text.ts";
import { has, type Model } from "../../models/model.ts";
import type { Setting, TrainingMemory } from "../settings/setting.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { Example, RowNumbers } from "../tasks/task-rows.ts";
import { cellName } from "./cell.ts";

/**
 * Rows per block: rows are sorted by length and scored within blocks. Sequences are read and tokens counted
 * once per block, a block needs few chromosomes, and batches rarely mix long and short sequences.
 */
export const BLOCK_ROWS = 4096;

/**
 * Sorts a block's examples for scoring: by the number of tokens in the row's longest sequence, ascending,
 * which keeps padding short; in table order for ties and for models without `tokenCount`.
 *
 * The order depends on the rows and the model only, so a resumed run makes the same batches.
 */
export function inScoringOrder(examples: readonly Example[], model: Model): readonly Example[] {
  if (model.tokenCount === undefined) return examples;
  const tokens = examples.map((example) => longestTokenCount(example, model));
  const order = examples.map((_, i) => i).sort((a, b) => tokens[a] - tokens[b] || a - b);
  return order.map((i) => examples[i]);
}

interface BatchedCell {
  readonly setting: Setting;
  readonly task: OpenTask;
  /** Sequences per call. */
  readonly batchSize: number;
}

/** Number of rows per call of the model, at least one. */
export function rowsPerBatch({ setting, task, batchSize }: BatchedCell): number {
  return Math.max(1, Math.floor(batchSize / setting.sequencesPerRow(task.task)));
}

/** @throws {InputError} when a row of the block is not done */
export function expectRows(done: RowNumbers, block: RowNumbers, cell: string) {
  const rows = new Set(done);
  if (block.some((row) => !rows.has(row))) throw otherRows(cell);
}

/** @throws {InputError} when the rows done are not the first of the examples */
export function checkPrefix(done: RowNumbers, examples: readonly Example[], cell: string) {
  if (done.some((row, i) => examples[i]?.row !== row)) throw otherRows(cell);
}

function otherRows(cell: string) {
  return new InputError(`the stored rows of cell ${cellName(cell)} are not the first ones of its order`, {
    hint: "the model's `tokenCount` may have changed; choose a new folder",
  });
}

/** Options of `OpenTask.examples` for a model. */
export const exampleOptions = ({ readsSequences = true }: Model) => ({ bases: readsSequences });

/** Number of tokens in the longest sequence of an example. */
export function longestTokenCount({ sequences }: Example, model: Model): number {
  return Math.max(...sequences.map((bases) => model.tokenCount?.(bases) ?? bases.length));
}

/** Default number of sequences per call. */
const DEFAULT_BATCH_SIZE = 256;

export interface BatchSizeOptions {
  /** Sequences per call, as requested by the user. */
  readonly requested: number | undefined;
  /** Sequences per call of an earlier process that began the shard. */
  readonly begun: number | undefined;
  /** Number of tokens in the longest sequence. */
  readonly tokens: number;
  /** Available memory in bytes. */
  readonly available: number;
  /** Bytes of the run's other models. */
  readonly others: number;
  readonly query: "embedding" | undefined;
}

export interface BatchSizeChoice {
  readonly batchSize: number;
  /** Bytes; undefined for a model without `memory`. */
  readonly memory: number | undefined;
  readonly note?: string;
}

/**
 * Sequences per call before memory is considered: requested, or of the process that began, or the model's
 * own.
 */
export const wantedBatchSize = (
  model: Model,
  { requested, begun }: Pick<BatchSizeOptions, "requested" | "begun">,
): number => requested ?? begun ?? model.batchSize ?? DEFAULT_BATCH_SIZE;

/**
 * Chooses the number of sequences per call: the requested one, else that of the process that began the shard,
 * else the model's own, halved until it fits in memory.
 *
 * @throws {InputError} when the requested size does not fit, or not even one sequence does
 */
export function fittingBatchSize(model: Model, options: BatchSizeOptions): BatchSizeChoice {
  const { requested, tokens, available, others, query } = options;
  const wanted = wantedBatchSize(model, options);
  if (!has(model, "memory")) return { batchSize: wanted, memory: undefined };
  const bytesOf = (size: number) => model.memory(size, tokens, query);
  let batchSize = wanted;
  while (batchSize > 1 && bytesOf(batchSize) > available) batchSize = Math.floor(batchSize / 2);
  const memory = bytesOf(batchSize);
  if (memory > available) {
    throw new InputError(
      `the model ${JSON.stringify(model.name)} needs ${gibibytes(memory)} for one sequence of ${counted(tokens, "token")}, and ${gibibytes(available)} are available`,
      {
        hint:
          others > 0
            ? `the other models of this run take ${gibibytes(others)}: run each model separately`
            : "free some memory, or use a machine with more",
      },
    );
  }
  if (batchSize === wanted) return { batchSize, memory };
  if (requested !== undefined) {
    throw new InputError(
      `${requested} sequences per call of ${JSON.stringify(model.name)} need ${gibibytes(bytesOf(requested))}, and ${gibibytes(available)} are available`,
      { hint: `${batchSize} fit` },
    );
  }
  return {
    batchSize,
    memory,
    note: `${JSON.stringify(model.name)} scores ${counted(batchSize, "sequence")} per call instead of ${wanted}, to fit in ${gibibytes(available)} of memory`,
  };
}

/**
 * `fittingBatchSize` for a setting that trains. Training splits its batches to fit, so the number of
 * sequences per call matters for inference with the model only.
 *
 * @throws {InputError} when training does not fit in memory
 */
export function fittingTraining(
  model: Model,
  options: BatchSizeOptions,
  { bytes, usesModel }: Pick<TrainingMemory, "bytes" | "usesModel">,
): BatchSizeChoice {
  const { available, others } = options;
  if (bytes > available) {
    throw new InputError(
      `training ${JSON.stringify(model.name)} needs ${gibibytes(bytes)}, and ${gibibytes(available)} are available`,
      {
        hint:
          others > 0
            ? `the other models of this run take ${gibibytes(others)}: run each model separately`
            : "free some memory, or use a machine with more; smaller batches hardly help",
      },
    );
  }
  if (!usesModel) return { batchSize: wantedBatchSize(model, options), memory: bytes };
  const fit = fittingBatchSize(model, { ...options, available: available - bytes });
  return { ...fit, memory: bytes + (fit.memory ?? 0) };
}

/** Bytes of memory that a model holds between calls: weights and caches. */
export function idleMemory(model: Model): number {
  return model.memory?.(1, 1) ?? 0;
}
