import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportRuns, figureDocument, svgPng } from "../../../src/report/export/export-runs.ts";
import type { FileFigure } from "../../../src/report/figure-data.ts";
import { dinucleotideModel, elementInputs, smallRun } from "./small-run.ts";

const HOSTILE = `</title><script>alert("1")</script> & 'm' <b>\u0000\ud800`;

const axis = { label: HOSTILE };
const base = { title: HOSTILE, caption: HOSTILE, x: axis, y: axis };
const curve = { model: HOSTILE, x: [1, 2, 3], y: [0.2, 0.5, 0.9] };

/** A figure of each kind of chart. */
const FIGURES: readonly FileFigure[] = [
  {
    ...base,
    id: "curves",
    charts: [
      {
        kind: "curves",
        title: HOSTILE,
        reference: "identity",
        curves: [
          { ...curve, low: [0.1, 0.4, 0.8], high: [0.3, 0.6, 1], dot: 1, names: [HOSTILE, "b", "c"] },
          { ...curve, model: "b", dashed: true },
        ],
      },
    ],
  },
  {
    ...base,
    id: "bars",
    charts: [
      {
        kind: "curves",
        title: "a",
        points: true,
        reference: 0.5,
        curves: [{ ...curve, low: curve.y, high: curve.y }],
      },
    ],
  },
  {
    ...base,
    id: "histogram",
    charts: ["a", HOSTILE].map((title) => ({
      kind: "histogram",
      title,
      bins: [
        { from: -1, to: 0, rows: 5 },
        { from: 0, to: 1, rows: 7 },
      ],
      ties: 2,
      median: 0.1,
      sides: [HOSTILE, "left"],
    })),
  },
  {
    ...base,
    id: "scatter",
    x: { label: "x", domain: [-1, 1] },
    y: { label: "y", domain: [-1, 1] },
    charts: [
      {
        kind: "scatter",
        title: "a",
        points: [[0.5, 0.5]],
        rectangles: [],
        reference: "signs",
        note: HOSTILE,
      },
      {
        kind: "scatter",
        title: "b",
        points: [],
        rectangles: [[0, 1, 0, 1, 9]],
        reference: "identity",
        note: "Spearman ρ 0.500",
      },
    ],
  },
  {
    ...base,
    id: "points",
    x: { label: "rows/s", log: "~s" },
    charts: [
      {
        kind: "points",
        title: "a",
        classes: [HOSTILE, "b"],
        ofModels: true,
        level: 0.5,
        points: [
          { x: 10, y: 0.6, of: HOSTILE, name: HOSTILE, low: 0.5, high: 0.7 },
          { x: 200, y: 0.7, of: "b", name: "b" },
        ],
      },
    ],
  },
  {
    ...base,
    id: "classes",
    charts: [
      {
        kind: "points",
        title: "a",
        classes: ["b", HOSTILE],
        points: [
          { x: 1, y: 2, of: HOSTILE },
          { x: 2, y: 2, of: "b" },
        ],
      },
    ],
  },
  {
    ...base,
    id: "forest",
    charts: [
      {
        kind: "forest",
        title: HOSTILE,
        chance: 0.5,
        rows: [
          {
            name: HOSTILE,
            value: 0.7,
            low: 0.6,
            high: 0.8,
            text: "0.700 [0.600, 0.800]",
            published: 0.72,
            best: true,
          },
          { name: "b", value: 0.6, text: "0.600" },
        ],
      },
    ],
  },
  {
    ...base,
    id: "heat",
    charts: [
      {
        kind: "heat",
        title: "a",
        columns: [HOSTILE, "c"],
        rows: ["r", HOSTILE],
        cells: [
          { row: HOSTILE, column: "c", text: HOSTILE, share: 0.3 },
          { row: "r", column: HOSTILE, text: "1", share: 1, best: true },
        ],
      },
    ],
  },
];

