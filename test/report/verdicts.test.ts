import { beforeAll, expect, test } from "vitest";
import type { ComparedModel, ComparedPair } from "../../src/evaluation/comparison/comparison.ts";
import { gatherReport, type ReportPanel } from "../../src/report/report.ts";
import { verdict } from "../../src/report/verdicts.ts";
import { fixturePredictions, resultsFixture } from "./results-fixture.ts";

let panel: ReportPanel;

beforeAll(async () => {
  const results = await resultsFixture([
    { model: "best", protocol: "corrected", shift: 4 },
    { model: "control", protocol: "corrected", shift: 0.2 },
  ]);
  panel = (await gatherReport(results, { predictions: fixturePredictions })).panels[0];
});

/** The panel with an interval of its best model, and with tie groups of its two models. */
function panelOf(low: number, high: number, tiers = [1, 2], unreliable?: string): ReportPanel {
  const basis = unreliable === undefined ? {} : { basis: { blocks: 3, dof: 2, unreliable } };
  const estimate = { value: 0.8, low, high, n: 40, method: "genomic-block-jackknife", ...basis };
  const [first, ...others] = panel.entries;
  const entries = [{ ...first, main: { ...first.main, value: 0.8, intervals: [estimate] } }, ...others];
  const models = entries.map(({ label, result: { identity } }, i): ComparedModel => {
    const place = { folder: label, rows: 40, value: 0.8, estimate: null, best: null };
    return { label, name: label, identity, ...place, tier: tiers[i] };
  });
  const difference = { ...estimate, value: 0.1, low: tiers[1] === 1 ? -0.1 : 0.05, high: 0.15 };
  const pair: ComparedPair = {
    first: models[0].label,
    second: models[1].label,
    value: 0.1,
    difference,
    anyTime: null,
    test: "t",
    p: 0.01,
    pHolm: 0.01,
    q: 0.01,
    rowsToDecide: null,
  };
  const form = { task: panel.task, setting: panel.setting, protocol: "corrected", data: {} } as const;
  const metric = { name: "paired-accuracy", title: "paired accuracy", better: "higher" } as const;
  const rows = { compared: 40, digest: "", blocks: 3 };
  return {
    ...panel,
    entries,
    comparison: [{ ...form, metric, rows, models, pairs: [pair], differing: [], notes: [] }],
  };
}

const BEST = "best has the highest paired accuracy, 0.800";
const AHEAD = "ahead of control by 0.100 [0.050, 0.150]";

test("a model ahead of another, above chance", () => {
  expect(verdict(panelOf(0.71, 0.86))).toBe(`${BEST} [0.710, 0.860], ${AHEAD}.`);
});

test("a model ahead of another, whose own interval contains chance", () => {
  expect(verdict(panelOf(0.41, 0.96))).toBe(
    `${BEST} [0.410, 0.960], ${AHEAD}. The interval of best contains chance (0.5).`,
  );
});

test("tied models that are not better than chance either", () => {
  expect(verdict(panelOf(0.41, 0.96, [1, 1]))).toBe(
    `${BEST} [0.410, 0.960]; the difference from control, 0.100 [−0.100, 0.150], is not significant. best is not significantly better than chance (0.5).`,
  );
});

test("a model below chance", () => {
  expect(verdict(panelOf(0.31, 0.46))).toContain(`, ${AHEAD}. best is below chance (0.5).`);
});

test("an interval that is not reliable", () => {
  expect(verdict(panelOf(0.71, 0.86, [1, 2], "few blocks"))).toBe(
    `${BEST} [0.710, 0.860] (not reliable), ${AHEAD}.`,
  );
});

test("the only model of a panel", () => {
  const { entries, ...rest } = panelOf(0.71, 0.86);
  expect(verdict({ ...rest, entries: entries.slice(0, 1), comparison: [] })).toBe(
    "best is the only model; its paired accuracy is 0.800 [0.710, 0.860].",
  );
});
