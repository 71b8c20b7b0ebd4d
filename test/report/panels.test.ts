import { beforeAll, expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/result.ts";
import { leaderboardTable } from "../../src/report/leaderboard.ts";
import { panelsOf, panelTitle } from "../../src/report/panels.ts";
import { plainTable } from "../../src/report/tables/plain.ts";
import { resultsFixture } from "./results-fixture.ts";

let results: StoredResult[];

beforeAll(async () => {
  results = await resultsFixture([
    { model: "weak", protocol: "corrected", shift: 0.1 },
    { model: "strong", protocol: "paper", shift: 4 },
    { model: "strong", protocol: "corrected", shift: 4 },
  ]);
});

test("the best model first, its corrected protocol before the paper's", () => {
  const [panel] = panelsOf(results);
  expect(panel!.entries.map(({ label, protocol }) => `${label} ${protocol}`)).toEqual([
    "strong corrected",
    "strong paper",
    "weak corrected",
  ]);
});

test("an undefined value comes last and says why", () => {
  const broken = withMain(results[2]!, { value: null, why: "no row was scored", intervals: [] });
  const [panel] = panelsOf([broken, results[0]!]);
  expect(panel!.entries.map(({ label }) => label)).toEqual(["weak", "strong"]);
  const text = plainTable(leaderboardTable(panel!, "a table"));
  expect(text).toContain("strong: no paired accuracy: no row was scored.");
});

test("each data set of a task has its panel, named in its title", () => {
  const of = (dataset: string, stored: StoredResult): StoredResult => {
    const { result } = stored;
    return { ...stored, result: { ...result, cell: { ...result.cell, dataset } } };
  };
  const panels = panelsOf([of("K562", results[0]!), of("IMR90", results[1]!), of("K562", results[2]!)]);
  expect(panels.map(({ dataset, entries }) => [dataset, entries.length])).toEqual([
    ["K562", 2],
    ["IMR90", 1],
  ]);
  expect(panelTitle("Chromatin activity", panels[0]!)).toBe("Chromatin activity, K562, zero-shot");
  expect(panelTitle("Regulatory elements", panelsOf(results)[0]!)).toBe("Regulatory elements, zero-shot");
});

test("two models of one name are told apart by their cells", () => {
  const other = structuredClone(results[0]!);
  const [panel] = panelsOf([
    results[0]!,
    { ...other, result: { ...other.result, identity: "0123456789abcdef" } },
  ]);
  expect(panel!.entries.map(({ label }) => label)).toContain("weak (01234567)");
});

test("one panel per task and setting", () => {
  const other = structuredClone(results[0]!);
  const probed = { ...other, result: { ...other.result, cell: { ...other.result.cell, setting: "probed" } } };
  expect(panelsOf([...results, probed]).map(({ setting, entries }) => [setting, entries.length])).toEqual([
    ["zero-shot", 3],
    ["probed", 1],
  ]);
});

function withMain(stored: StoredResult, change: object): StoredResult {
  const [main, ...others] = stored.result.metrics;
  return { ...stored, result: { ...stored.result, metrics: [{ ...main!, ...change }, ...others] } };
}
