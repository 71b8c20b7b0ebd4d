import { counted } from "../../base/message-text.ts";
import { sum } from "../../metrics/mean.ts";
import { mainStatisticOf, scoreRoundingOf } from "../runs/merge.ts";
import { mainEstimate } from "../tasks/intervals.ts";
import { finiteEstimate, type Metric } from "../tasks/measurement.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import type { MainStatistic } from "../tasks/task.ts";
import type { GroupedRows } from "./bins.ts";
import type { OpenStratification, RowsToStratify } from "./rows.ts";
import {
  type CellStrata,
  fileName,
  type StrataRule,
  type StratifiedMetric,
  type Stratum,
  type StratumMetric,
} from "./strata-file.ts";

/** A stratification of some rows. */
export interface Grouped {
  readonly form: OpenStratification;
  readonly groups: GroupedRows;
  readonly notes: readonly string[];
  /** 1 for rows in every stratum. [rows] */
  readonly shared: Uint8Array;
}

/**
 * Minimum sizes of a stratum with a metric. Smaller strata have wide or unreliable intervals: 5 blocks and 12
 * rows of a class are the limits of `leaveOutGroups`.
 */
const RULE: StrataRule = { rows: 30, blocks: 5, ofClass: 12 };

/**
 * The main metric of each stratum of a cell's rows: the task's own, on the rows of the stratum, with its
 * interval over blocks. Scores tie as in the whole cell.
 *
 * @param main  the main metric of the cell's result
 * @returns     undefined where the task or its setting has no main metric over blocks
 * @throws the signal's reason
 */
export async function measureStrata(
  { task, record, predictions }: RowsToStratify,
  main: Metric,
  grouped: readonly Grouped[],
  signal?: AbortSignal,
): Promise<CellStrata | undefined> {
  const scoreRounding = scoreRoundingOf(task, record, predictions);
  const statisticOf = (some: PredictionColumns) => {
    signal?.throwIfAborted();
    return mainStatisticOf(task, record, some, { signal }, scoreRounding);
  };
  const all = await statisticOf(predictions);
  if (all === undefined) return undefined;
  const stratifications: StratifiedMetric[] = [];
  for (const one of grouped) {
    const strata: Stratum[] = [];
    for (const [number, name] of one.groups.strata.entries()) {
      const { places, own } = placesOf(one, number);
      const found = own < RULE.rows ? undefined : await statisticOf(predictions.pick(places));
      strata.push({ ...name, ...metricOfStratum(own, found) });
    }
    const { form, groups, notes, shared } = one;
    const { name, title, file } = form;
    const inAll = shared.reduce((sum, is) => sum + is, 0);
    const unknown = groups.of.reduce((sum, of, i) => (of < 0 && shared[i] === 0 ? sum + 1 : sum), 0);
    stratifications.push({ name, title, ...fileName(file), strata, unknown, shared: inAll, notes });
  }
  const { name, title, column, better } = main;
  return {
    format: "dart-eval strata",
    formatVersion: 1,
    identity: record.identity,
    metric: { name, title, ...(column === undefined ? {} : { column }), better },
    rule: RULE,
    whole: estimated(predictions.length, all),
    stratifications,
  };
}

/** A function that names the stratum of the i-th row: "" unknown, "*" in every stratum. */
export const stratumNames =
  ({ groups, shared }: Grouped) =>
  (i: number): string =>
    shared[i] === 1 ? "*" : (groups.strata[groups.of[i]]?.name ?? "");

/** Places of a stratum's rows, with those in every stratum; `own` is the number of the others. */
function placesOf({ groups, shared }: Grouped, number: number) {
  const places: number[] = [];
  let own = 0;
  groups.of.forEach((of, i) => {
    if (shared[i] === 0 && of !== number) return;
    places.push(i);
    if (shared[i] === 0) own++;
  });
  return { places: Uint32Array.from(places), own };
}

/** A stratum's metric, unless it has too few rows, blocks or rows of a class. */
function metricOfStratum(rows: number, found: MainStatistic | undefined): StratumMetric {
  if (found === undefined) return suppressed(rows, counted(rows, "row"));
  const rarest = Math.min(...(found.statistic.classes ?? []).map(sum));
  if (rarest < RULE.ofClass) return suppressed(rows, `${counted(rarest, "row")} of the rarer class`);
  const blocks = found.blocks.sizes.length;
  if (blocks < RULE.blocks) return suppressed(rows, counted(blocks, "block"));
  const measured = estimated(rows, found);
  const joined = measured.interval?.basis?.blocks ?? blocks;
  return joined < RULE.blocks ? suppressed(rows, counted(joined, "block")) : measured;
}

function estimated(rows: number, found: MainStatistic): StratumMetric {
  const estimate = mainEstimate(found);
  if (!Number.isFinite(estimate.value)) return suppressed(rows, "undefined on these rows");
  return { rows, value: estimate.value, interval: finiteEstimate(estimate) };
}

const suppressed = (rows: number, why: string): StratumMetric => ({
  rows,
  value: null,
  interval: null,
  suppressed: why,
});
