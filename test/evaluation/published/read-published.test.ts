import { expect, test } from "vitest";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import { AFRICAN, isSameDataset, YORUBAN } from "../../../src/evaluation/published/names.ts";
import { readPublished } from "../../../src/evaluation/published/read-published.ts";
import { SETTINGS } from "../../../src/evaluation/settings/catalogue.ts";
import { BASELINES, LANGUAGE_MODELS } from "../../../src/models/catalogue.ts";

const published = await readPublished();

test("every record is there and bears our names", () => {
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

test("settings and families are those of the catalogues, but for what only the authors have", () => {
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

test("values of the paper's tables are where they belong", () => {
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
  expect(value("variant-effects", "predicted", "ChromBPNet", "pearson", AFRICAN)).toBe(0.671);
});

test("data sets are the cell lines and the two studies", () => {
  const datasets = new Set(published.map(({ dataset }) => dataset));
  expect(datasets).toEqual(new Set([null, ...CELL_LINES, AFRICAN, YORUBAN]));
});

test.each([
  ["GM12878", "gm12878", true],
  ["GM12878", "GM12878 again", false],
  [AFRICAN, "african", true],
  [AFRICAN, "Afr.CaQTLS", true],
  [YORUBAN, "yoruban-dsqtls", true],
  [YORUBAN, "african", false],
])("%s is %s: %s", (one, given, same) => {
  expect(isSameDataset(one, given)).toBe(same);
});

test("later runs and values typed into plots are marked", () => {
  expect(published.filter(({ superseded }) => superseded).length).toBe(48 + 32 + 12 + 8 + 4 + 4);
});
