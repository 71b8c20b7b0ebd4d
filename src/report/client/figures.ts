import type { Figure } from "../figure-data.ts";
import { drawChart, keyOf } from "./charts.ts";
import { SVG, svgOf } from "./figure-svg.ts";
import type { Drawing } from "./plot.ts";

/** Widths of printed charts, about those of their columns on paper, so that their texts stay readable. */
const PRINTED = { single: 270, multiple: 200 } as const;

/**
 * Draws figures into their containers when these become visible, and again when their width changes, so that
 * the font size stays the same.
 *
 * @returns  draws all of them anew, for other models
 */
export function drawFigures(
  figures: readonly Figure[],
  models: readonly string[],
  isShown: (model: string) => boolean,
): () => void {
  const redraws: (() => void)[] = [];
  const redrawAll = () => {
    for (const redraw of redraws) redraw();
  };
  let isPrinting = false;
  for (const figure of figures) {
    figure.charts.forEach((chart, i) => {
      const container = document.getElementById(`${figure.id}-${i}`);
      if (container === null) throw new Error(`the page has no element ${figure.id}-${i} for a chart`);
      let drawn = 0;
      const draw = (width: number) => {
        // Small multiples of models follow the filter as a whole.
        container.parentElement?.classList.toggle(
          "filtered-out",
          models.includes(chart.title) && !isShown(chart.title),
        );
        // A hidden figure is drawn when it becomes visible.
        drawn = width;
        if (width === 0) return;
        container.replaceChildren(drawChart(chart, figure, { width, models, isShown }));
      };
      new ResizeObserver(() => {
        const width = Math.floor(container.clientWidth);
        if (width !== drawn && width !== 0 && !isPrinting) draw(width);
      }).observe(container);
      const printed = figure.charts.length > 1 ? PRINTED.multiple : PRINTED.single;
      redraws.push(() => draw(isPrinting ? printed : Math.floor(container.clientWidth)));
    });
    addKey(figure, models, isShown);
  }
  addEventListener("beforeprint", () => {
    isPrinting = true;
    redrawAll();
  });
  addEventListener("afterprint", () => {
    isPrinting = false;
    redrawAll();
  });
  return redrawAll;
}

/** Adds a key of the models' colours and the buttons for downloads. */
function addKey(figure: Figure, models: readonly string[], isShown: (model: string) => boolean): void {
  const place = document.getElementById(figure.id);
  const names = keyOf(figure, models);
  if (names.length > 0) {
    const key = document.createElement("ul");
    key.className = "key";
    for (const { name, colour } of names) {
      const item = document.createElement("li");
      item.dataset.model = name;
      item.append(swatch(colour), name);
      key.append(item);
    }
    place?.querySelector("figcaption")?.before(key);
  }
  if (place !== null) place.append(downloadButtons(place, figure, { models, isShown }));
}

function swatch(colour: string): SVGElement {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  line.setAttribute("class", "swatch");
  line.setAttribute("aria-hidden", "true");
  const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
  stroke.setAttribute("d", "M2 7H24");
  stroke.setAttribute("stroke", colour);
  stroke.setAttribute("stroke-width", "3");
  line.append(stroke);
  return line;
}

/** Pixels of a PNG for each CSS pixel. */
const SCALE = 2;

/** Buttons that save a figure with its headings and key as SVG or PNG. */
function downloadButtons(
  place: HTMLElement,
  figure: Figure,
  drawing: Pick<Drawing, "models" | "isShown">,
): HTMLElement {
  const bar = document.createElement("p");
  bar.className = "downloads";
  for (const kind of ["svg", "png"] as const) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind.toUpperCase();
    button.setAttribute("aria-label", `Save the figure as ${kind.toUpperCase()}`);
    button.addEventListener("click", () => {
      const caption = place.querySelector("figcaption")?.textContent ?? "";
      const empty = document.implementation.createDocument(SVG, "svg");
      void save(svgOf({ ...figure, caption }, drawing, empty), figure.id, kind);
    });
    bar.append(button);
  }
  return bar;
}

async function save(text: string, name: string, kind: "svg" | "png"): Promise<void> {
  if (kind === "svg") return offer(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SCALE * image.naturalWidth;
  canvas.height = SCALE * image.naturalHeight;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("the browser draws no images");
  context.scale(SCALE, SCALE);
  context.drawImage(image, 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (blob === null) throw new Error("the browser writes no PNG");
  offer(blob, `${name}.png`);
}

function offer(blob: Blob, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
