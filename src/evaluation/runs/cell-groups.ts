import { stableStringify } from "../../base/json.ts";
import { trainingTaskOf } from "../settings/training-rows.ts";
import type { Plan, PlannedCell } from "./request.ts";

/** Cells that one process runs, in this order. */
export interface CellGroup {
  readonly cells: readonly PlannedCell[];
  /** Sum over the cells; null if a cell has no estimate. */
  readonly seconds: number | null;
  /** Most bytes of a cell; null if no cell has an estimate. */
  readonly memory: number | null;
}

/**
 * The cells of plans in groups, for processes that run at the same time. Cells are in one group if they share
 * a training run and its stored embeddings, or if one reuses the predictions of the other, so that no process
 * waits for another or repeats its work. The groups that take longest come first; without estimates, those
 * that train.
 *
 * @param plans  of one request, the plan whose predictions are reused first
 */
export function cellGroups(plans: readonly Plan[]): readonly CellGroup[] {
  const groupOf = new Map<string, PlannedCell[]>();
  for (const cell of plans.flatMap((plan) => plan.cells)) {
    const keys = keysOf(cell);
    const joined = new Set(keys.flatMap((key) => groupOf.get(key) ?? []));
    const group = [...joined, cell];
    for (const key of [...keys, ...group.flatMap(keysOf)]) groupOf.set(key, group);
  }
  const groups = [...new Set(groupOf.values())].map((cells) => ({
    cells,
    seconds: secondsOf(cells),
    memory: largest(cells.flatMap(({ estimate }) => estimate.memory ?? [])),
  }));
  const known = groups.every(({ seconds }) => seconds !== null);
  return groups.toSorted((a, b) =>
    known ? b.seconds! - a.seconds! : Number(trains(b.cells)) - Number(trains(a.cells)),
  );
}

const trains = (cells: readonly PlannedCell[]) =>
  cells.some(({ setting, weights }) => !setting.readyAtOnce && weights === undefined);

const largest = (bytes: readonly number[]) => (bytes.length === 0 ? null : Math.max(...bytes));

function secondsOf(cells: readonly PlannedCell[]): number | null {
  let sum = 0;
  for (const { estimate } of cells) {
    if (estimate.seconds === null) return null;
    sum += estimate.seconds;
  }
  return sum;
}

/** Keys of a cell; cells with a common key belong together. */
function keysOf(cell: PlannedCell): readonly string[] {
  const { record, reuses, setting, model, task } = cell;
  const keys = [record.identity];
  if (reuses !== undefined) keys.push(reuses.record.identity);
  if (!setting.readyAtOnce) {
    const training = trainingTaskOf({ task });
    keys.push(
      stableStringify({
        setting: setting.name,
        model: model.identity ?? `name ${model.name}`,
        protocol: record.cell.protocol,
        task: training.task.name,
        data: training.digests,
      }),
    );
  }
  return keys;
}
