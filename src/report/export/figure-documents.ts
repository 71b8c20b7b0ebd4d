import { createRequire } from "node:module";
import { extname } from "node:path";
import { InternalError } from "../../base/errors.ts";
import { bytesIfPresent } from "../../base/read-file.ts";
import type { FileFigure } from "../figure-data.ts";

/** Exports of `client/figure-files.ts`, which uses libraries for browsers and is built as one file. */
interface FigureFiles {
  /** Fonts in WOFF2. */
  readonly FONTS: readonly Uint8Array[];
  figureSvg(figure: FileFigure, models: readonly string[]): string;
}

let loaded: Promise<FigureFiles> | undefined;

function figureFiles(): Promise<FigureFiles> {
  const file = `../client/figure-files${extname(import.meta.url)}`;
  loaded ??= import(new URL(file, import.meta.url).href);
  return loaded;
}

/**
 * A figure as an SVG document with its colours, fonts and key. Equal figures give equal bytes.
 *
 * @param models  all models of the report, in the order of their colours
 */
export async function figureDocument(figure: FileFigure, models: readonly string[]): Promise<string> {
  return (await figureFiles()).figureSvg(figure, models);
}

/** Pixels of a PNG for each pixel of the SVG. */
const SCALE = 2;

let renderer: Promise<typeof import("@resvg/resvg-wasm").Resvg> | undefined;

/** The renderer with its WebAssembly module, which can be loaded once per process. */
async function loadRenderer() {
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  const file = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
  const code = await bytesIfPresent(file);
  if (code === undefined) throw new InternalError(`${file} is missing`);
  await initWasm(code);
  return Resvg;
}

/** PNG of an SVG document of `figureDocument`, with twice its width and height. */
export async function svgPng(svg: string): Promise<Uint8Array> {
  renderer ??= loadRenderer();
  const Resvg = await renderer;
  const { FONTS } = await figureFiles();
  const drawing = new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: { fontBuffers: [...FONTS], defaultFontFamily: "Arimo", sansSerifFamily: "Arimo" },
  });
  try {
    return drawing.render().asPng();
  } finally {
    drawing.free();
  }
}
