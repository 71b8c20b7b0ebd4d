import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import { metricCell } from "../report/estimates.ts";
import { cellText, type Table } from "../report/table.ts";

/** Expected result that follows from the signals planted in the synthetic genome. */
export interface PlantedSignal {
  /** Reason for the expectation. */
  readonly reason: string;
  readonly task: string;
  readonly setting: string;
  /** Name of the model in results. */
  readonly model: string;
  readonly dataset?: string;
  /** Name of the metric; default: the task's main metric. */
  readonly metric?: string;
  /** The whole 95 % interval must be above this. */
  readonly above?: number;
  /** The value must equal this. */
  readonly equals?: number;
}

/** Planted signal with its measured metric. */
export interface CheckedSignal {
  readonly signal: PlantedSignal;
  /** Undefined if the result does not have the metric. */
  readonly metric: Metric | undefined;
  readonly recovered: boolean;
}

/** Checks corrected results against the planted signals. Signals without a result are omitted. */
export function checkPlantedSignals(
  results: readonly StoredResult[],
  signals: readonly PlantedSignal[],
): CheckedSignal[] {
  return signals.flatMap((signal) => {
    const result = results.find(
      ({ result: { cell } }) =>
        cell.protocol === "corrected" &&
        cell.task === signal.task &&
        cell.setting === signal.setting &&
        cell.model.name === signal.model &&
        cell.dataset === signal.dataset,
    )?.result;
    if (result === undefined) return [];
    const metric = result.metrics.find(({ name, main }) =>
      signal.metric === undefined ? main : name === signal.metric,
    );
    return [{ signal, metric, recovered: metric !== undefined && isRecovered(signal, metric) }];
  });
}

function isRecovered({ above, equals }: PlantedSignal, { value, intervals: [interval] }: Metric): boolean {
  if (equals !== undefined) return value === equals;
  return above !== undefined && interval !== undefined && interval.low > above;
}

/** Table of planted signals: expected and measured values, one line each. */
export function plantedSignalsTable(checked: readonly CheckedSignal[]): Table {
  return {
    caption: "Planted signals",
    columns: [
      { heading: "task, setting", align: "left" },
      { heading: "model", align: "left" },
      { heading: "metric", align: "left" },
      { heading: "measured", align: "right" },
      { heading: "expected", align: "left" },
      { heading: "", align: "left" },
      { heading: "reason", align: "left" },
    ],
    rows: checked.map(({ signal, metric, recovered }) => [
      [signal.task, ...(signal.dataset === undefined ? [] : [signal.dataset]), signal.setting].join(", "),
      signal.model,
      metric?.name ?? signal.metric ?? "–",
      metric === undefined ? "–" : cellText(metricCell(metric)),
      signal.equals === undefined ? `> ${signal.above}` : `= ${signal.equals}`,
      recovered ? "recovered" : "NOT RECOVERED",
      signal.reason,
    ]),
    notes: ["The whole 95 % interval must meet an expectation with >, the value one with =."],
  };
}
