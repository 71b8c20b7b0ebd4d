import { InternalError } from "../../base/errors.ts";
import type { Estimate } from "../../metrics/intervals.ts";
import type { Protocol } from "../../models/model.ts";

/** A metric with all its intervals. JSON-safe: never NaN or Infinity. */
export interface Metric<Name extends string = string> {
  /** Kebab-case, stable: "paired-accuracy". */
  readonly name: Name;
  /** Label for tables: "zero-shot paired accuracy". */
  readonly title: string;
  /**
   * Measured quantity. Metrics share a column of a table exactly if their quantities are equal: protocols
   * orient a signed correlation differently, and classes have metrics of the same quantity. Default: the
   * name.
   */
  readonly quantity?: string;
  /**
   * Short heading in leaderboards: for a main metric with a long title, and for other metrics of the paper's
   * tables.
   */
  readonly column?: string;
  readonly better: "higher" | "lower" | "neither";
  /** True if the task ranks models by this metric. */
  readonly main: boolean;
  readonly value: number | null;
  /** Reason of a null value; present exactly if the value is null. */
  readonly why?: string;
  /** Chance level of the metric on these rows, if the task defines one. */
  readonly chance?: number;
  /** Part of the rows or classes, for metrics that several parts have: "K562". */
  readonly of?: string;
  /**
   * Intervals of the value, the one to print first; `method` distinguishes them: "wald", "wilson",
   * "genomic-block-jackknife".
   */
  readonly intervals: readonly Estimate[];
}

/** @throws {InternalError} when there is no metric of the name */
export function metricNamed<Name extends string>(metrics: readonly Metric<Name>[], name: Name): Metric<Name> {
  const metric = metrics.find((each) => each.name === name);
  if (metric === undefined) throw new InternalError(`there is no metric ${name}`);
  return metric;
}

/** A metric without its numbers. */
export type MetricForm<Name extends string = string> = Pick<
  Metric<Name>,
  "name" | "title" | "quantity" | "column" | "better" | "main"
>;

/** Effect of one quirk of the original on a cell, computed from the same predictions. */
export interface QuirkEffect {
  /** Stable label, e.g. "Q14". */
  readonly label: string;
  /** The original's behaviour and the correction, one sentence. */
  readonly description: string;
  /** The number under each protocol; null if undefined. */
  readonly effect: Readonly<Record<Protocol, Estimate | number | null>>;
}

/** Tolerance within which scores are tied. */
export interface TieTolerance {
  /** Relative rounding error of a score, stated by the model or estimated. */
  readonly rounding: number;
  /** The largest tolerance of any pair, in units of the scores. */
  readonly tolerance: number;
  /** Pairs tied by the tolerance alone, without pairs of equal scores. */
  readonly byRounding: number;
}

/** Metrics of groups of rows: by motif, by family of motifs. JSON-safe: never NaN or Infinity. */
export interface Breakdown {
  /** Kebab-case, stable: "motifs". */
  readonly name: string;
  /** Noun for one group: "motif". */
  readonly group: string;
  /** Columns of numbers; groups are compared by the first. */
  readonly columns: readonly { readonly name: string; readonly title: string }[];
  /** In the order of the data. */
  readonly rows: readonly BreakdownRow[];
}

export interface BreakdownRow {
  readonly name: string;
  /** A coarser group, if known: a motif's family. */
  readonly within?: string;
  /** One per column; null if undefined. */
  readonly values: readonly (number | null)[];
}

/** Metrics and counts of one cell, a function of predictions and cell alone. */
export interface Measurement<MetricName extends string = string> {
  /** The main metric first. */
  readonly metrics: readonly Metric<MetricName>[];
  /** The original's keys with the values it would print; null if undefined. */
  readonly published: Readonly<Record<string, number | null>>;
  /** Counts: rows, ties, rows with unknown bases... */
  readonly counts: Readonly<Record<string, number>>;
  /** Absent if scores are compared exactly or not at all. */
  readonly ties?: TieTolerance;
  /** Averages: tokens per sequence...; null if undefined. */
  readonly averages: Readonly<Record<string, number | null>>;
  readonly quirks: readonly QuirkEffect[];
  /** Metrics of groups of rows. */
  readonly breakdowns?: readonly Breakdown[];
  /** Notes on the result, one sentence each: undefined numbers, unusual data. */
  readonly notes: readonly string[];
}

/** A JSON-safe number: null for NaN and infinities. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** An estimate, or null unless value and bounds are finite. */
export function finiteEstimate(estimate: Estimate): Estimate | null {
  const { value, low, high } = estimate;
  return [value, low, high].every(Number.isFinite) ? estimate : null;
}

/**
 * A JSON-safe metric: an undefined value is null with its reason, intervals without finite bounds are left
 * out.
 *
 * @param why  reason of an undefined value
 */
export function metricOf<Name extends string>(
  form: MetricForm<Name>,
  value: number,
  why: string,
  intervals: readonly Estimate[] = [],
): Metric<Name> {
  return {
    ...form,
    value: finiteOrNull(value),
    ...(Number.isFinite(value) ? {} : { why }),
    intervals: intervals.map(finiteEstimate).filter((estimate) => estimate !== null),
  };
}

/** Reason why a metric without rows is undefined. */
export const NO_ROWS = "there are no rows";
