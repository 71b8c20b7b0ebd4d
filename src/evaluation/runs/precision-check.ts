import { join } from "node:path";
import { InputError, InternalError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { counted } from "../../base/message-text.ts";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { compareOver } from "../../metrics/block-estimate.ts";
import type { Model } from "../../models/model.ts";
import type { ReducedPrecision } from "../../net/runtime/precision.ts";
import type { Setting } from "../settings/setting.ts";
import { mainEstimate } from "../tasks/intervals.ts";
import type { Prediction } from "../tasks/prediction.ts";
import { blocksOf } from "../tasks/row-list.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { MainStatistic, Task } from "../tasks/task.ts";
import type { RowList } from "../tasks/task-rows.ts";
import { BLOCK_ROWS, exampleOptions, inScoringOrder, rowsPerBatch } from "./batches.ts";
import { cellTitle } from "./cell.ts";
import { contextOf } from "./cost.ts";
import { mainStatisticOf, scoresTable, writtenScores } from "./merge.ts";
import {
  type PrecisionCheck,
  precisionText,
  readPrecisionCheck,
  writePrecisionCheck,
} from "./precision-record.ts";
import type { OnProgress } from "./progress.ts";
import type { PlannedCell } from "./request.ts";

/** Maximum number of sampled rows. */
const SAMPLE_ROWS = 1024;

/** Minimum number of sampled rows. */
const MIN_ROWS = 32;

/** Largest bound of the difference, as a share of the half-width of the metric's interval. */
const SHARE = 0.5;

/** Time of a row in float32 as a multiple of that in a reduced precision, for estimates. */
const SLOWDOWN = 3;

/** Rows on which a cell in a reduced precision is checked: the first that a limit would pick. */
export const checkedRows = (selected: RowList): RowList => pickRows(selected, SAMPLE_ROWS);

/**
 * Seconds of the check, which scores its rows in both precisions.
 * @param perRow  seconds in the reduced one
 */
export const checkSeconds = (rows: number, perRow: number): number => rows * perRow * (1 + SLOWDOWN);

/**
 * Reason why a model in a reduced precision cannot be evaluated, one sentence; undefined if it can, or is in
 * float32.
 */
export function precisionReason(model: Model, task: Task, setting: Setting): string | undefined {
  const { precision } = model;
  if (precision === undefined) return undefined;
  if (setting.trainingMemory !== undefined) return `trained networks run in f32, not in ${precision}`;
  const form = task.settings[setting.name];
  const { mainStatistic } = form?.measure === undefined ? task : form;
  if (mainStatistic !== undefined && !form?.measuredWhole) return undefined;
  return `the effect of ${precision} cannot be measured on a sample of rows, because its metric needs all of them`;
}

export interface PrecisionCheckOptions {
  /** The cell's folder; undefined for a run in memory. */
  readonly folder: string | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks a cell in a reduced precision against float32 before it is scored; returns at once for float32, and
 * for a cell that passed before.
 *
 * A sample of the cell's rows, of all shards, is scored in both precisions. The cell passes if the 95 %
 * interval of the paired difference of the main metric, over the blocks of rows that `compare` uses, lies
 * within half the half-width of the metric's own interval on the sample, on either side: a test of
 * equivalence at 2.5 % (Schuirmann 1987, two one-sided tests). The scores in float32 are written to
 * `scores-f32.tsv` in the cell's folder.
 *
 * @returns  the check; undefined for float32
 * @throws {InputError} when the cell does not pass, or has too few rows
 */
export async function checkPrecision(
  planned: PlannedCell,
  { folder, onProgress, signal }: PrecisionCheckOptions,
): Promise<PrecisionCheck | undefined> {
  const { record, model, task, checked } = planned;
  const { precision } = record.cell;
  if (precision === undefined || checked === undefined) return undefined;
  const known = folder === undefined ? undefined : await readPrecisionCheck(folder);
  if (known !== undefined) return known;
  const file = folder === undefined ? undefined : join(folder, "scores-f32.tsv");
  // Shards start at the same time: one of them checks.
  await using _ =
    file === undefined ? undefined : await waitForLock(`${file}.lock`, signal ? { signal } : {});
  const found = folder === undefined ? undefined : await readPrecisionCheck(folder);
  if (found !== undefined) return found;
  if (model.inFloat32 === undefined) {
    throw new InternalError(`${model.name} is in ${precision} and has no form in float32`);
  }
  if (checked.length < MIN_ROWS)
    throw notMeasurable(planned, `${counted(checked.length, "row")} are too few`);
  const float32 = await model.inFloat32();
  let exact: readonly Prediction[];
  try {
    exact = await sampleScores({ ...planned, model: float32 }, "f32", { onProgress, signal });
  } finally {
    await float32.close?.();
  }
  const reduced = await sampleScores(planned, precision, { onProgress, signal });
  const statistics = [exact, reduced].map((of) => mainStatisticOf(task.task, record, of));
  const [before, after] = await Promise.all(statistics);
  if (before === undefined || after === undefined) throw new InternalError("the metric has no statistic");
  const check = checkOf(planned, precision, before, after);
  onProgress?.({ kind: "note", cell: planned.name, text: precisionText(check) });
  const { difference, margin } = check;
  if (Math.max(-difference.low, difference.high) > margin) {
    throw new InputError(
      `${cellTitle(record.cell)} differs from f32: ${precisionText(check).replace("within", "not within")}`,
      {
        hint: "use --precision f32",
      },
    );
  }
  if (file !== undefined && folder !== undefined) {
    const scores = task.task.settings[record.cell.setting]?.scores ?? task.task.scores;
    await removeTemporaryFiles(file);
    await writeFileAtomic(file, [...scoresTable(scores, writtenScores(record, exact))].join(""));
    await writePrecisionCheck(folder, check);
  }
  return check;
}

function checkOf(
  planned: PlannedCell,
  precision: ReducedPrecision,
  before: MainStatistic,
  after: MainStatistic,
): PrecisionCheck {
  const { value, low, high } = mainEstimate(before);
  const halfWidth = (high - low) / 2;
  if (!Number.isFinite(halfWidth)) {
    throw notMeasurable(
      planned,
      `${before.metric} has no interval on the sample of ${counted(before.blocks.of.length, "row")}`,
    );
  }
  return {
    precision,
    rows: before.blocks.of.length,
    metric: before.metric,
    float32: { value, low, high },
    reduced: mainEstimate(after).value,
    difference: differenceOf(planned, before, after),
    margin: SHARE * halfWidth,
  };
}

/** The paired difference; of width 0 where no row changes the metric. */
function differenceOf(planned: PlannedCell, before: MainStatistic, after: MainStatistic) {
  if (String(before.blocks.of) !== String(after.blocks.of)) {
    throw notMeasurable(planned, "the metric is of other rows in each precision");
  }
  const { value, low, high } = compareOver(before.blocks, after.statistic, before.statistic).difference;
  if (Number.isFinite(low) && Number.isFinite(high)) return { value, low, high };
  if (value === 0) return { value: 0, low: 0, high: 0 };
  throw notMeasurable(planned, "the sampled rows are one block of the genome");
}

const notMeasurable = ({ record: { cell } }: PlannedCell, reason: string) =>
  new InputError(`the effect of ${cell.precision} on ${cellTitle(cell)} cannot be measured: ${reason}`, {
    hint: "use --precision f32",
  });

/** Predictions of the sampled rows, in row order. */
async function sampleScores(
  planned: PlannedCell,
  precision: string,
  { onProgress, signal }: Omit<PrecisionCheckOptions, "folder">,
): Promise<readonly Prediction[]> {
  const { task, model, setting, record, threads, checked = new Uint32Array(0) } = planned;
  const began = performance.now();
  const { protocol } = record.cell;
  const predictor = await setting.open(contextOf({ ...planned, protocol, threads, signal }));
  const found: Prediction[] = [];
  try {
    const perBatch = rowsPerBatch(planned);
    for (const block of blocksOf(checked, BLOCK_ROWS)) {
      const examples = inScoringOrder(await task.examples(block, exampleOptions(model)), model);
      for (let start = 0; start < examples.length; start += perBatch) {
        signal?.throwIfAborted();
        found.push(...(await predictor.predict(examples.slice(start, start + perBatch))));
        const rowsPerSecond = (1000 * found.length) / (performance.now() - began);
        const secondsLeft = (checked.length - found.length) / rowsPerSecond;
        const stage = `check of the precision, sample in ${precision}`;
        const counts = { done: found.length, total: checked.length };
        onProgress?.({ kind: "stage", cell: planned.name, stage, ...counts, rowsPerSecond, secondsLeft });
      }
    }
  } finally {
    await predictor.close();
  }
  return found.sort((a, b) => a.row - b.row);
}
