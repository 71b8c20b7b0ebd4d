import { beforeAll, expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/result.ts";
import { metricCell } from "../../src/report/estimates.ts";
import { leaderboardTable } from "../../src/report/leaderboard.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { resultsFixture } from "./results-fixture.ts";

let results: StoredResult[];

beforeAll(async () => {
  results = await resultsFixture([
    { model: "strong", protocol: "corrected", shift: 4 },
    { model: "weak", protocol: "corrected", shift: 0.2 },
  ]);
});

const leaderboard = (some: readonly StoredResult[]) => leaderboardTable(panelsOf(some)[0]!, "title");

/** The second result with one of its parts changed. */
function withSecond(
  change: (result: StoredResult["result"]) => Partial<StoredResult["result"]>,
): StoredResult[] {
  const [first, second] = results;
  return [first!, { ...second!, result: { ...second!.result, ...change(second!.result) } }];
}

test("tells which way is better, what stands in brackets, and what its columns count", () => {
  const { columns, notes } = leaderboard(results);
  expect(columns[2]!.heading).toBe("paired accuracy ↑");
  expect(notes![0]).toBe(
    "↑: higher is better; in brackets: 95 % interval; n: rows asked; ties: rows whose two scores are equal.",
  );
});

test("prints the tolerance of ties where scores need not be equal for one", () => {
  const ties = { rounding: 2 ** -23, tolerance: 5.72e-5, byRounding: 3 };
  const { rows, notes } = leaderboard(withSecond(() => ({ ties })));
  expect(rows.map((row) => row[4])).toEqual(["3", { text: "3", detail: "within 5.7×10⁻⁵" }]);
  expect(notes![0]).toContain("within the rounding of the model's scores");
});

test("names the test whose probability it prints", () => {
  const p = {
    name: "wilcoxon-p",
    title: "Wilcoxon signed-rank p, one-sided",
    better: "lower",
    main: false,
  } as const;
  const [legend] = leaderboard(
    withSecond(({ metrics }) => ({ metrics: [...metrics, { ...p, value: 0.132, intervals: [] }] })),
  ).notes!;
  expect(legend).toMatch(/; p: Wilcoxon signed-rank p, one-sided\.$/);
});

test("says so where the numbers are not of the same rows", () => {
  const about = /not all of these numbers are of the same rows/i;
  expect(leaderboard(results).notes!.join()).not.toMatch(about);
  const others = withSecond(({ rows }) => ({ rows: { ...rows, selected: 40, digest: "another" } }));
  expect(leaderboard(others).notes!.join()).toMatch(about);
});

test("a sum of ranks is a whole number at any size, a share keeps its digits", () => {
  const metric = { name: "sum", title: "sum", better: "neither", main: false, intervals: [] } as const;
  const shown = [66_547, 987, 1, 0, 0.5, 986.5].map((value) => metricCell({ ...metric, value }));
  const texts = shown.map((cell) => (typeof cell === "string" ? cell : cell.text));
  expect(texts).toEqual(["66,547", "987", "1.000", "0.000", "0.500", "986.500"]);
});
