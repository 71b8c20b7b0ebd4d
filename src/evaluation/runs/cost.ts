import { performance } from "node:perf_hooks";
import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { Answerer, Setting, SettingContext, TrainingMemory, WeightsFile } from "../settings/setting.ts";
import type { OpenTask, RowNumbers } from "../tasks/task.ts";
import { lettersFor, longest } from "./batches.ts";
import type { CellRecord } from "./cell.ts";

/** What a cell will cost on this machine. */
export interface CostEstimate {
  /** Seconds for the rows still to do in this shard; null when it was not timed. */
  readonly seconds: number | null;
  /** Peak bytes; null when the model does not say. */
  readonly memory: number | null;
  /** What the seconds rest on, in words. */
  readonly basis: string;
}

/** Sequences per call where neither the user nor the model says. */
const DEFAULT_BATCH_SIZE = 256;

/** Rows looked at for lengths and times. */
const SAMPLE_ROWS = 256;

/** Token counts vary from row to row and only a sample is looked at. */
const LENGTH_RESERVE = 1.2;

/** Timing stops once a call took this long. */
export const ENOUGH_SECONDS = 0.25;

export interface Sample {
  readonly rows: RowNumbers;
  /** Tokens of the longest sequence seen, with a reserve where lengths vary. */
  readonly longest: number;
}

/** Looks at the first rows of a shard. */
export async function sampleOf(task: OpenTask, rows: RowNumbers, model: Model): Promise<Sample> {
  const few = rows.slice(0, SAMPLE_ROWS);
  const examples = await task.examples(few, lettersFor(model));
  const lengths = examples.map((example) => longest(example, model));
  const most = Math.max(0, ...lengths);
  const varies = lengths.some((length) => length !== most);
  return { rows: few, longest: varies ? Math.ceil(most * LENGTH_RESERVE) : most };
}

export interface MemoryQuestion {
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

export interface MemoryAnswer {
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
  { asked, begun, tokens, available, others }: MemoryQuestion,
): MemoryAnswer {
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
  question: MemoryQuestion,
  { bytes, asksModel }: TrainingMemory,
): MemoryAnswer {
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
export function atRest(model: Model): number {
  return model.memory?.(1, 1) ?? 0;
}

const gibibytes = (bytes: number) => `${(Math.max(bytes, 0) / 2 ** 30).toFixed(1)} GiB`;

export interface TimedCell {
  readonly model: Model;
  readonly setting: Setting;
  readonly weights?: WeightsFile;
  readonly task: OpenTask;
  readonly protocol: Protocol;
  readonly record: CellRecord;
  readonly batchSize: number;
  readonly threads: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Seconds from a few rows, timed, and bytes as the model says. */
export async function estimateCost(
  cell: TimedCell,
  sample: Sample,
  { rowsLeft, timing, memory }: { rowsLeft: number; timing: boolean; memory: number | null },
): Promise<CostEstimate> {
  if (rowsLeft === 0) return { seconds: 0, memory, basis: "every row is done" };
  if (!timing) return { seconds: null, memory, basis: "not timed" };
  if (!cell.setting.readyAtOnce && cell.weights === undefined)
    return { seconds: null, memory, basis: "not timed: the setting trains first" };
  const answerer = await cell.setting.open(contextOf(cell));
  try {
    const { seconds, rows } = await timeRows(answerer, cell, sample.rows);
    return { seconds: (seconds / rows) * rowsLeft, memory, basis: `timed on ${counted(rows, "row")}` };
  } finally {
    await answerer.close();
  }
}

/** A cell in memory, without a run's folders. */
export const contextOf = ({
  task,
  model,
  protocol,
  record,
  batchSize,
  threads,
  weights,
  signal,
}: TimedCell): SettingContext => ({
  ...{ task, model, protocol, batchSize, threads, signal },
  seed: record.cell.seed,
  recipe: record.cell.recipe,
  ...(weights === undefined ? {} : { weights }),
  ...{ folder: undefined, trained: undefined, embeddings: undefined, onNote: undefined, onStage: undefined },
});

/** Times more and more rows, letters and answers, until it takes long enough to be trusted; the first call warms up. */
export async function timeRows(answerer: Answerer, { task, model }: TimedCell, sample: RowNumbers) {
  const time = async (rows: number) => {
    const began = performance.now();
    await answerer.answer(await task.examples(sample.slice(0, rows), lettersFor(model)));
    return (performance.now() - began) / 1000;
  };
  let seconds = await time(1);
  let rows = 1;
  // A model this slow has told enough; its first call may hold the loading of weights.
  if (seconds > 8 * ENOUGH_SECONDS) return { seconds, rows };
  seconds = await time(1);
  while (seconds < ENOUGH_SECONDS && rows < sample.length) {
    rows = Math.min(rows * 4, sample.length);
    seconds = await time(rows);
  }
  return { seconds, rows };
}
