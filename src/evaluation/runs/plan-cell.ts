import { InputError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { counted } from "../../base/message-text.ts";
import { anonymousMemory } from "../../base/process.ts";
import type { Setting } from "../settings/setting.ts";
import type { OpenTask } from "../tasks/task.ts";
import { fittingBatchSize, fittingTraining, idleMemory } from "./batches.ts";
import { type CellRecord, cellName } from "./cell.ts";
import { estimateCost, estimateTraining, sampleOf, type TimedTrials } from "./cost.ts";
import type { CellDraft } from "./draft-cells.ts";
import type { Plan, PlannedCell, ReusablePredictions, RunRequest } from "./request.ts";
import type { Shard } from "./shard.ts";
import { checkShardCount, inspectShard, type ShardState } from "./shard-store.ts";

/** What the cells of a plan have in common. */
export interface PlanContext {
  readonly shard: Shard;
  /** The folder of trained parameters; undefined for a run in memory. */
  readonly trained: string | undefined;
  readonly trials: TimedTrials;
  /** Gets what a user should read before the run. */
  readonly notes: Set<string>;
}

/**
 * Adds to a draft what it costs, having looked at what is done and whether it fits.
 *
 * @throws {InputError} when not one row fits the memory, or the folder holds the cell in another number of shards, or begun
 *   with another batch size than is asked for
 */
export async function planCell(
  { record, task, selected, model, setting, weights, rows }: CellDraft,
  request: RunRequest,
  { shard, trained, trials, notes }: PlanContext,
): Promise<PlannedCell> {
  let state: ShardState = { rowsDone: 0, batchSize: undefined };
  if (request.folder !== undefined) {
    const of = { folder: request.folder, record, shard, rows: rows.length };
    await checkShardCount(of);
    state = await inspectShard(of);
  }
  refuseOtherBatchSize(request.batchSize, state, rows.length);
  if (model.identity === undefined) {
    notes.add(
      `the model ${JSON.stringify(model.name)} gives no identity, so its name alone tells it from others: after a change of its weights, use a new folder`,
    );
  }
  const protocol = record.cell.protocol;
  const answersOf = findReusablePredictions({ record, setting, task }, request.earlier);
  const sample = await sampleOf(task, rows, model);
  const others = request.models
    .filter((other) => other !== model)
    .reduce((bytes, other) => bytes + idleMemory(other), 0);
  const question = {
    asked: request.batchSize,
    begun: state.batchSize,
    tokens: sample.longest,
    available: (request.memory ?? (await memoryOfThisProcess())) - selected.memory - others,
    others,
  };
  const evaluated = weights === undefined ? {} : { weights };
  const training = await setting.trainingMemory?.({
    ...{ task, model, recipe: record.cell.recipe },
    ...evaluated,
  });
  const fit =
    training === undefined ? fittingBatchSize(model, question) : fittingTraining(model, question, training);
  if (fit.note !== undefined) notes.add(fit.note);
  const { batchSize } = fit;
  const { threads, signal } = request;
  const draft = { model, setting, ...evaluated, task, protocol, record, batchSize, threads, signal };
  const rowsLeft = answersOf === undefined ? rows.length - state.rowsDone : 0;
  const memory = fit.memory === undefined ? null : fit.memory + selected.memory;
  const timing = answersOf === undefined && (request.timing ?? true);
  const estimate =
    !setting.readyAtOnce && weights === undefined && timing && request.timeTraining
      ? await estimateTraining(draft, sample, { rowsLeft, memory, trained, trials })
      : await estimateCost(draft, sample, { rowsLeft, timing, memory });
  return {
    record,
    name: cellName(record.identity),
    task,
    model,
    setting,
    ...evaluated,
    rows,
    rowsDone: state.rowsDone,
    batchSize,
    threads,
    estimate,
    ...(answersOf === undefined ? {} : { answersOf }),
  };
}

/** How sequences are padded depends on those beside them, so one shard's answers come from batches of one size. */
function refuseOtherBatchSize(asked: number | undefined, { batchSize, rowsDone }: ShardState, rows: number) {
  if (asked === undefined || batchSize === undefined || asked === batchSize || rowsDone === rows) return;
  throw new InputError(
    `the run in this folder was begun with ${counted(batchSize, "sequence")} per call, and ${asked} are asked for`,
    {
      hint: `leave the batch size out, or ask for ${batchSize}, to go on with it; or choose another folder`,
    },
  );
}

/**
 * Bytes that this process may have in all. What it holds already is part of what models say they take: one that was planned
 * for before, and timed, has its weights in memory.
 */
async function memoryOfThisProcess(): Promise<number> {
  return process.availableMemory() + (await anonymousMemory());
}

/**
 * The cell of earlier plans that differs from this one in the protocol alone, where the setting says that the answers do not
 * depend on it; undefined where there is none, or its answers are not kept.
 */
function findReusablePredictions(
  {
    record,
    setting,
    task,
  }: { readonly record: CellRecord; readonly setting: Setting; readonly task: OpenTask },
  earlier: readonly Plan[] = [],
): ReusablePredictions | undefined {
  if (!setting.sameUnderBothProtocols?.(task.task)) return undefined;
  const question = keyWithoutProtocol(record);
  for (const { folder, cells } of earlier) {
    const twin = cells.find((cell) => keyWithoutProtocol(cell.record) === question);
    if (folder !== undefined && twin !== undefined) {
      return { folder, record: twin.record, name: cellName(twin.record.identity) };
    }
  }
  return undefined;
}

const keyWithoutProtocol = ({ cell: { protocol: _, ...rest }, rows }: CellRecord) =>
  stableStringify({ ...rest, rows });