/** Width, height and bytes of the image data of a PNG file (ISO/IEC 15948). */
function decodedPng(bytes: Uint8Array) {
  const file = Buffer.from(bytes);
  expect(file.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
  const data: Buffer[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") data.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return {
    width: file.readUInt32BE(16),
    height: file.readUInt32BE(20),
    pixels: inflateSync(Buffer.concat(data)),
  };
}

describe("a figure as a file", () => {
  test.each(FIGURES)(
    "of kind $id is plain SVG, equal in each call, and a PNG of twice its size",
    async (figure) => {
      const svg = await figureDocument(figure, [HOSTILE, "b"]);
      expect(svg).toBe(await figureDocument(figure, [HOSTILE, "b"]));
      expect(svg).not.toMatch(/<script|<style|<b>|var\(|currentColor|\sclass=|\son\w+=|href=|\0/);
      const root = new (parseHTML("").DOMParser)().parseFromString(svg, "image/svg+xml").documentElement;
      const [width, height] = ["width", "height"].map((name) => Number(root.getAttribute(name)));
      expect(root.getAttribute("viewBox")).toBe(`0 0 ${width} ${height}`);
      expect(root.querySelector("title")?.textContent).toContain(`<script>alert("1")</script> & 'm'`);
      for (const element of root.querySelectorAll("[fill], [stroke]")) {
        for (const name of ["fill", "stroke"])
          expect(element.getAttribute(name) ?? "none").toMatch(/^(none|#[0-9a-f]{6})$/);
      }
      // The renderer has an XML parser of its own, which refuses documents that are not well-formed.
      const png = decodedPng(await svgPng(svg));
      expect([png.width, png.height]).toEqual([2 * width, 2 * height]);
      expect(png.pixels.length).toBe(png.height * (1 + 4 * png.width));
      const shades = Array.from({ length: 256 }, (_, byte) => byte);
      expect(shades.filter((byte) => png.pixels.includes(byte)).length).toBeGreaterThan(16);
    },
  );

  test("has the text of its axes, its headings and its key", async () => {
    const svg = await figureDocument(
      { ...FIGURES[0], x: { label: "rank" }, charts: [...FIGURES[0].charts, ...FIGURES[0].charts] },
      ["b"],
    );
    for (const text of [">rank</text>", ">b</text>", 'font-family="Arial, Arimo, Helvetica, sans-serif"'])
      expect(svg).toContain(text);
    expect(svg.match(/font-weight="bold"/g)).toHaveLength(2);
  });

  test("names the colours of classes and of several models, not of one model that its heading names", async () => {
    const keysOf = async (charts: FileFigure["charts"]) =>
      (await figureDocument({ ...FIGURES[0], charts }, ["a", "b"])).match(/(?<=>)[^<]+(?=<\/text><\/svg>)/g);
    const points = { x: 0, y: 0, of: "K562" };
    const classes: FileFigure["charts"][number] = {
      kind: "points",
      title: "a",
      classes: ["GM12878", "K562"],
      points: [points],
    };
    expect(await keysOf([classes])).toEqual(["K562"]);
    const of = (title: string, models: readonly string[]): FileFigure["charts"][number] => ({
      kind: "curves",
      title,
      curves: models.map((model) => ({ model, x: [0, 1], y: [0, 1] })),
    });
    expect(await keysOf([of("all", ["a", "b"])])).toEqual(["b"]);
    expect(await keysOf([of("a", ["a", "a"]), of("b", ["b"])])).toBeNull();
  });
});

describe("exportRuns", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dart-eval-figures-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("writes the figures of the report in the requested formats", async () => {
    const run = await smallRun(join(folder, "run"), await elementInputs(folder), {
      models: [dinucleotideModel("a", 1.25), dinucleotideModel("b", 2)],
    });
    await exportRuns([run], join(folder, "figures"), { formats: ["svg", "png"] });
    const names = (await readdir(join(folder, "figures", "figures"))).sort();
    expect(names).toEqual(
      [
        "overview",
        "panel-regulatory-elements--zero-shot-scores",
        "panel-regulatory-elements--zero-shot-speed-rows",
        "task-regulatory-elements--forest",
      ].flatMap((id) => [`${id}.png`, `${id}.svg`]),
    );
    const forest = await readFile(join(folder, "figures", "figures", names[7]), "utf8");
    expect(forest).toContain(">paired accuracy</text>");
    expect(forest).toContain(">a</text>");
  });
});
