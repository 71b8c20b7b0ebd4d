import type { Figure } from "../figure-data.ts";
import { SVG, svgOf } from "./figure-svg.ts";
import type { Drawing } from "./plot.ts";

/** Pixels of a PNG for each CSS pixel. */
const SCALE = 2;

/** Buttons that save a figure with its headings and key as SVG or PNG. */
export function downloadButtons(
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
