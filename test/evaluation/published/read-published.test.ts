import { expect, test } from "vitest";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../../../src/datasets/sources/catalogue.ts";
import { isSameDataset } from "../../../src/evaluation/published/benchmark-data.ts";
import { comparePublished } from "../../../src/evaluation/published/compare-published.ts";
import { measuredValue } from "../../../src/evaluation/published/published-result.ts";
import { readPublished } from "../../../src/evaluation/published/read-published.ts";
import { SETTINGS } from "../../../src/evaluation/settings/catalogue.ts";
import { NETWORKS } from "../../../src/models/baselines/networks.ts";
import { BASELINES, LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { benchmarkResult, metric } from "./benchmark-result.ts";

const published = await readPublished();

test("all records have our names", () => {
  expect(published.length).toBe(622);
  const count = (key: "task" | "kind") =>
    Object.fromEntries([...groups(key)].map(([name, of]) => [name, of.length]));
  expect(count("task")).toEqual({
    "regulatory-elements": 32,
    "motif-footprinting": 12,
    "cell-type-elements": 88,
    "chromatin-activity": 130,
    "variant-effects": 360,
  });
  expect(count("kind")).toEqual({ paper: 316, notebook: 306 });
});

function groups(key: "task" | "kind") {
  const found = new Map<string, (typeof published)[number][]>();
  for (const one of published) found.set(one[key], [...(found.get(one[key]) ?? []), one]);
  return found;
}

test("settings and families are in the catalogues, except those of the authors only", () => {
  const settings = new Set<string>([
    ...SETTINGS.map(({ name }) => name),
    "zero-shot-embedding",
    "predicted",
    "motif_count_baseline",
  ]);
  const families = new Set<string>(
    [...LANGUAGE_MODELS, ...BASELINES].map(({ name }) => name).concat("chrombpnet"),
  );
  for (const { setting, family, model } of published) {
    expect(settings).toContain(setting);
    if (family === null) expect(model).toMatch(/^ARSENAL|^FIMO motif counts/);
    else expect(families).toContain(family);
  }
});

test("values of the paper's tables have the right keys", () => {
  const value = (
    task: string,
    setting: string,
    model: string,
    metric: string,
    dataset: string | null = null,
  ) =>
    published.find(
      (one) =>
        one.task === task &&
        one.setting === setting &&
        one.model === model &&
        one.metric === metric &&
        one.dataset === dataset &&
        one.kind === "paper",
    )?.value;
  expect(value("regulatory-elements", "zero-shot", "Caduceus", "paired_accuracy")).toBe(0.971);
  expect(value("cell-type-elements", "probed", "Caduceus", "accuracy")).toBe(0.281);
  expect(value("cell-type-elements", "fine-tuned", "Caduceus", "auroc", "GM12878")).toBe(0.9);
  expect(value("chromatin-activity", "predicted", "ChromBPNet", "spearman", "GM12878")).toBe(0.54);
  expect(value("variant-effects", "predicted", "ChromBPNet", "pearson", AFRICAN_CAQTLS)).toBe(0.671);
});

test("data sets are the cell lines and the two studies", () => {
  const datasets = new Set(published.map(({ dataset }) => dataset));
  expect(datasets).toEqual(new Set([null, ...CELL_LINES, AFRICAN_CAQTLS, YORUBAN_DSQTLS]));
});

test.each([
  ["GM12878", "gm12878", true],
  ["GM12878", "GM12878 again", false],
  [AFRICAN_CAQTLS, "african", true],
  [AFRICAN_CAQTLS, "Afr.CaQTLS", true],
  [YORUBAN_DSQTLS, "yoruban-dsqtls", true],
  [YORUBAN_DSQTLS, "african", false],
])("%s is %s: %s", (one, given, same) => {
  const task = one.includes(" ") ? "variant-effects" : "chromatin-activity";
  expect(isSameDataset({ task, dataset: one }, given)).toBe(same);
});

test("later runs and values typed into plots are superseded", () => {
  expect(published.filter(({ superseded }) => superseded).length).toBe(48 + 32 + 12 + 8 + 4 + 4);
});

test("every record is comparable with one result, or has a reason", () => {
  const places = new Set<string>();
  for (const one of published.filter(({ unplaced }) => unplaced === null)) {
    const { task, setting, family, dataset, metric, edition } = one;
    const place = JSON.stringify([task, setting, family, dataset, metric, edition]);
    expect(places, place).not.toContain(place);
    places.add(place);
    const name = dataset === null ? {} : { dataset };
    const whole = benchmarkResult({ task, setting, family: family!, ...name });
    const measured = { ...whole, metrics: everyMetric, averages: everyAverage, breakdowns: everyBreakdown };
    const comparable = { ...measured, cell: { ...whole.cell, model: modelOf(family!) } };
    // The published networks have no digest that is known, so theirs are compared with what a result would
    // have.
    const beside =
      family === "chrombpnet" && task === "chromatin-activity"
        ? [{ published: one, own: measuredValue(measured, one) }]
        : comparePublished(comparable, published);
    const found = beside.filter(({ published }) => published === one);
    expect(
      found.map(({ own }) => own !== undefined),
      place,
    ).toEqual([true]);
  }
  expect(places.size).toBe(597);
  const unplaced = published.filter(({ unplaced }) => unplaced !== null);
  expect(unplaced.length).toBe(25);
  expect(new Set(unplaced.map(({ unplaced }) => unplaced!.split(" ")[0]))).toEqual(
    new Set(["ARSENAL", "an"]),
  );
});

function modelOf(family: string) {
  const network = NETWORKS.find(({ name }) => name === family);
  return { name: family, identity: network?.identity ?? "activity scores 0" };
}

const everyMetric = [
  ...["paired-accuracy", "accuracy", "auroc", "auprc", "pearson", "spearman", "mann-whitney-p"],
  ...["spearman-peaks", "pearson-peaks"],
  ...CELL_LINES.map((line) => `auroc-${line.toLowerCase()}`),
].map((name) => metric(name, 0.5));
const everyAverage = { motifAccuracy25: 0.4, motifAccuracyMedian: 0.5, motifAccuracy75: 0.6 };
const everyBreakdown = [
  { name: "motifs", group: "motif", columns: [], rows: [{ name: "a motif", values: [0.5] }] },
];
