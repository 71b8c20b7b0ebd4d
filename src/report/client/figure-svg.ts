import { inLightTheme } from "../colours.ts";
import type { FileFigure, ForestChart, HeatChart } from "../figure-data.ts";
import { drawChart, keyOf } from "./charts.ts";
import { type Drawing, SOFT, textWidth } from "./plot.ts";
import { drawForest, drawHeat } from "./table-charts.ts";

/** Namespace of SVG. */
export const SVG = "http://www.w3.org/2000/svg";
/** Space around a figure and between its charts in pixels. */
const GAP = 16;
/** Width of a chart that is alone, one of several, and one as wide as the figure. */
const WIDTHS = { single: 520, multiple: 320, full: 760 } as const;
/** Charts next to each other. */
const COLUMNS = 3;
/** Height of a heading, and of a line of the key. */
const LINE = 20;

/**
 * Fills an empty SVG document with a figure: its charts in rows, headings and the key of its colours. Colours
 * are those of the light theme, fonts are stated, title and caption are its `title` and `desc`.
 *
 * @param models   all models of the report, in the order of their colours
 * @param isShown  leaves out models
 * @returns        the text of the file
 */
export function svgOf(
  figure: FileFigure,
  { models, isShown }: Pick<Drawing, "models" | "isShown">,
  document: Document,
): string {
  const root = document.documentElement;
  const add: Add = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    setAttributes(element, attributes);
    if (text !== undefined) element.textContent = text;
    root.append(element);
  };
  const isLeft = (name: string) => !models.includes(name) || isShown(name);
  const charts = figure.charts.filter(({ title }) => isLeft(title));
  add("title", {}, figure.title);
  add("desc", {}, figure.caption);
  const isFull = charts.some(isTable);
  const width = isFull ? WIDTHS.full : charts.length > 1 ? WIDTHS.multiple : WIDTHS.single;
  const columns = isFull ? 1 : Math.min(COLUMNS, charts.length);
  const whole = 2 * GAP + columns * width + (columns - 1) * GAP;
  const drawing: Drawing = { width, models, isShown, document };
  add("rect", { width: "100%", height: "100%", fill: "var(--sheet)" });
  const heading = charts.length > 1 ? LINE : 0;
  let top = GAP;
  for (let first = 0; first < charts.length; first += columns) {
    const row = charts.slice(first, first + columns).map((chart, i) => {
      const x = GAP + i * (width + GAP);
      if (heading > 0)
        add("text", { x, y: top + 12, fill: "var(--ink)", "font-weight": "bold" }, chart.title);
      const drawn = drawAny(chart, figure, drawing);
      setAttributes(drawn, { x, y: top + heading, overflow: "visible" });
      root.append(drawn);
      return Number(drawn.getAttribute("height"));
    });
    top += heading + Math.max(...row) + GAP;
  }
  const names = keyOf(figure, models).filter(({ name }) => isLeft(name));
  if (names.length > 0) top += drawKey(names, top, whole - 2 * GAP, add) + GAP;
  const size = { width: whole, height: top, viewBox: `0 0 ${whole} ${top}` };
  const font = { "font-family": "Arial, Arimo, Helvetica, sans-serif", "font-size": 12 };
  setAttributes(root, { ...size, ...font, role: "img" });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${valid(renumbered(withColours(root).outerHTML))}\n`;
}

type Attributes = Readonly<Record<string, number | string>>;

/** Appends an element to the document. */
type Add = (name: string, attributes: Attributes, text?: string) => void;

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
}

/** Draws a chart without a font and styles: the root states the font, and most programs ignore styles. */
function drawAny(chart: FileFigure["charts"][number], figure: FileFigure, drawing: Drawing): Element {
  const drawn =
    chart.kind === "forest"
      ? drawForest(chart, figure, drawing)
      : chart.kind === "heat"
        ? drawHeat(chart, figure, drawing)
        : drawChart(chart, figure, drawing);
  for (const name of ["class", "font-family", "font-size"]) drawn.removeAttribute(name);
  for (const element of drawn.querySelectorAll("style")) element.remove();
  return drawn;
}

/** Draws the key in lines; returns its height in pixels. */
function drawKey(names: ReturnType<typeof keyOf>, top: number, width: number, add: Add): number {
  const step = 40 + Math.max(...names.map(({ name }) => textWidth(name)));
  const inLine = Math.max(1, Math.floor(width / step));
  names.forEach(({ name, colour: stroke }, i) => {
    const x = GAP + (i % inLine) * step;
    const y = top + Math.floor(i / inLine) * LINE + 6;
    add("path", { d: `M${x},${y}h22`, stroke, "stroke-width": 3 });
    add("text", { x: x + 28, y: y + 4, fill: "var(--ink)" }, name);
  });
  return Math.ceil(names.length / inLine) * LINE;
}

const isTable = (chart: FileFigure["charts"][number]): chart is ForestChart | HeatChart =>
  chart.kind === "forest" || chart.kind === "heat";

/** Text without the characters that XML cannot have. */
const valid = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names of models may have any characters.
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/gu, "\ufffd");

/** The element with values in place of CSS variables. */
function withColours(root: Element): Element {
  for (const element of [root, ...root.querySelectorAll("*")]) {
    for (const { name, value } of [...element.attributes]) {
      const plain = inLightTheme(value.replace("currentColor", SOFT));
      if (plain !== value) element.setAttribute(name, plain);
    }
  }
  return root;
}

/** Ids of clip paths from 1, which otherwise count all charts of the process. */
function renumbered(text: string): string {
  const ids = new Map<string, number>();
  return text.replace(/\bplot-clip-(\d+)\b/g, (id) => {
    const number = ids.get(id) ?? ids.size + 1;
    ids.set(id, number);
    return `clip-${number}`;
  });
}
