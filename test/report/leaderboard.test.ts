import { beforeAll, describe, expect, test } from "vitest";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import type { LikelihoodPrediction } from "../../src/evaluation/tasks/prediction.ts";
import { measureVariants } from "../../src/evaluation/tasks/variant-effects/measure.ts";
import type { StoredVariantFacts } from "../../src/evaluation/tasks/variant-effects/scores.ts";
import { factsOf } from "../../src/evaluation/tasks/variant-effects/scores.ts";
import { pearson } from "../../src/metrics/correlation.ts";
import { metricCell } from "../../src/report/estimates.ts";
import { leaderboardTable } from "../../src/report/leaderboard.ts";
import { measurementsTable } from "../../src/report/measurements-table.ts";
import { fixed } from "../../src/report/numbers.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { cellText, type Table, type TableCell } from "../../src/report/table.ts";
import { resultsFixture } from "./results-fixture.ts";

let results: StoredResult[];

beforeAll(async () => {
  results = await resultsFixture([
    { model: "strong", protocol: "corrected", shift: 4 },
    { model: "weak", protocol: "corrected", shift: 0.2 },
  ]);
});

const leaderboard = (some: readonly StoredResult[]) => leaderboardTable(panelsOf(some)[0], "title");

/** The second result with one of its parts changed. */
function withSecond(
  change: (result: StoredResult["result"]) => Partial<StoredResult["result"]>,
): StoredResult[] {
  const [first, second] = results;
  return [first, { ...second, result: { ...second.result, ...change(second.result) } }];
}

test("the legend explains arrows, brackets and columns", () => {
  const { columns, notes } = leaderboard(results);
  expect(columns[2].heading).toBe("paired accuracy ↑");
  expect(notes![0]).toBe(
    "↑: higher is better; in brackets: 95 % interval; n: evaluated rows; ties: rows whose two scores are equal.",
  );
});

test("prints the tolerance of ties if it is not 0", () => {
  const ties = { rounding: 2 ** -23, tolerance: 5.72e-5, byRounding: 3 };
  const { rows, notes } = leaderboard(withSecond(() => ({ ties })));
  expect(rows.map((row) => row[4])).toEqual(["3", { text: "3", detail: "within 5.7×10⁻⁵" }]);
  expect(notes![0]).toContain("within the rounding of the model's scores");
});

