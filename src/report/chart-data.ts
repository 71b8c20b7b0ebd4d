// Data of the page's charts: plain JSON, embedded in the page. Tables have the same numbers.

/** Point of the forest plot: a metric with its interval. */
export interface AccuracyMark {
  /** Row of the plot: the model's label. */
  readonly row: string;
  readonly protocol: "paper" | "corrected";
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Text of the tooltip. */
  readonly detail: string;
}

/** Forest plot of the main metric. */
export interface AccuracyChart {
  /** Id of the chart's container element. */
  readonly container: string;
  readonly title: string;
  /** Label of the axis: the metric's name. */
  readonly axis: string;
  /** Chance level; null if it is not a single number. */
  readonly chance: number | null;
  readonly marks: readonly AccuracyMark[];
}

/** Bin [from, to) of a histogram; the outermost bins include values beyond them. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

/** Histogram of the score differences of one cell. */
export interface DifferenceChart {
  readonly container: string;
  readonly title: string;
  /** Empty if every pair is a tie. */
  readonly bins: readonly Bin[];
  /** Number of pairs with equal scores, which are in no bin. */
  readonly ties: number;
  readonly median: number;
}

/** Values in descending order, one curve per model. */
export interface RankedChart {
  readonly container: string;
  readonly title: string;
  /** Label of the rank axis. */
  readonly axis: string;
  /** Label of the value axis. */
  readonly value: string;
  /** Chance level. */
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
  /** Number of zeros, which are in no bin. */
  readonly ties: number;
  /** Number of values outside the bins, counted in the outermost ones. */
  readonly beyond: number;
}

/** Share of values beyond each end of the bins, so that outliers do not compress the histogram. */
const TAIL = 0.005;

/**
 * Histogram of the central 99 % of the values, with bins of equal, round width and an edge at zero.
 *
 * @param values  finite numbers, in any order; zeros only give no bins
 * @param target  approximate number of bins; default 8 to 48, depending on the number of values
 */
export function histogram(values: Float64Array, target?: number): Histogram {
  const sorted = values.filter((value) => value !== 0).sort();
  // Too many bins for few values would show gaps instead of a distribution.
  const wanted = target ?? Math.min(48, Math.max(8, Math.ceil(2 * Math.sqrt(sorted.length))));
  const ties = values.length - sorted.length;
  if (sorted.length === 0) return { bins: [], ties, beyond: 0 };
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  // If all values are nearly equal: a width that shows this and is distinguishable at twelve digits.
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
  // Twelve digits give 0.3 instead of 0.30000000000000004.
  const edge = (bin: number) => Number(((first + bin) * width).toPrecision(12));
  return { bins: rows.map((n, bin) => ({ from: edge(bin), to: edge(bin + 1), rows: n })), ties, beyond };
}

/** The smallest of 1, 2, 2.5, 5 × 10^k that is at least `least`. */
function roundWidth(least: number): number {
  if (least < 1e-200) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= least * (1 - 1e-12)) ?? 10;
  return factor * power;
}

/** Range that an axis must include. */
interface Span {
  readonly low: number;
  readonly high: number;
}

/**
 * Domain of an axis: the range of data and chance level with a margin. It stays within 0 and 1 unless the
 * data do not, as with correlations.
 *
 * @param spans   at least one
 * @param chance  chance level; null if it is not a single number
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
