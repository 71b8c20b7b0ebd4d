import * as Plot from "@observablehq/plot";
import type { Axis, CurvesChart } from "../figure-data.ts";

/** Number of colours of the style sheet, which are distinguishable with colour blindness. */
const COLOURS = 8;

/** Colour of a model or class by its place in the list of all. */
export const colourOf = (name: string, all: readonly string[]): string =>
  `var(--series-${Math.max(0, all.indexOf(name)) % COLOURS})`;

/** Width and models of a chart. */
export interface Drawing {
  /** Width in CSS pixels. */
  readonly width: number;
  /** All models of the page, in the order of their colours. */
  readonly models: readonly string[];
  /** True for models that the filter shows. */
  readonly isShown: (model: string) => boolean;
  /** Document of a drawing for a file, which has no tooltips. Default: the page. */
  readonly document?: Document;
}

const TIP = { fill: "var(--sheet)", stroke: "var(--line)" } as const;
/** Colour of what is less important. */
export const SOFT = "var(--ink-soft)";

/** A plot with the roles that screen readers need. */
export function drawPlot({ width, document }: Drawing, options: Plot.PlotOptions): Element {
  const plot = Plot.plot({
    className: "plot",
    width,
    ...(document === undefined ? {} : { document }),
    ...options,
  });
  const svg = plot.matches("svg") ? plot : plot.querySelector("svg:last-of-type");
  svg?.setAttribute("role", "img");
  // Groups have no role, so they may have no label.
  for (const group of plot.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  return plot;
}

/** Options of a mark with a tooltip in the page. */
export const withTip = ({ document }: Drawing) => (document === undefined ? { tip: TIP } : {});

/** A tooltip of the point next to the pointer; nothing in a file. */
export const pointerTip = <T>(
  { document }: Drawing,
  data: readonly T[],
  title: (point: T) => string,
): Plot.Markish[] =>
  document === undefined ? [Plot.tip(data, Plot.pointer({ x: "x", y: "y", title, ...TIP }))] : [];

/** Options of a scale. */
export function axisOf({ label, domain, log }: Axis): Plot.ScaleOptions {
  return {
    label,
    labelAnchor: "center",
    labelArrow: "none",
    nice: domain === undefined,
    ...(domain === undefined ? {} : { domain: [...domain] }),
    ...(log === undefined ? {} : { type: "log", tickFormat: log }),
  };
}

/** Marks of a chart, with options of its plot. */
export interface Marks {
  readonly marks: Plot.Markish[];
  readonly options?: Plot.PlotOptions;
}

/** Three significant digits. */
export const shownNumber = (value: number) => value.toPrecision(3).replace("-", "−");

/** Reference line: y = x, or a constant y. */
export function reference(at: CurvesChart["reference"]): Plot.Markish[] {
  if (at === undefined) return [];
  const style = { stroke: SOFT, strokeDasharray: "4 4" };
  return at === "identity"
    ? [
        Plot.line(
          [
            [0, 0],
            [1, 1],
          ],
          style,
        ),
      ]
    : [Plot.ruleY([at], style)];
}

/** Approximate width of a text of 12 pixels in Arial. */
export const textWidth = (text: string): number => 6.6 * text.length;