test("names the test of its p-value", () => {
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

describe("under both protocols", () => {
  const predictions = Array.from({ length: 60 }, (_, row): LikelihoodPrediction<StoredVariantFacts> => {
    const difference = Math.sin(row) * (row % 3 === 0 ? -1 : 1);
    const facts = factsOf({
      chrom: "chr1",
      start: 2e6 * row,
      end: 2e6 * row + 1,
      allele1: "A",
      allele2: "C",
      reference: 1,
      original: "ok",
      form: "dsqtl",
      favours: "allele1",
      used: true,
      inPeaks: undefined,
      unknown: 0,
      significant: row < 40,
      effect: Math.sin(row),
      allele2Effect: undefined,
      p: undefined,
    });
    return { kind: "likelihood", row, values: [0, difference], facts };
  });
  const pearsonOf = (sign: number) => {
    const qtls = predictions.slice(0, 40);
    const differences = qtls.map(({ values }) => sign * (values[1] - values[0]));
    const effects = qtls.map(({ facts }) => facts.effect!);
    return pearson(differences, effects).r;
  };
  const entries = () =>
    (["corrected", "paper"] as const).map((protocol): StoredResult => {
      const { result, ...stored } = results[0];
      const context = { protocol, seed: 0, rowsInTable: 60, recipe: {} };
      const cell = { ...result.cell, task: "variant-effects", protocol };
      const measured = measureVariants(predictions, context);
      return { ...stored, result: { ...result, identity: protocol, cell, ...measured } };
    });
  const inColumns = ({ columns, rows }: Table) =>
    rows.map((row) => Object.fromEntries(columns.map(({ heading }, c) => [heading, row[c]])));

  test("a signed correlation has a column for each orientation, with its own title", () => {
    const [panel] = panelsOf(entries());
    const [corrected, paper] = inColumns(measurementsTable(panel)!);
    const headings = Object.keys(corrected).filter((heading) => heading.startsWith("Pearson r over QTLs"));
    expect(headings.toSorted()).toEqual([
      "Pearson r over QTLs, allele 1 − allele 2 against the effect of allele 1 (corrected protocol) ↑",
      "Pearson r over QTLs, allele 2 − allele 1 against the effect of allele 1 (paper protocol) ↑",
    ]);
    const [one, two] = headings.toSorted();
    const text = (cell: TableCell | undefined) => (typeof cell === "object" ? cell.text : cell);
    expect([text(corrected[one]), text(corrected[two])]).toEqual([fixed(pearsonOf(-1)), "–"]);
    expect([text(paper[one]), text(paper[two])]).toEqual(["–", fixed(pearsonOf(1))]);
    expect(Math.abs(pearsonOf(1))).toBeGreaterThan(0.1);
    // Metrics common to both protocols share a column.
    expect(text(corrected["average precision of |difference| ↑"])).toBe(
      text(paper["average precision of |difference| ↑"]),
    );
  });

  test("the leaderboard has the correlation of the paper's table, and each note names its protocol", () => {
    const table = leaderboard(entries());
    const [corrected, paper] = inColumns(table);
    expect(cellText(corrected["Pearson r (corrected protocol) ↑"])).toContain(fixed(pearsonOf(-1)));
    expect(cellText(paper["Pearson r (paper protocol) ↑"])).toContain(fixed(pearsonOf(1)));
    const notes = table.notes!.join("\n");
    expect(notes).toContain(
      "Pearson r (paper protocol): Pearson r over QTLs, allele 2 − allele 1 against the effect of allele 1;",
    );
    expect(notes).toContain(
      "Under the paper protocol: Correlations are those of allele 2 − allele 1 against the effect of allele 1.",
    );
    expect(notes).toContain(
      "Under the corrected protocol: Correlations are those of allele 1 − allele 2 against the effect of allele 1.",
    );
    expect(notes).not.toMatch(/^The sign/m);
  });

  test("columns do not name the protocol if there is only one", () => {
    const { columns } = leaderboard(entries().slice(0, 1));
    expect(columns.map(({ heading }) => heading)).toContain("Pearson r ↑");
  });

  test("different tests have separate columns, named in the legend", () => {
    const p = (name: string, title: string) => ({ name, title, better: "lower", main: false }) as const;
    const [first, second] = results;
    const withTest = ({ result, ...stored }: StoredResult, form: ReturnType<typeof p>, change: object) => ({
      ...stored,
      result: {
        ...result,
        metrics: [...result.metrics, { ...form, value: 0.132, intervals: [] }],
        cell: { ...result.cell, ...change },
      },
    });
    const { columns, notes } = leaderboard([
      withTest(first, p("blocks-p", "sign-flip over blocks"), {}),
      withTest(second, p("wilcoxon-p", "Wilcoxon signed-rank p"), { protocol: "paper" }),
    ]);
    expect(columns.map(({ heading }) => heading).slice(-2)).toEqual([
      "p (corrected protocol)",
      "p (paper protocol)",
    ]);
    expect(notes![0]).toContain(
      "p (corrected protocol): sign-flip over blocks; p (paper protocol): Wilcoxon signed-rank p.",
    );
  });
});

test("a note of one model begins with its name", () => {
  const noted = withSecond(() => ({ notes: ["Something is odd."] }));
  expect(leaderboard(noted).notes).toContain("weak: Something is odd.");
});

test("a sum of ranks is a whole number at any size, a share keeps its digits", () => {
  const metric = { name: "sum", title: "sum", better: "neither", main: false, intervals: [] } as const;
  const shown = [66_547, 987, 1, 0, 0.5, 986.5].map((value) => metricCell({ ...metric, value }));
  const texts = shown.map((cell) => (typeof cell === "string" ? cell : cell.text));
  expect(texts).toEqual(["66,547", "987", "1.000", "0.000", "0.500", "986.500"]);
});
