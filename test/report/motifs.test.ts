import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { InputError } from "../../src/base/errors.ts";
import type { Motif } from "../../src/dna/motifs/motif.ts";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import { measureFootprintScores } from "../../src/evaluation/tasks/motif-footprinting/measure.ts";
import type { FootprintFacts } from "../../src/evaluation/tasks/motif-footprinting/rows.ts";
import type { LikelihoodPrediction } from "../../src/evaluation/tasks/prediction.ts";
import type { CurvesChart, PageData, PointsChart } from "../../src/report/figure-data.ts";
import { logoHeights } from "../../src/report/logos.ts";
import { measurementsTable } from "../../src/report/measurements-table.ts";
import { extremeMotifs, familyTable, modelComparison, motifSpread } from "../../src/report/motifs.ts";
import { renderPage } from "../../src/report/page.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { gatherReport } from "../../src/report/report.ts";
import { reportText } from "../../src/report/write-report.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const MOTIFS = 24;
const BACKGROUNDS = 12;

/** Motif m of 24 has a higher score than its shuffle in `right(m)` of twelve backgrounds. */
function stored(
  model: string,
  right: (motif: number) => number,
  protocol: "paper" | "corrected" = "corrected",
) {
  const predictions = Array.from(
    { length: MOTIFS * BACKGROUNDS },
    (_, row): LikelihoodPrediction<FootprintFacts> => {
      const [background, motif] = [Math.floor(row / MOTIFS), row % MOTIFS];
      // The correct backgrounds differ between motifs.
      const score = (background + 5 * motif) % BACKGROUNDS < right(motif) ? 1 : -1;
      return {
        kind: "likelihood",
        row,
        values: [0, score, 0],
        facts: {
          background,
          motif: `M${motif}`,
          strand: "forward",
          family: motif % 2 === 0 ? "even" : "odd",
        },
      };
    },
  );
  const context = { protocol, seed: 0, rowsInTable: predictions.length, recipe: {} };
  return {
    folder: "nowhere",
    timing: [],
    result: {
      format: "dart-eval result",
      formatVersion: 2,
      identity: sha256Hex(`${model} ${protocol}`),
      cell: {
        identityVersion: 1,
        task: "motif-footprinting",
        taskVersion: 1,
        model: { name: model, identity: model },
        setting: "zero-shot",
        protocol,
        seed: 0,
        split: "all",
        limit: null,
        recipe: {},
        data: {},
      },
      rows: { inTable: predictions.length, selected: predictions.length, digest: "0" },
      ...measureFootprintScores(predictions, context),
    },
  } satisfies StoredResult;
}

const results: StoredResult[] = [
  stored("better", (motif) => (motif < 12 ? 12 : 9)),
  stored("worse", (motif) => (motif < 20 ? 6 : 12)),
  stored("better", () => 6, "paper"),
];
const [panel] = panelsOf(results);

describe("motif tables", () => {
  test("quantiles of each model and protocol", () => {
    const { rows } = motifSpread(panel);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ["better", "corrected", "24"],
      ["better", "paper", "24"],
      ["worse", "corrected", "24"],
    ]);
    expect(rows[0].slice(3)).toEqual(["0.750", "0.750", "0.750", "0.875", "1.000", "1.000", "1.000"]);
  });

  test("count the motifs in which a model is better than the next, under one protocol", () => {
    expect(modelComparison(panel)?.rows).toEqual([["better", "worse", "20", "4"]]);
    expect(modelComparison({ ...panel, entries: panel.entries.slice(0, 1) })).toBeUndefined();
  });

  test("families of at least ten motifs, one column per model", () => {
    const table = familyTable(panel)!;
    expect(table.columns.map(({ heading }) => heading)).toEqual(["family", "motifs", "better", "worse"]);
    expect(table.rows.map(([family, motifs]) => [family, motifs])).toEqual([
      ["even", "12"],
      ["odd", "12"],
    ]);
  });

  test("list the best and the worst motifs", () => {
    const [, worse] = extremeMotifs(panel).rows;
    expect(worse[0]).toBe("worse");
    expect(String(worse[1]).split(", ").slice(0, 5)).toEqual([
      "M20 1.00",
      "M21 1.00",
      "M22 1.00",
      "M23 1.00",
      "M0 0.50",
    ]);
  });
});

