import { dirname } from "node:path";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { collectShards, findShards } from "../runs/collect-shards.ts";
import { type CustomForms, findTask } from "../runs/forms.ts";
import { mainStatisticOf, type StoredResult } from "../runs/result.ts";
import { rowsFolder } from "../runs/run-folder.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import type { MainStatistic, MeasureWork } from "../tasks/task.ts";

/** The stored predictions of a cell, or the reason why it cannot be compared. */
export type CellPredictions =
  | { readonly stored: StoredResult; readonly predictions: PredictionColumns }
  | { readonly stored: StoredResult; readonly why: string };

/**
 * Reads the predictions of a merged cell from the shards of its run.
 *
 * @throws {InputError} when the shards were changed after the run
 */
export async function readCellPredictions(stored: StoredResult): Promise<CellPredictions> {
  const run = dirname(stored.folder);
  if ((await kindOfPath(rowsFolder(run, stored.result))) !== "folder") {
    return { stored, why: "the folder of the cell has no rows/, the scores of its rows" };
  }
  const { predictions } = await collectShards(await findShards(run, stored.result));
  return { stored, predictions };
}

/**
 * The main metric of a cell over blocks of some of its rows.
 *
 * @param rows  ascending row numbers, all of them in the cell
 * @returns     the reason if the task compares no models
 */
export async function statisticOfRows(
  stored: StoredResult,
  predictions: PredictionColumns,
  rows: ArrayLike<number>,
  { forms, ...work }: MeasureWork & { readonly forms?: CustomForms | undefined },
): Promise<MainStatistic | string> {
  const { result } = stored;
  const task = findTask(result.cell.task, forms);
  if (task === undefined) return `${result.cell.task} is a task of another program`;
  if (task.version !== result.cell.taskVersion) {
    throw new InputError(
      `the rows were scored by version ${result.cell.taskVersion} of the task ${task.name}; this is version ${task.version}`,
      { place: { file: stored.folder }, hint: "compare with the version of dart-eval that ran it" },
    );
  }
  const whole = rows.length === predictions.length;
  const some = whole ? predictions : onlyRows(predictions, rows);
  // Stored clusterings are those of all rows.
  const folder = whole ? { folder: stored.folder } : {};
  const found = await mainStatisticOf(task, result, some, { ...work, ...folder, readOnly: true });
  return found ?? `${task.name} has no comparison of models in the setting ${result.cell.setting}`;
}

/** Predictions of some rows. @param rows  ascending */
function onlyRows(predictions: PredictionColumns, rows: ArrayLike<number>): PredictionColumns {
  const wanted = new Set(Array.from(rows));
  return predictions.pick(
    Uint32Array.from(predictions.rows, (_, i) => i).filter((i) => wanted.has(predictions.rows[i])),
  );
}
