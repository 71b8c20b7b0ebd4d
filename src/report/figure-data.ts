// Data of the page's figures: plain JSON, embedded in the page.

import type { RowSet } from "./row-format.ts";

/** Bin [from, to) of a histogram; the outermost bins include values beyond them. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

/** Label and domain of an axis, which the charts of one figure share. */
export interface Axis {
  readonly label: string;
  /** Default: the range of the data. */
  readonly domain?: readonly [number, number];
  /** Logarithmic scale, with the d3-format of its numbers: `1k` or `1000`. */
  readonly log?: "~s" | "~g";
}

/** One curve per model, with pointwise bands. */
export interface CurvesChart {
  readonly kind: "curves";
  /** Heading among several charts: a model or a class. */
  readonly title: string;
  readonly curves: readonly {
    readonly model: string;
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly low?: readonly number[];
    readonly high?: readonly number[];
    /** 0-based point that is marked by a dot. */
    readonly dot?: number;
    readonly dashed?: true;
    /** Names of the points, for tooltips. */
    readonly names?: readonly string[];
  }[];
  /** Reference line: y = x, or a constant y. */
  readonly reference?: "identity" | number;
  /** Marks each point; bands are drawn as error bars. */
  readonly points?: true;
  /** The curves have the same x: their intervals stand next to each other. */
  readonly sharedX?: true;
}

/** Distribution of one number per row. */
export interface HistogramChart {
  readonly kind: "histogram";
  /** Heading among several charts: a model or a class. */
  readonly title: string;
  /** Empty if every value is 0. */
  readonly bins: readonly Bin[];
  /** Number of zeros, which are in no bin. */
  readonly ties: number;
  readonly median: number;
  /** Labels of values right and left of zero. */
  readonly sides: readonly [right: string, left: string];
}

/** Rows as points with two coordinates, or their numbers in rectangles if they are many. */
export interface ScatterChart {
  readonly kind: "scatter";
  /** Heading among several charts: a model or a class. */
  readonly title: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Rectangles [x0, x1, y0, y1, rows]. */
  readonly rectangles: readonly (readonly [number, number, number, number, number])[];
  /** Quadrants of equal sign, or the line y = x. */
  readonly reference: "signs" | "identity";
  /** Text in the corner, such as a correlation. */
  readonly note: string;
}

/** Points with a class, or with a name and intervals. */
export interface PointsChart {
  readonly kind: "points";
  /** Heading among several charts: a model or a class. */
  readonly title: string;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    /** Class or model, which has a colour. */
    readonly of: string;
    readonly name?: string;
    readonly low?: number;
    readonly high?: number;
  }[];
  readonly classes: readonly string[];
  /** Classes are models of the page. */
  readonly ofModels?: true;
  /** Reference line y = x. */
  readonly identity?: true;
  /** A constant y. */
  readonly level?: number;
}

export type Chart = CurvesChart | HistogramChart | ScatterChart | PointsChart;

/** One value with its interval per model. */
export interface ForestChart {
  readonly kind: "forest";
  /** Heading among several charts: a panel. */
  readonly title: string;
  readonly rows: readonly {
    readonly name: string;
    readonly value: number;
    readonly low?: number;
    readonly high?: number;
    /** Value and interval as text. */
    readonly text: string;
    readonly published?: number;
    /** The best model, or one that is not distinguished from it. */
    readonly best?: true;
  }[];
  readonly chance?: number;
}

/** A table whose cells have colours. */
export interface HeatChart {
  readonly kind: "heat";
  /** Heading among several charts: a setting or a model. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly cells: readonly {
    readonly row: string;
    readonly column: string;
    readonly text: string;
    /** Strength of the colour, from 0 to 1. */
    readonly share: number;
    readonly best?: true;
  }[];
}

/** A figure: one chart, or small multiples with common axes. */
export interface Figure {
  /** Id of the figure's element; the containers of its charts add `-0`, `-1`, … */
  readonly id: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly charts: readonly Chart[];
}

/** A figure with the sentences below it. */
export interface PanelFigure extends Figure {
  readonly caption: string;
}

/** A figure as a file; the page has forest plots and heat maps as HTML. */
export interface FileFigure extends Omit<PanelFigure, "charts"> {
  readonly charts: readonly (Chart | ForestChart | HeatChart)[];
}

/** Contents of the page's JSON element. */
export interface PageData {
  /** Names of all models, in the order of their colours. */
  readonly models: readonly string[];
  readonly figures: readonly Figure[];
  readonly rowSets: readonly RowSet[];
}

export interface Histogram {
  readonly bins: readonly Bin[];
  /** Number of zeros, which are in no bin. */
  readonly ties: number;
}

/** Share of values beyond each end of the bins, so that outliers do not compress the histogram. */
const TAIL = 0.005;

/**
 * Histograms of several lists of values with the same bins: equal, round width, an edge at zero, and the
 * central 99 % of each list. Values beyond count in the outermost bins.
 *
 * @param lists   finite numbers, in any order; zeros are in no bin
 * @param target  approximate number of bins; default 8 to 48, depending on the number of values
 */
export function commonHistograms(lists: readonly Float64Array[], target?: number): readonly Histogram[] {
  const sorted = lists.map((values) => values.filter((value) => value !== 0).sort());
  const present = sorted.filter((values) => values.length > 0);
  const most = Math.max(0, ...present.map((values) => values.length));
  // Too many bins for few values would show gaps instead of a distribution.
  const wanted = target ?? Math.min(48, Math.max(8, Math.ceil(2 * Math.sqrt(most))));
  const ends = (share: number) =>
    present.map((values) => values[Math.min(values.length - 1, Math.floor(share * values.length))]);
  const [low, high] = [Math.min(...ends(TAIL)), Math.max(...ends(1 - TAIL))];
  // If all values are nearly equal: a width that shows this and is distinguishable at twelve digits.
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const width = roundWidth(high - low > 1e-9 * largest ? (high - low) / wanted : largest / 10);
  const first = Math.floor(low / width);
  const bins = Math.max(1, Math.floor(high / width) - first + 1);
  // Twelve digits give 0.3 instead of 0.30000000000000004.
  const edge = (bin: number) => Number(((first + bin) * width).toPrecision(12));
  return sorted.map((values, i) => {
    const ties = lists[i].length - values.length;
    if (values.length === 0) return { bins: [], ties };
    const rows = new Array<number>(bins).fill(0);
    for (const value of values) {
      rows[Math.min(bins - 1, Math.max(0, Math.floor(value / width) - first))]++;
    }
    return { bins: rows.map((n, bin) => ({ from: edge(bin), to: edge(bin + 1), rows: n })), ties };
  });
}

/** The smallest of 1, 2, 2.5, 5 × 10^k that is at least `least`. */
function roundWidth(least: number): number {
  if (least < 1e-200) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= least * (1 - 1e-12)) ?? 10;
  return factor * power;
}