test("the page has the tables and the data of the curves", async () => {
  const report = await gatherReport(results, { tasks: [], published: [] });
  const page = renderPage(report, { script: "", style: "" });
  expect(page).toContain("<h3>Motifs</h3>");
  expect(page).toContain("Accuracy by transcription factor family");
  const { figures } = JSON.parse(/id="page-data">(.*?)<\/script>/s.exec(page)![1]) as PageData;
  const [ranks, pair] = figures;
  expect(figures.map(({ title }) => title)).toEqual(["Motifs by rank", "Motifs under two models"]);
  expect(page).toContain(`id="${ranks.id}-0"`);
  const [better] = (ranks.charts[0] as CurvesChart).curves;
  expect(better.y).toEqual([...Array(12).fill(1), ...Array(12).fill(0.75)]);
  const { points } = pair.charts[0] as PointsChart;
  expect(points).toHaveLength(24);
  expect(new Set(points.map(({ name }) => name)).size).toBe(24);
});

describe("logos", () => {
  const motif = (name: string, rows: readonly (readonly number[])[]): Motif => ({
    name,
    width: rows.length,
    probabilities: Float64Array.from(rows.flat()),
  });
  const certain = [1, 0, 0, 0];

  test("have the information of each position in bits, divided by the probabilities", () => {
    const heights = logoHeights(
      motif("m", [certain, [0.25, 0.25, 0.25, 0.25], [0.5, 0, 0.5, 0], [0.7, 0.1, 0.1, 0.1]]),
    );
    expect([...heights.subarray(0, 12)]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0.5, 0, 0.5, 0]);
    // 2 - entropy, computed with scipy.stats.entropy([0.7, 0.1, 0.1, 0.1], base=2) = 1.356779649.
    const bits = 2 - 1.356779649;
    [0.7, 0.1, 0.1, 0.1].forEach((p, base) => {
      expect(heights[12 + base]).toBeCloseTo(p * bits, 8);
    });
  });

  test("are in the page for the best and the worst motifs whose matrices are known", async () => {
    const motifs = new Map(["M23", "M0", "absent"].map((name) => [name, motif(name, [certain, certain])]));
    const report = await gatherReport(results, { tasks: [], published: [], motifs });
    const page = renderPage(report, { script: "", style: "" });
    const logos = [...page.matchAll(/<svg class="logo" role="img" aria-label="([^"]*)".*?<\/svg>/g)];
    expect(logos.map(([, label]) => label)).toEqual(["M0: AA", "M23: AA"]);
    expect(logos[0][0].match(/<use href="#base-A"/g)).toHaveLength(2);
    expect(page).toContain('<symbol id="base-A"');
    const without = renderPage(await gatherReport(results, { tasks: [], published: [] }), {
      script: "",
      style: "",
    });
    expect(without).not.toMatch(/class="logo"|<symbol/);
  });

  test("a file without the motifs of the results is refused", async () => {
    const file = join(temporaryFolder(), "other.meme");
    const matrix = "letter-probability matrix: alength= 4 w= 1\n1 0 0 0\n";
    await writeFile(file, `MEME version 4\n\nMOTIF CTCF\n${matrix}`);
    const pending = reportText(results, "md", { motifs: file });
    await expect(pending).rejects.toThrow("the results have none of the 1 motif of the file");
    await expect(pending).rejects.toThrow(InputError);
  });
});

test("headings of quantiles among the averages", () => {
  const [panel] = panelsOf([stored("m", (motif) => motif % 12)]);
  const headings = measurementsTable(panel)!.columns.map(({ heading }) => heading);
  expect(headings).toEqual(
    expect.arrayContaining(["motif accuracy (5th percentile)", "motif accuracy median"]),
  );
});
