import type { Bin } from "./page-data.ts";

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
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
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
    rows[Math.min(bins - 1, Math.max(0, bin))]!++;
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
