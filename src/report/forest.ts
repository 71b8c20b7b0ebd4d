import type { Metric } from "../evaluation/tasks/measurement.ts";
import { intervalText, methodName } from "./estimates.ts";
import { type Html, html } from "./html.ts";
import { count, fixed } from "./numbers.ts";
import type { Entry } from "./panels.ts";
import type { PublishedValues } from "./published-table.ts";

/** Chance levels of metrics, for tasks that do not define one. */
const CHANCE: Readonly<Record<string, number>> = {
  "paired-accuracy": 0.5,
  accuracy: 0.5,
  auroc: 0.5,
  "spearman-peaks": 0,
};

/** Chance level of a metric; undefined if it is not a single number. */
export const chanceOf = ({ name, chance }: Pick<Metric, "name" | "chance">): number | undefined =>
  chance ?? CHANCE[name];

/** Domain of a forest plot's axis with its ticks. */
export interface ForestScale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** Largest number of ticks that fits a column of a leaderboard. */
const TICKS = 6;

/**
 * Scale that includes all values, intervals and chance levels, with ends at ticks: every panel of a task has
 * the same. 0 to 1 without values.
 */
export function forestScale(metrics: readonly Metric[]): ForestScale {
  const numbers = metrics.flatMap((metric) => {
    const interval = metric.intervals[0];
    const bounds = interval === undefined ? [] : [interval.low, interval.high];
    return [metric.value, chanceOf(metric), ...bounds].filter((one) => one != null);
  });
  if (numbers.length === 0) return { low: 0, high: 1, ticks: [0, 0.5, 1] };
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const step =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((one) => (most - least) / one <= TICKS - 1) ??
    10 ** Math.ceil(Math.log10((most - least) / (TICKS - 1)));
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(9)),
  );
  return { low: ticks[0], high: ticks.at(-1) ?? 1, ticks };
}

/** Place on a scale as a percentage of the width. */
function placeOn({ low, high }: ForestScale, value: number): string {
  const share = (value - low) / (high - low);
  return `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
}

/** The published number of an entry's main metric; undefined if none is comparable. */
export function publishedMain({ lines }: PublishedValues, entry: Entry): number | undefined {
  return lines.find(
    ({ result, comparison: { own, published } }) =>
      result.identity === entry.result.identity && own.title === entry.main.title && !published.superseded,
  )?.comparison.published.value;
}

/** Metric and published value in a row of a forest plot. */
export interface ForestMark {
  readonly main: Metric;
  readonly published: number | undefined;
}

/**
 * Row of a forest plot as a scalable drawing without script: interval, value, a line at chance, a diamond for
 * the published number. Empty for an undefined value.
 */
export function forestMark({ main, published }: ForestMark, scale: ForestScale): Html {
  const { value, intervals } = main;
  const chance = chanceOf(main);
  const at = (place: number) => placeOn(scale, place);
  const interval = intervals[0];
  return html`<svg class="forest" role="img" aria-label="${markText({ main, published })}">${
    chance === undefined
      ? undefined
      : html`<line class="chance" x1="${at(chance)}" x2="${at(chance)}" y1="0" y2="100%"/>`
  }${
    interval === undefined || value === null
      ? undefined
      : html`<line class="interval" x1="${at(interval.low)}" x2="${at(interval.high)}" y1="50%" y2="50%"/>`
  }${
    published === undefined
      ? undefined
      : html`<svg x="${at(published)}" y="50%" overflow="visible"><path class="published" d="M0-5 5 0 0 5-5 0Z"/></svg>`
  }${value === null ? undefined : html`<circle class="value" cx="${at(value)}" cy="50%" r="4"/>`}</svg>`;
}

/** A mark as text: `paired accuracy 0.731 [0.705, 0.756], chance 0.5`. */
export function markText({ main, published }: ForestMark): string {
  const { title, value, intervals } = main;
  if (value === null) return `${title} undefined`;
  const interval = intervals[0] === undefined ? "" : ` ${intervalText(intervals[0])}`;
  const chance = chanceOf(main);
  return [
    `${title} ${fixed(value)}${interval}`,
    ...(chance === undefined ? [] : [`chance ${Number(chance.toFixed(3))}`]),
    ...(published === undefined ? [] : [`published ${fixed(published)}`]),
  ].join(", ");
}

/** Method and size of the printed interval: `95 % interval: jackknife over genomic blocks, n 372`. */
export function intervalSource({ intervals }: Metric): string {
  const [printed] = intervals;
  return printed === undefined ? "" : `95 % interval: ${methodName(printed.method)}, n ${count(printed.n)}`;
}

/** Axis of a forest plot: tick labels at their places. */
export function forestAxis(scale: ForestScale): Html {
  return html`<svg class="forest axis" aria-hidden="true">${scale.ticks.map(
    (tick) =>
      html`<text x="${placeOn(scale, tick)}" y="50%" dominant-baseline="central" text-anchor="middle">${String(tick).replace("-", "−")}</text>`,
  )}</svg>`;
}
