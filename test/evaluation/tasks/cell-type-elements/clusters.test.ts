import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../../src/base/pcg64.ts";
import { normal } from "../../../../src/base/random.ts";
import { CELL_LINES } from "../../../../src/datasets/cell-lines.ts";
import {
  checkClusteringRecipe,
  measureClusters,
} from "../../../../src/evaluation/tasks/cell-type-elements/clusters.ts";
import type { CellTypeFacts } from "../../../../src/evaluation/tasks/cell-type-elements/subset.ts";
import type { VectorPrediction } from "../../../../src/evaluation/tasks/prediction.ts";
import type { Recipe } from "../../../../src/evaluation/tasks/recipe.ts";
import type { MeasureWork, StageProgress } from "../../../../src/evaluation/tasks/task.ts";
import { adjustedMutualInformation } from "../../../../src/metrics/adjusted-mutual-information.ts";
import { KMeans } from "../../../../src/metrics/k-means.ts";
import { motifCountFeatures } from "../../../../src/metrics/motif-count-features.ts";
import { pca } from "../../../../src/metrics/pca.ts";
import type { Protocol } from "../../../../src/models/model.ts";
import { runToEnd } from "../../../run-to-end.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";

const WIDTH = 12;
const CHROMOSOMES = 12;

const base64 = (values: ArrayLike<number>) =>
  Buffer.from(Float32Array.from(values).buffer).toString("base64");

/** Vectors with a direction per cell line and noise around it; labels in turn along twelve chromosomes. */
function planted(rows: number, noise: number, seed = 5): VectorPrediction<CellTypeFacts>[] {
  const rng = new Pcg64(seed);
  return Array.from({ length: rows }, (_, row) => {
    const label = row % 5;
    const vector = Array.from({ length: WIDTH }, (_, i) => (i === label ? 3 : 0) + noise * normal(rng));
    return {
      kind: "vector",
      row,
      vectors: [base64(vector)],
      facts: {
        chrom: `chr${1 + Math.floor((row * CHROMOSOMES) / rows)}`,
        start: 1000 * row,
        end: 1000 * row + 500,
        label: CELL_LINES[label],
        unknown: 0,
      },
    };
  });
}

const RECIPE: Recipe = { transform: "raw", components: 4, solver: "full", clusters: 10, clusterSeeds: 6 };

const measure = async (
  rows: readonly VectorPrediction<CellTypeFacts>[],
  protocol: Protocol = "corrected",
  recipe: Recipe = {},
  work: MeasureWork = {},
) => {
  const asked = { ...RECIPE, ...recipe };
  return measureClusters(rows, { protocol, seed: 0, rowsInTable: rows.length, recipe: asked, work });
};

test("the mean over seeds of k-means on principal components, written out", async () => {
  const rows = planted(120, 0.8);
  const data = Float64Array.from(
    rows.flatMap(({ vectors }) => [
      ...new Float32Array(Uint8Array.from(Buffer.from(vectors[0], "base64")).buffer),
    ]),
  );
  const table = runToEnd(pca({ data, rows: 120, columns: WIDTH }, 4, { solver: "full" })).transformed;
  const labels = rows.map(({ row }) => row % 5);
  const scores = [0, 1, 2, 3, 4, 5].map((seed) =>
    adjustedMutualInformation(labels, new KMeans(table, 10).fit(seed).clusters),
  );
  const mean = scores.reduce((a, b) => a + b) / 6;
  const [ten, five] = (await measure(rows)).metrics;
  expect(ten.value).toBeCloseTo(mean, 12);
  const spread = ten.intervals.find(({ method }) => method === "seed-spread")!;
  expect(spread.n).toBe(6);
  expect(spread.high - mean).toBeCloseTo(mean - spread.low, 12);
  expect(five.name).toBe("adjusted-mutual-information-5");
  expect(five.value!).toBeGreaterThan(0.5);
});

test("finds clear groups and not noise, by the interval over chromosomes", async () => {
  const clear = (await measure(planted(240, 0.3), "corrected", { clusters: 5 })).metrics[0];
  expect(clear.value!).toBeGreaterThan(0.8);
  expect(clear.intervals[0].method).toBe("chromosome-jackknife");
  const noise = (await measure(planted(240, 60), "corrected")).metrics[0];
  expect(noise.intervals[0].low).toBeLessThan(0.02);
  expect(Math.abs(noise.value!)).toBeLessThan(0.08);
  // The original's spread comes first under the paper protocol.
  expect((await measure(planted(60, 1), "paper")).metrics[0].intervals[0].method).toBe("seed-spread");
});

