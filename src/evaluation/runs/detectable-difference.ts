import { detectableDifference, rowsForProportion } from "../../metrics/sample-size.ts";
import type { PlannedCell } from "./request.ts";

/** Range in which the half-width of a cell's interval is searched. */
const WIDTHS: readonly [least: number, most: number] = [1e-4, 0.5];

/** Normal quantile of a 95 % interval. */
const Z = 1.959963984540054;

/**
 * Smallest difference in the main metric between two models that a test at 5 % detects on the rows of a cell
 * with a power of 80 %, for independent rows and independent errors of the models. Models that agree on many
 * rows need smaller differences, rows that are correlated with their neighbours larger ones.
 *
 * @returns  undefined for a task outside of benchmarks, a metric that is not computed over rows (clustering),
 *   a shard, or too few rows for a difference below 1
 */
export function detectableDifferenceOf({ task, rows, record }: PlannedCell): number | undefined {
  const { benchmark } = task.task;
  const isWhole = task.task.settings[record.cell.setting]?.measuredWhole === true;
  if (benchmark === undefined || isWhole || rows.length !== record.rows.selected) return undefined;
  const strata = new Map<string, number>();
  for (const row of rows) {
    const stratum = task.stratumOf?.(row);
    if (stratum !== undefined) strata.set(stratum, (strata.get(stratum) ?? 0) + 1);
  }
  const suffices = (width: number) => {
    const size = benchmark.sampleSize?.(width);
    // Main metrics of tasks without strata are shares.
    return size === undefined || "limit" in size
      ? rowsForProportion(width) <= rows.length
      : Object.entries(size.sample).every(([stratum, most]) => most <= (strata.get(stratum) ?? 0));
  };
  let [low, high] = WIDTHS;
  if (!suffices(high)) return undefined;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (suffices(middle)) high = middle;
    else low = middle;
  }
  const difference = detectableDifference((Math.SQRT2 * high) / Z);
  return difference < 1 ? difference : undefined;
}
