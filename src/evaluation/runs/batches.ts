import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import type { Model } from "../../models/model.ts";
import type { TrainingMemory } from "../settings/setting.ts";
import type { Example, RowNumbers } from "../tasks/task.ts";

/**
 * Rows are put in order within blocks of this many: their letters are fetched and their tokens counted once per block,
 * few chromosomes are needed at a time, and almost no batch mixes long with short.
 */
const BLOCK_ROWS = 4096;

/** Consecutive rows of a shard, block by block. */
export function* blocksOf(rows: RowNumbers, size = BLOCK_ROWS): Generator<RowNumbers> {
  for (let start = 0; start < rows.length; start += size) yield rows.subarray(start, start + size);
}

/**
 * A block's examples in the order in which they are scored: fewest tokens first (those of the longest sequence of the
 * row), so that little of a batch is padding; in table order where the model does not count tokens or all are alike.
 *
 * It depends on the rows and the model alone. A run that goes on after a kill therefore finds the batches it would have
 * had.
 */
export function inScoringOrder(examples: readonly Example[], model: Model): readonly Example[] {
  if (model.tokenCount === undefined) return examples;
  const tokens = examples.map((example) => longestTokenCount(example, model));
  const order = examples.map((_, i) => i).sort((a, b) => tokens[a] - tokens[b] || a - b);
  return order.map((i) => examples[i]);
}

/** Whether a model must be given the letters of sequences: the option of `OpenTask.examples`. */
export const lettersFor = ({ readsLetters = true }: Model) => ({ letters: readsLetters });

/** Tokens of the longest sequence of an example. */
export function longestTokenCount({ sequences }: Example, model: Model): number {
  return Math.max(...sequences.map((letters) => model.tokenCount?.(letters) ?? letters.length));
}

/** Sequences per call where neither the user nor the model says. */
const DEFAULT_BATCH_SIZE = 256;

export interface BatchSizeOptions {
  /** Sequences per call, as the user says. */
  readonly asked: number | undefined;
  /** With which the shard was begun by an earlier process. */
  readonly begun: number | undefined;
  /** Tokens of the longest sequence. */
  readonly tokens: number;
  /** Bytes that the model may take. */
  readonly available: number;
  /** Bytes that other models of the run take meanwhile. */
  readonly others: number;
}

export interface BatchSizeChoice {
  readonly batchSize: number;
  /** Bytes; undefined when the model does not say. */
  readonly memory: number | undefined;
  readonly note?: string;
}

/**
 * The number of sequences per call: as asked (a shard that was begun otherwise has been refused), else as the shard was begun, else the model's own, halved until it fits.
 *
 * @throws {InputError} when the size that was asked for does not fit, or not even one sequence does
 */
export function fittingBatchSize(
  model: Model,
  { asked, begun, tokens, available, others }: BatchSizeOptions,
): BatchSizeChoice {
  const wanted = asked ?? begun ?? model.batchSize ?? DEFAULT_BATCH_SIZE;
  if (model.memory === undefined) return { batchSize: wanted, memory: undefined };
  let batchSize = wanted;
  while (batchSize > 1 && model.memory(batchSize, tokens) > available) batchSize = Math.floor(batchSize / 2);
  const memory = model.memory(batchSize, tokens);
  if (memory > available) {
    throw new InputError(
      `the model ${JSON.stringify(model.name)} needs ${gibibytes(memory)} for one sequence of ${counted(tokens, "token")}, and ${gibibytes(available)} are available`,
      {
        hint:
          others > 0
            ? `the other models of this run take ${gibibytes(others)}: give each a run of its own`
            : "free some memory, or use a machine with more",
      },
    );
  }
  if (batchSize === wanted) return { batchSize, memory };
  if (asked !== undefined) {
    throw new InputError(
      `${asked} sequences per call of ${JSON.stringify(model.name)} need ${gibibytes(model.memory(asked, tokens))}, and ${gibibytes(available)} are available`,
      { hint: `${batchSize} would fit` },
    );
  }
  return {
    batchSize,
    memory,
    note: `${JSON.stringify(model.name)} scores ${counted(batchSize, "sequence")} per call instead of ${wanted}, to fit in ${gibibytes(available)} of memory`,
  };
}

/**
 * The same for a setting that trains. Its own batches are cut into parts by themselves, so that the number of rows per call
 * is only the model's concern, where that is asked as well.
 *
 * @throws {InputError} when it does not fit
 */
export function fittingTraining(
  model: Model,
  question: BatchSizeOptions,
  { bytes, asksModel }: TrainingMemory,
): BatchSizeChoice {
  const { asked, begun, available, others } = question;
  if (bytes > available) {
    throw new InputError(
      `training ${JSON.stringify(model.name)} needs ${gibibytes(bytes)}, and ${gibibytes(available)} are available`,
      {
        hint:
          others > 0
            ? `the other models of this run take ${gibibytes(others)}: give each a run of its own`
            : "free some memory, or use a machine with more; batches are run in parts already, so smaller ones take hardly less",
      },
    );
  }
  if (!asksModel)
    return { batchSize: asked ?? begun ?? model.batchSize ?? DEFAULT_BATCH_SIZE, memory: bytes };
  const fit = fittingBatchSize(model, { ...question, available: available - bytes });
  return { ...fit, memory: bytes + (fit.memory ?? 0) };
}

/** Bytes that a model holds between calls, once it was asked: its weights, and what it keeps ready. */
export function idleMemory(model: Model): number {
  return model.memory?.(1, 1) ?? 0;
}

const gibibytes = (bytes: number) => `${(Math.max(bytes, 0) / 2 ** 30).toFixed(1)} GiB`;
