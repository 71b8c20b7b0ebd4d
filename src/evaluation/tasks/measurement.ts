import type { Estimate } from "../../metrics/intervals.ts";
import type { Protocol } from "../../models/model.ts";

/** A number that a task reports, with every interval computed for it. JSON-safe: never NaN or Infinity. */
export interface Metric<Name extends string = string> {
  /** Kebab-case, stable: "paired-accuracy". */
  readonly name: Name;
  /** In words, for a table's head: "zero-shot paired accuracy". */
  readonly title: string;
  /**
   * What is measured, where the name does not say it all: the protocols orient a signed correlation differently, and each
   * class has its own metric. Metrics share a column of a table exactly where their quantities are equal; the name
   * stands for an absent one.
   */
  readonly quantity?: string;
  /** Short heading in leaderboards: of the main metric, if its title is long, and of others that lead the paper's table. */
  readonly column?: string;
  readonly better: "higher" | "lower" | "neither";
  /** The one number by which this task ranks models. */
  readonly main: boolean;
  readonly value: number | null;
  /** Why the value is null, in words; present exactly when it is. */
  readonly why?: string;
  /** What guessing gives for these rows, where the task says so. */
  readonly chance?: number;
  /** The part of the rows or of the classes that the number is about, where the same is told of several: "K562". */
  readonly of?: string;
  /**
   * Every interval known for the value; the first is the one to print. Empty when there is none.
   * `method` tells them apart: "wald", "wilson", "genomic-block-jackknife".
   */
  readonly intervals: readonly Estimate[];
}

/** What one quirk of the original changes in this cell, computed from the same predictions. */
export interface QuirkEffect {
  /** Stable label, e.g. "Q14". */
  readonly label: string;
  /** One sentence: what the original does and what is done instead. */
  readonly says: string;
  /** The number under each protocol, as text-free estimates or plain numbers; null where undefined. */
  readonly effect: Readonly<Record<Protocol, Estimate | number | null>>;
}

/** How near two scores must be to be a tie. */
export interface TieTolerance {
  /** Rounding of a score relative to its size, as the model states it or as it was estimated. */
  readonly rounding: number;
  /** The largest tolerance of any pair, in units of the scores. */
  readonly tolerance: number;
  /** Pairs that tie by the tolerance alone; pairs of equal scores are not among them. */
  readonly byRounding: number;
}

/** The same rows group by group: by motif, by family of motifs. JSON-safe: never NaN or Infinity. */
export interface Breakdown {
  /** Kebab-case, stable: "motifs". */
  readonly name: string;
  /** What one group is, in words: "motif". */
  readonly group: string;
  /** What the numbers of a group are; the first is its accuracy or whatever else groups are compared by. */
  readonly columns: readonly { readonly name: string; readonly title: string }[];
  /** In the order of the data. */
  readonly rows: readonly BreakdownRow[];
}

export interface BreakdownRow {
  readonly name: string;
  /** A coarser group that it belongs to, where that is known: a motif's family. */
  readonly within?: string;
  /** One per column; null where undefined. */
  readonly values: readonly (number | null)[];
}

/** Everything a task says about one cell's predictions. Pure data, a function of predictions and cell alone. */
export interface Measurement<MetricName extends string = string> {
  /** The main metric first. */
  readonly metrics: readonly Metric<MetricName>[];
  /** The original's own keys with the values it would print; null where undefined. */
  readonly published: Readonly<Record<string, number | null>>;
  /** Counts worth reporting: rows, ties, rows with unknown letters... */
  readonly counts: Readonly<Record<string, number>>;
  /** Absent where scores are compared exactly, and where none are compared. */
  readonly ties?: TieTolerance;
  /** Averages worth reporting beside the metrics (tokens per sequence...); null where undefined. */
  readonly averages: Readonly<Record<string, number | null>>;
  readonly quirks: readonly QuirkEffect[];
  /** Groups of rows that a reader may want to look at one by one. */
  readonly breakdowns?: readonly Breakdown[];
  /** Sentences a reader of the result must know: undefined numbers, odd data. */
  readonly notes: readonly string[];
}

/** A number as JSON can say it: null for NaN and infinities. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** An estimate, or null unless value and bounds are finite. */
export function finiteEstimate(estimate: Estimate): Estimate | null {
  const { value, low, high } = estimate;
  return [value, low, high].every(Number.isFinite) ? estimate : null;
}

/**
 * A metric that JSON can say: an undefined value is null and has its reason; intervals without both bounds are left out.
 *
 * @param why  why the value is undefined, should it be
 */
export function metricOf<Name extends string>(
  form: Pick<Metric<Name>, "name" | "title" | "quantity" | "column" | "better" | "main">,
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
