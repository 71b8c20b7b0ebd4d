import greek from "@fontsource/arimo/files/arimo-greek-400-normal.woff2?inline";
import latin from "@fontsource/arimo/files/arimo-latin-400-normal.woff2?inline";
import bold from "@fontsource/arimo/files/arimo-latin-700-normal.woff2?inline";
import { parseHTML } from "linkedom";
import type { FileFigure } from "../figure-data.ts";
import { SVG, svgOf } from "./figure-svg.ts";

// Figures of a report as SVG documents, without a browser. Built for Node as one file with its libraries.

/** Fonts of the figures in WOFF2: Arimo, which has the widths of Arial (SIL Open Font License 1.1). */
export const FONTS: readonly Uint8Array[] = [latin, bold, greek].map((address) =>
  Uint8Array.from(atob(address.slice(address.indexOf(",") + 1)), (letter) => letter.charCodeAt(0)),
);

/** Parser of a document outside a browser. */
const { DOMParser } = parseHTML("");

/**
 * A figure as an SVG document.
 * @param models  all models of the report, in the order of their colours
 */
export function figureSvg(figure: FileFigure, models: readonly string[]): string {
  const document = new DOMParser().parseFromString(`<svg xmlns="${SVG}"/>`, "image/svg+xml");
  return svgOf(figure, { models, isShown: () => true }, document);
}