test("quirk Q2: vectors of other rows are at chance, and one set of predictions gives both values", async () => {
  const rows = planted(200, 0.3);
  const wrong = rows.map(
    (row, i): VectorPrediction<CellTypeFacts> => ({
      ...row,
      byVariant: { "text-order": rows[(i * 7 + 3) % 200].vectors },
    }),
  );
  const [quirk] = (await measure(wrong)).quirks;
  expect(quirk.label).toBe("Q2");
  const { paper, corrected } = quirk.effect as Record<Protocol, { value: number }>;
  expect(corrected.value).toBeGreaterThan(0.6);
  // Every seventh row of labels in turn: the groups survive with other names, as a shift of labels would
  // leave them.
  expect(paper.value).toBeGreaterThan(0.6);
  const rng = new Pcg64(1);
  const places = Array.from({ length: 200 }, (_, i) => i).sort(() => rng.nextFloat64() - 0.5);
  const mixed = rows.map(
    (row, i): VectorPrediction<CellTypeFacts> => ({
      ...row,
      vectors: rows[places[i]].vectors,
      byVariant: { "file-order": row.vectors },
    }),
  );
  const asPaper = await measure(mixed, "paper");
  expect(asPaper.metrics[0].value!).toBeLessThan(0.1);
  const effect = asPaper.quirks[0].effect as Record<Protocol, { value: number }>;
  expect(effect.corrected.value).toBeGreaterThan(0.6);
});

test("a list out of order: the original takes vectors in list order, labels in row order", async () => {
  const rows = planted(100, 0.3).map((row, i) => ({
    ...row,
    facts: { ...row.facts, place: (i * 37) % 100 },
  }));
  const inOrder = (await measure(rows)).metrics[0].value!;
  expect(inOrder).toBeGreaterThan(0.6);
  const rising = rows.map((row, i) => ({ ...row, facts: { ...row.facts, place: 2 * i } }));
  expect((await measure(rising, "paper", { solver: "full" })).metrics[0].value).toBe(inOrder);
  // In list order the label at index p is p · 37⁻¹ mod 100 mod 5, a renaming of labels; so halves are
  // exchanged.
  const halves = rows.map((row, i) => ({
    ...row,
    facts: { ...row.facts, place: i < 50 ? 2 * i : 2 * i - 99 },
  }));
  expect((await measure(halves, "paper", { solver: "full" })).metrics[0].value!).toBeLessThan(0.6);
  expect((await measure(halves)).metrics[0].value).toBe(inOrder);
});

describe("fewer than requested", () => {
  test("numbers than components: all of them, with a note", async () => {
    const { counts, notes } = await measure(planted(80, 1), "corrected", { components: 60 });
    expect(counts.components).toBe(WIDTH);
    expect(notes.join()).toContain(`have only ${WIDTH}.`);
  });

  test("rows than clusters: undefined, with the reason", async () => {
    const { metrics, published } = await measure(planted(7, 1), "corrected", { clusters: 50 });
    expect(metrics[0].value).toBeNull();
    expect(metrics[0].why).toBe("50 clusters need at least 50 rows; there are 7");
    expect(metrics[1].value).not.toBeNull();
    expect(published.ami_mean).toBeNull();
  });

  test("a single row, or none", async () => {
    expect((await measure(planted(1, 1))).metrics.every(({ value }) => value === null)).toBe(true);
    expect((await measure([])).metrics.every(({ value }) => value === null)).toBe(true);
  });
});

test("vectors of different lengths are refused, and values of the recipe that cannot be", async () => {
  const rows = planted(20, 1);
  const short = { ...rows[3], vectors: [base64([1, 2])] };
  await expect(measure([...rows.slice(0, 3), short])).rejects.toThrow(
    /embedding 4 has 8 bytes, the first 48/,
  );
  expect(() => checkClusteringRecipe({ ...RECIPE, clusters: 0 })).toThrow(/clusters of the recipe is 0/);
  expect(() => checkClusteringRecipe({ ...RECIPE, transform: "log" })).toThrow(/transform/);
  checkClusteringRecipe(RECIPE);
});

