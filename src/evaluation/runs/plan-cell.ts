import { InputError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { counted } from "../../base/message-text.ts";
import { anonymousMemory } from "../../base/process.ts";
import { trainingDevice } from "../../net/runtime/device.ts";
import type { Setting } from "../settings/setting.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { RowList } from "../tasks/task-rows.ts";
import { fittingBatchSize, fittingTraining, idleMemory, wantedBatchSize } from "./batches.ts";
import { type CellRecord, cellName } from "./cell.ts";
import { type CostEstimate, contextOf, estimateCost, sampleOf } from "./cost.ts";
import type { CellDraft } from "./draft-cells.ts";
import { checkedRows, checkSeconds } from "./precision-check.ts";
import type { Plan, PlannedCell, ReusablePredictions, RunRequest } from "./request.ts";
import type { Shard } from "./shard.ts";
import { checkShardCount, inspectShard, type ShardState } from "./shard-store.ts";
import { estimateTraining, type TimedTrials } from "./training-cost.ts";

/** Shared state of the cells of a plan. */
export interface PlanContext {
  readonly shard: Shard;
  /** Folder of trained parameters; undefined for a run in memory. */
  readonly trained: string | undefined;
  readonly trials: TimedTrials;
  /** Collects notes for the user. */
  readonly notes: Set<string>;
}

/**
 * Anonymous memory in bytes of the process without models and tables: native memory of Node, and a JavaScript
 * heap that grows to 60 MB. Measured with a model without a network.
 */
const ANONYMOUS_BYTES = 90e6;

/**
 * Resident bytes of the process without models and tables, with the pages of Node that are mapped from its
 * file.
 */
export const PROCESS_BYTES = ANONYMOUS_BYTES + 50e6;

/**
 * Adds rows done, batch size and cost to a draft.
 *
 * @throws {InputError} when not one row fits in memory, or the folder has the cell in another number of
 *   shards or with another batch size than requested
 */
export async function planCell(
  { record, task, selected, model, setting, weights, rows }: CellDraft,
  request: RunRequest,
  { shard, trained, trials, notes }: PlanContext,
): Promise<PlannedCell> {
  let state: ShardState = { rowsDone: 0, early: false, batchSize: undefined };
  if (request.folder !== undefined) {
    const of = { folder: request.folder, record, shard, rows: rows.length };
    await checkShardCount(of);
    state = await inspectShard(of);
  }
  const rowsToDo = state.early ? 0 : rows.length - state.rowsDone;
  refuseOtherBatchSize(request.batchSize, state, rowsToDo);
  if (model.identity === undefined) {
    notes.add(
      `the model ${JSON.stringify(model.name)} has no identity, only a name: use a new folder after a change of its weights`,
    );
  }
  const protocol = record.cell.protocol;
  const reuses = findReusablePredictions({ record, setting, task }, request.earlier);
  const sample = await sampleOf(task, rows, model);
  const others = request.models
    .filter((other) => other !== model)
    .reduce((bytes, other) => bytes + idleMemory(other), 0);
  const options = {
    requested: request.batchSize,
    begun: state.batchSize,
    tokens: sample.longest,
    available: (request.memory ?? (await memoryOfThisProcess()) - ANONYMOUS_BYTES) - selected.memory - others,
    others,
    query: setting.query,
  };
  const evaluated = weights === undefined ? {} : { weights };
  const perCall = Math.floor(wantedBatchSize(model, options) / setting.sequencesPerRow(task.task));
  const device = trainingDevice(request.device ?? "cpu");
  const training = await setting.trainingMemory?.(
    { task, model, recipe: record.cell.recipe, device, ...evaluated },
    Math.min(rows.length, Math.max(1, perCall)),
  );
  const fit =
    training === undefined ? fittingBatchSize(model, options) : fittingTraining(model, options, training);
  if (fit.note !== undefined) notes.add(fit.note);
  const { batchSize } = fit;
  const { threads, signal } = request;
  const draft = { model, setting, ...evaluated, task, protocol, record, batchSize, device, threads, signal };
  const rowsLeft = reuses === undefined ? rowsToDo : 0;
  const memory = fit.memory === undefined ? null : PROCESS_BYTES + selected.memory + fit.memory;
  const disk = training?.disk ?? 0;
  const counts = { rows: rows.length, rowsLeft };
  const timing = reuses === undefined && (request.timing ?? true) === true;
  if (!timing && weights !== undefined && rowsLeft > 0 && request.folder !== undefined) {
    // Opens the weights, so that unusable ones are an error before the run folder is written; on the CPU,
    // because plans are also made on machines without the run's device.
    await (await setting.open(contextOf({ ...draft, device: "cpu" }))).close();
  }
  const estimate =
    !setting.readyAtOnce && weights === undefined && timing && request.timeTraining
      ? await estimateTraining(draft, sample, { ...counts, memory, training: disk, trained, trials })
      : await estimateCost(draft, sample, {
          ...counts,
          timing,
          memory,
          training: disk,
          timeMeasuring: request.timeTraining === true,
        });
  return {
    record,
    name: cellName(record.identity),
    task,
    model,
    setting,
    ...evaluated,
    rows,
    rowsDone: state.rowsDone,
    rowsToDo,
    batchSize,
    device,
    threads,
    ...(record.cell.precision === undefined
      ? { estimate }
      : withPrecisionCheck(estimate, {
          checked: checkedRows(selected.rows),
          rowsLeft: state.rowsDone === 0 ? rowsLeft : 0,
        })),
    ...(reuses === undefined ? {} : { reuses }),
  };
}

/** The estimate with the check of a reduced precision, for a shard without rows. */
function withPrecisionCheck(
  estimate: CostEstimate,
  { checked, rowsLeft }: { readonly checked: RowList; readonly rowsLeft: number },
): Pick<PlannedCell, "checked" | "estimate"> {
  const { seconds } = estimate;
  if (seconds === null || rowsLeft === 0) return { checked, estimate };
  return {
    checked,
    estimate: { ...estimate, seconds: seconds + checkSeconds(checked.length, seconds / rowsLeft) },
  };
}

/**
 * Rejects another batch size than that of the shard's earlier batches, because padding depends on the batch.
 */
function refuseOtherBatchSize(requested: number | undefined, { batchSize }: ShardState, rowsToDo: number) {
  if (requested === undefined || batchSize === undefined || requested === batchSize || rowsToDo === 0) return;
  throw new InputError(
    `the run in this folder has ${counted(batchSize, "sequence")} per call; ${requested} were requested`,
    {
      hint: `resume it with batch size ${batchSize}, or choose another folder`,
    },
  );
}

/**
 * Bytes that this process may use in total: the available memory, and its own, which contains the weights of
 * timed models.
 */
async function memoryOfThisProcess(): Promise<number> {
  return process.availableMemory() + (await anonymousMemory());
}

/**
 * Finds the cell of an earlier plan that differs only in the protocol, for settings whose predictions do not
 * depend on it. Undefined without such a cell, or if its predictions are in memory.
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
  const key = keyWithoutProtocol(record);
  for (const { folder, cells } of earlier) {
    const twin = cells.find((cell) => keyWithoutProtocol(cell.record) === key);
    if (folder !== undefined && twin !== undefined) {
      return { folder, record: twin.record, name: cellName(twin.record.identity) };
    }
  }
  return undefined;
}

const keyWithoutProtocol = ({ cell: { protocol: _, ...rest }, rows }: CellRecord) =>
  stableStringify({ ...rest, rows });
