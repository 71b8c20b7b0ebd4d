import { describe, expect, test } from "vitest";
import { DESIGNS, designTitle } from "../../benchmarks/coverage/designs.ts";
import { measureCoverage } from "../../benchmarks/coverage/measure-coverage.ts";

// `npx tsx benchmarks/coverage.ts` measures the whole grid; docs/interval-coverage.md has its table.

const designOf = (title: string) => {
  const found = DESIGNS.find((design) => designTitle(design) === title);
  if (found === undefined) throw new Error(`no design ${title}`);
  return found;
};

test("the grid has at least 150 designs, each once", () => {
  expect(DESIGNS.length).toBeGreaterThanOrEqual(150);
  expect(new Set(DESIGNS.map(designTitle)).size).toBe(DESIGNS.length);
});

describe("nominal 95 % intervals contain the true value", () => {
  // Binomial error of 400 replicates: 1.1 percentage points. Intervals over blocks of 1 Mb cover in 78 to 89
  // % of the first three.
  test.each([
    "share 0.55; 300 rows, test chromosomes; correlation 0.4 in domains of 5 Mb",
    "share 0.55; 2000 rows, test chromosomes; correlation 0.4 in domains of 2 Mb",
    "share 0.95; 2000 rows, test chromosomes; correlation 0.4 in domains of 5 Mb",
    "share 0.6; 120 rows, 6 groups; independent",
    "AUROC, shift 2.326, 30 % positive; 120 rows, 6 groups; correlation 0.3 within groups",
    "AUROC, shift 2.326, 10 % positive; 500 rows, test chromosomes; independent",
    "AUPRC, shift 2.326, 10 % positive; 1000 rows, test chromosomes; correlation 0.4 in domains of 2 Mb",
    "Spearman rho of normal r 0.6; 100 rows, test chromosomes; correlation 0.4 in domains of 2 Mb",
  ])("%s", (title) => {
    const { covered, given, replicates } = measureCoverage(designOf(title), 400, 0);
    expect(given).toBe(replicates);
    expect(covered).toBeGreaterThan(0.92);
    expect(covered).toBeLessThan(0.985);
  });
});

test.each([
  "share 0.6; 60 rows, 3 groups; independent",
  "share 0.7; 200 rows, three chromosomes of 5 Mb; correlation 0.3 in domains of 2 Mb",
])("flags intervals that cannot cover: %s", (title) => {
  expect(measureCoverage(designOf(title), 20, 0).given).toBe(0);
});