test("counts of motif hits: rare motifs dropped, the most variable kept, log and scale", async () => {
  // Eleven motifs: ten reach 5 hits with growing variance, the first never does.
  const rows = 40;
  const columns = 11;
  const data = Float64Array.from({ length: rows * columns }, (_, i) => {
    const motif = i % columns;
    const row = Math.floor(i / columns);
    return motif === 0 ? row % 5 : row % 2 === 0 ? 0 : 4 + motif;
  });
  const features = motifCountFeatures({ data, rows, columns })!;
  expect(features.columns).toBe(2);
  const column = Array.from({ length: rows }, (_, row) => features.data[row * 2]);
  expect(column.reduce((a, b) => a + b)).toBeCloseTo(0, 10);
  expect(column.reduce((a, b) => a + b * b, 0) / rows).toBeCloseTo(1, 10);
  expect([...column.slice(0, 2)].map((value) => Math.round(value))).toEqual([-1, 1]);
  expect(motifCountFeatures({ data: new Float64Array(20).fill(4), rows: 10, columns: 2 })).toBeUndefined();

  const counted = planted(60, 0).map((row, i) => ({
    ...row,
    vectors: [base64(CELL_LINES.map((_, line) => (line === i % 5 ? 6 + (i % 3) : i % 2)))],
  }));
  const { metrics } = await measure(counted, "corrected", { transform: "motif-counts", clusters: 5 });
  expect(metrics[0].value!).toBeGreaterThan(0.1);
  const none = await measure(planted(30, 0.1), "corrected", { transform: "motif-counts" });
  expect(none.metrics[0].value).toBeNull();
  expect(none.notes.join()).toContain("5 hits");
});

describe("long-running clustering", () => {
  const rows = planted(120, 0.8).map(
    (row): VectorPrediction<CellTypeFacts> => ({ ...row, byVariant: { "text-order": row.vectors } }),
  );

  test("reports progress after each seed", async () => {
    const stages: StageProgress[] = [];
    await measure(rows, "corrected", {}, { onStage: (stage) => stages.push(stage) });
    expect([...new Set(stages.map(({ stage }) => stage))]).toEqual([
      "clustering into 10",
      "clustering into 5",
      "clustering the other order of vectors into 10",
    ]);
    const first = stages.slice(0, 7);
    expect(first.map(({ done, total, unit }) => [done, total, unit])).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((done) => [done, 6, "clusterings"]),
    );
    expect(first[0].secondsLeft).toBeUndefined();
    expect(first[3].rowsPerSecond!).toBeGreaterThan(0);
    expect(first[6].secondsLeft).toBe(0);
  });

  test("yields to the event loop, and stops between seeds with the signal's reason", async () => {
    const controller = new AbortController();
    const stages: StageProgress[] = [];
    // Like Ctrl-C, the abort comes from the event loop: a loop that never yields would miss it.
    const asked = measure(
      rows,
      "corrected",
      { clusterSeeds: 1000 },
      {
        signal: controller.signal,
        onStage: (stage) => stages.push(stage),
      },
    );
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(asked).rejects.toThrow("enough");
    expect(stages.length).toBeLessThan(100);
  });

  test("stops during PCA, with either solver", async () => {
    for (const solver of ["full", "randomised"]) {
      const controller = new AbortController();
      const stages: StageProgress[] = [];
      const asked = measure(
        planted(3000, 1),
        "corrected",
        { solver },
        {
          signal: controller.signal,
          // Reported before the first seed; the components come next.
          onStage(stage) {
            stages.push(stage);
            setImmediate(() => controller.abort(new Error("enough")));
          },
        },
      );
      await expect(asked).rejects.toThrow("enough");
      expect(stages.map(({ done }) => done)).toEqual([0]);
    }
  });

  test("resumes from stored clusterings, with the same results", async () => {
    const folder = temporaryFolder();
    const whole = await measure(rows);
    const controller = new AbortController();
    const stopped = measure(
      rows,
      "corrected",
      {},
      {
        folder,
        signal: controller.signal,
        onStage: ({ done }) => done === 3 && controller.abort(new Error("enough")),
      },
    );
    await expect(stopped).rejects.toThrow("enough");
    const file = join(folder, "clusterings.jsonl");
    const text = readFileSync(file, "utf8");
    const lines = text.split("\n");
    expect(lines).toHaveLength(5);
    // One damaged and one torn line: both clusterings are computed again.
    const damaged = lines[1].replace(
      /"clusters":"(.)/,
      (_, letter) => `"clusters":"${letter === "A" ? "B" : "A"}`,
    );
    writeFileSync(file, [lines[0], damaged, lines[2], lines[3].slice(0, 60)].join("\n"));
    const gone = async () => {
      const stages: StageProgress[] = [];
      const found = await measure(rows, "corrected", {}, { folder, onStage: (stage) => stages.push(stage) });
      expect(found).toEqual(whole);
      return stages.filter(({ done }) => done > 0).map(({ rowsPerSecond }) => rowsPerSecond !== undefined);
    };
    // The speed counts clusterings computed in this process: the first was cached, the second was not.
    expect((await gone()).slice(0, 2)).toEqual([false, true]);
    expect(new Set(await gone())).toEqual(new Set([false]));
    expect(readFileSync(file, "utf8").trimEnd().split("\n")).toHaveLength(3 + 4 + 6);
    // Other vectors are not taken for these.
    const others = planted(120, 0.8, 6);
    expect(await measure(others, "corrected", {}, { folder })).toEqual(await measure(others));
  });
});
