import { beforeAll, describe, expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import { leaderboardTable } from "../../src/report/leaderboard.ts";
import { panelId, panelsOf, panelTitle } from "../../src/report/panels.ts";
import { plainTable } from "../../src/report/table.ts";
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
  expect(panel.entries.map(({ label, protocol }) => `${label} ${protocol}`)).toEqual([
    "strong corrected",
    "strong paper",
    "weak corrected",
  ]);
});

test("an undefined value comes last, with its reason", () => {
  const broken = withMain(results[2], { value: null, why: "no row was scored", intervals: [] });
  const [panel] = panelsOf([broken, results[0]]);
  expect(panel.entries.map(({ label }) => label)).toEqual(["weak", "strong"]);
  const text = plainTable(leaderboardTable(panel, "a table"));
  expect(text).toContain("strong: paired accuracy is undefined: no row was scored.");
});

test("each data set of a task has its panel, named in its title", () => {
  const of = (dataset: string, stored: StoredResult): StoredResult => {
    const { result } = stored;
    return { ...stored, result: { ...result, cell: { ...result.cell, dataset } } };
  };
  const panels = panelsOf([of("K562", results[0]), of("IMR90", results[1]), of("K562", results[2])]);
  expect(panels.map(({ dataset, entries }) => [dataset, entries.length])).toEqual([
    ["K562 (custom data)", 2],
    ["IMR90 (custom data)", 1],
  ]);
  expect(panelTitle("Chromatin activity", panels[0])).toBe(
    "Chromatin activity, K562 (custom data), zero-shot",
  );
  expect(panelTitle("Regulatory elements", panelsOf(results)[0])).toBe("Regulatory elements, zero-shot");
});

test("two models of one name are labelled with their cells", () => {
  const other = structuredClone(results[0]);
  const [panel] = panelsOf([
    results[0],
    { ...other, result: { ...other.result, identity: "0123456789abcdef" } },
  ]);
  expect(panel.entries.map(({ label }) => label)).toContain("weak (01234567)");
});

test("one panel per task and setting", () => {
  const other = structuredClone(results[0]);
  const probed = { ...other, result: { ...other.result, cell: { ...other.result.cell, setting: "probed" } } };
  expect(panelsOf([...results, probed]).map(({ setting, entries }) => [setting, entries.length])).toEqual([
    ["zero-shot", 3],
    ["probed", 1],
  ]);
});

describe("results with the same task, setting, and number of rows", () => {
  const weak = () => results[0];
  const changed = (change: (result: StoredResult["result"]) => Partial<StoredResult["result"]>) => {
    const { result } = results[2];
    return { ...results[2], result: { ...result, ...change(result) } };
  };
  const onData = (data: Readonly<Record<string, string>>) =>
    changed(({ cell }) => ({ cell: { ...cell, data: { ...cell.data, ...data } } }));
  const another = "f".repeat(64);

  test.each([
    ["another genome", () => onData({ genome: another }), "other genome", "genome ffffffff"],
    ["another table", () => onData({ elements: another }), "other elements", "elements ffffffff"],
    [
      "other rows of the table",
      () => changed(({ rows }) => ({ rows: { ...rows, digest: another } })),
      "other rows of the table",
      "1,187 rows ffffffff",
    ],
    [
      "other shuffled controls",
      () => changed(({ cell }) => ({ cell: { ...cell, seed: 7 } })),
      "another seed",
      "seed 7",
    ],
  ])("%s: a separate panel, with the reason", (_, other, why, title) => {
    const panels = panelsOf([weak(), other()]);
    expect(panels.map(({ entries }) => entries.map(({ label }) => label))).toEqual([["weak"], ["strong"]]);
    expect(panels[1].apart!.title).toBe(title);
    expect(panelTitle("Regulatory elements", panels[1])).toBe(`Regulatory elements, zero-shot, ${title}`);
    expect(new Set(panels.map(panelId)).size).toBe(2);
    expect(plainTable(leaderboardTable(panels[1], "a table"))).toContain(
      `Not ranked together with another panel of the same name, whose models were evaluated on ${why}`,
    );
  });

  test("another annotation of the rows: one panel, since the scores are the same", () => {
    const onFootprints = (stored: StoredResult, families: object): StoredResult => {
      const { result } = stored;
      const data = { footprints: another, ...families };
      return { ...stored, result: { ...result, cell: { ...result.cell, task: "motif-footprinting", data } } };
    };
    const some = [onFootprints(weak(), {}), onFootprints(results[2], { families: another })];
    expect(panelsOf(some).map(({ entries }) => entries.length)).toEqual([2]);
  });

  test("other training data: one panel, since the rows are the same", () => {
    const trained = onData({ "chromatin-activity peaks": another });
    expect(panelsOf([weak(), trained]).map(({ entries }) => entries.length)).toEqual([2]);
  });
});

function withMain(stored: StoredResult, change: object): StoredResult {
  const [main, ...others] = stored.result.metrics;
  return { ...stored, result: { ...stored.result, metrics: [{ ...main, ...change }, ...others] } };
}
