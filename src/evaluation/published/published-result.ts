import { type CustomForms, findTask } from "../runs/forms.ts";
import type { Measured, MeasuredValue, PublishedKey } from "../tasks/benchmark.ts";

/** A number that the benchmark's authors printed. */
export interface PublishedResult {
  /** The task by our name: "regulatory-elements". */
  readonly task: string;
  /** The setting by our name; the authors' name where the catalogue has none. */
  readonly setting: string;
  /** The authors' name: "DNABERT-2". */
  readonly model: string;
  /** The family by our name: "dnabert2"; null for models outside of the catalogue. */
  readonly family: string | null;
  /** The evaluated data, in the authors' words. */
  readonly of: string | null;
  /** Data set or class: a cell line's name, "African caQTLs"; null where there is only one. */
  readonly dataset: string | null;
  /** The authors' key of the metric: "paired_accuracy". */
  readonly metric: string;
  readonly value: number;
  readonly source: string;
  /** From a table of the paper, or from a notebook of its authors. */
  readonly kind: "paper" | "notebook";
  /**
   * Short name of the source: "Table 6", "Probed_Final_Counts.ipynb, main branch". A metric may be printed in
   * several.
   */
  readonly edition: string;
  /** Reason why no result is comparable with this number; null if results can be. */
  readonly unplaced: string | null;
  readonly note: string | null;
  /** True if the authors replaced the number; it is listed to show the difference. */
  readonly superseded: boolean;
}

/**
 * Largest difference between a printed number and an equal one: the printed values agree with the authors'
 * own notebooks within 0.001, not within rounding.
 */
export const PRINTED_TOLERANCE = 0.001;

/** True if a task measures a published metric. */
export const isMeasured = ({ task, metric }: Pick<PublishedKey, "task" | "metric">): boolean =>
  findTask(task)?.benchmark?.publishedMetrics[metric] !== undefined;

/** Our value of a published metric; undefined where the task does not measure it. */
export const measuredValue = (
  measured: Measured,
  key: PublishedKey,
  forms?: CustomForms,
): MeasuredValue | undefined =>
  findTask(key.task, forms)?.benchmark?.publishedMetrics[key.metric]?.(measured, key);
