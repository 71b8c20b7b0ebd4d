import { InputError } from "../../base/errors.ts";
import { anyTimeLevel } from "../../metrics/confidence-sequence.ts";
import type { Estimate } from "../../metrics/intervals.ts";
import { mainEstimate } from "../tasks/intervals.ts";
import type { Measurement } from "../tasks/measurement.ts";
import { PickOrder } from "../tasks/table-rows.ts";
import type { MainStatistic, Task } from "../tasks/task.ts";
import type { RowList, RowNumbers } from "../tasks/task-rows.ts";
import type { Cell } from "./cell.ts";

/** Rows scored before the interval is first measured: enough for its asymptotic bounds to hold. */
const FIRST_LOOK = 256;

/** Rows between two measurements of the interval, as a fraction of the rows scored before. */
const GROWTH = 0.25;

/** @throws {InputError} when the setting has no interval before all rows are scored */
export function checkUntilWidth(task: Task, setting: string): void {
  const form = task.settings[setting];
  const { mainStatistic } = form?.measure === undefined ? task : form;
  if (mainStatistic !== undefined && !form?.measuredWhole) return;
  throw new InputError(`until-width is not possible for ${task.name} × ${setting}`, {
    hint: "its metric needs all rows: use --limit",
  });
}

/**
 * Rows to score between two measurements of the interval, each part ascending: the first 256 in the random
 * order of `pickRows`, then a quarter of the rows scored before, at least 256. The parts up to any point are
 * the sample that `--limit` of as many rows picks.
 */
export function* partsBetweenLooks(rows: RowList): Generator<RowNumbers> {
  const order = new PickOrder(rows);
  for (let start = 0; start < rows.length; ) {
    const end = Math.min(start + Math.max(FIRST_LOOK, Math.floor(GROWTH * start)), rows.length);
    yield order.picked(start, end).slice().sort();
    start = end;
  }
}

/** The interval of a main metric that is valid whenever scoring ends; see `anyTimeLevel`. */
export function anyTimeEstimate(main: MainStatistic): Estimate {
  const estimate = mainEstimate(main, anyTimeLevel(Math.max(main.blocks.of.length, 1)));
  return { ...estimate, method: `${estimate.method}-sequence` };
}

/** True if the bounds of a metric are reliable and on average no farther from it than the width. */
export function isNarrow(main: MainStatistic, width: number): boolean {
  const { low, high, basis } = anyTimeEstimate(main);
  return basis?.unreliable === undefined && (high - low) / 2 <= width;
}

/** A measurement whose main metric has the any-time interval first, with a note. */
export function withAnyTimeInterval(
  measurement: Measurement,
  { untilWidth }: Cell,
  main: MainStatistic,
): Measurement {
  const [first, ...others] = measurement.metrics;
  const estimate = anyTimeEstimate(main);
  const known = Number.isFinite(estimate.low) && Number.isFinite(estimate.high);
  const note = `Rows were scored in random order until the interval of ${first.title} was no wider than ±${untilWidth}, or all rows were scored. This interval stays valid whenever scoring stops; the others assume a fixed number of rows.`;
  return {
    ...measurement,
    metrics: [{ ...first, intervals: known ? [estimate, ...first.intervals] : first.intervals }, ...others],
    notes: [...measurement.notes, note],
  };
}
