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

export interface Histogram {
  readonly bins: readonly Bin[];
  /** Values that are zero; they are in no bin. */
  readonly ties: number;
  /** Values outside the bins, counted in the outermost ones. */
  readonly beyond: number;
}

/** Share of the values that may lie beyond each end, so that a few outliers do not flatten the rest. */
const TAIL = 0.005;

/**
 * Bins of equal, round width, with an edge at zero, over the middle 99 % of the values.
 *
 * @param values  finite numbers, in any order; none but zeros give no bins
 * @param target  about how many bins; by default the more the more values, 8 to 48
 */
export function histogram(values: Float64Array, target?: number): Histogram {
  const sorted = values.filter((value) => value !== 0).sort();
  // A few values in many bins show gaps, not a distribution.
  const wanted = target ?? Math.min(48, Math.max(8, Math.ceil(2 * Math.sqrt(sorted.length))));
  const ties = values.length - sorted.length;
  if (sorted.length === 0) return { bins: [], ties, beyond: 0 };
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  // Where all are as good as equal, a width that shows it, and that twelve digits can tell.
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const width = roundWidth(high - low > 1e-9 * largest ? (high - low) / wanted : largest / 10);
  const first = Math.floor(low / width);
  const bins = Math.max(1, Math.floor(high / width) - first + 1);
  const rows = new Array<number>(bins).fill(0);
  let beyond = 0;
  for (const value of sorted) {
    const bin = Math.floor(value / width) - first;
    if (bin < 0 || bin >= bins) beyond++;
    rows[Math.min(bins - 1, Math.max(0, bin))]++;
  }
  // Twelve digits: 0.3, not 0.30000000000000004.
  const edge = (bin: number) => Number(((first + bin) * width).toPrecision(12));
  return { bins: rows.map((n, bin) => ({ from: edge(bin), to: edge(bin + 1), rows: n })), ties, beyond };
}

/** The next of 1, 2, 2.5, 5 × 10^k that is no smaller. */
function roundWidth(least: number): number {
  if (least < 1e-200) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= least * (1 - 1e-12)) ?? 10;
  return factor * power;
}

/** Numbers of which an axis is to show all: a value with its interval. */
interface Span {
  readonly low: number;
  readonly high: number;
}

/**
 * The ends of an axis: a little beyond the lowest and the highest of chance and data. Shares do not go below 0 or above 1,
 * so an axis does not either, unless the data do, as correlations may.
 *
 * @param spans   at least one
 * @param chance  what guessing gives; null where that is not one number
 */
export function axisDomain(spans: readonly Span[], chance: number | null): [number, number] {
  const known = chance === null ? [] : [chance];
  const low = Math.min(...known, ...spans.map((span) => span.low));
  const high = Math.max(...known, ...spans.map((span) => span.high));
  const margin = Math.max(0.02, (high - low) * 0.08);
  return [
    low < 0 ? low - margin : Math.max(0, low - margin),
    high > 1 ? high + margin : Math.min(1, high + margin),
  ];
}
