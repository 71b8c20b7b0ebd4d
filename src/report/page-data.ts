// What the page's script draws: plain JSON, put into the page beside the tables that say the same in numbers.

/** A line of the forest plot: a metric and its interval. */
export interface AccuracyMark {
  /** The row it stands in, such as the model's name. */
  readonly row: string;
  readonly protocol: "paper" | "corrected";
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** In words, for the tip. */
  readonly detail: string;
}

export interface AccuracyChart {
  /** The id of the element that holds it. */
  readonly holder: string;
  readonly title: string;
  /** The metric's name, below the axis. */
  readonly axis: string;
  /** What guessing gives; null where that is not one number. */
  readonly chance: number | null;
  readonly marks: readonly AccuracyMark[];
}

/** Bin [from, to) of a histogram; the first and the last also hold what lies beyond them. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

/** How the score differences of one cell are distributed. */
export interface DifferenceChart {
  readonly holder: string;
  readonly title: string;
  /** Empty where every pair is a tie. */
  readonly bins: readonly Bin[];
  /** Pairs whose scores are equal; they are in no bin. */
  readonly ties: number;
  readonly median: number;
}

/** Values of many things in falling order, one curve per model. */
export interface RankedChart {
  readonly holder: string;
  readonly title: string;
  /** What stands along the axis of places, and what along that of values. */
  readonly axis: string;
  readonly value: string;
  /** What guessing gives. */
  readonly chance: number;
  readonly curves: readonly { readonly label: string; readonly values: readonly number[] }[];
}

export interface PageData {
  readonly accuracies: readonly AccuracyChart[];
  readonly differences: readonly DifferenceChart[];
  readonly ranked: readonly RankedChart[];
}
