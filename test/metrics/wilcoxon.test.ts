import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { NumberSorter } from "../../src/base/number-sorter.ts";
import { type Alternative, wilcoxon, wilcoxonOfSorted } from "../../src/metrics/wilcoxon.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

/** Numbers in ascending order, merged from runs of seven. */
function sortedOnDisk(values: readonly number[]) {
  const sorter = new NumberSorter(values.length, 7, 0);
  sorter.append(Float64Array.from(values));
  return sorter.sorted();
}

type Golden = { readonly statistic: number; readonly p: number } | { readonly error: string };
interface GoldenCase {
  readonly name: string;
  readonly differences: readonly number[];
  readonly auto: Golden;
  readonly exact: Golden;
  readonly approx: Golden;
}

testWithSharedData("one-sided signed-rank tests agree with SciPy", METRICS, (file) => {
  let compared = 0;
  for (const golden of goldenSection<readonly GoldenCase[]>(file, "wilcoxon_greater")) {
    for (const method of ["auto", "exact", "approx"] as const) {
      const expected = golden[method];
      const found = wilcoxon(golden.differences, { alternative: "greater", method });
      const label = `${golden.name}, ${method}`;
      // SciPy rejects differences that are all zero; here the statistic is undefined.
      const { statistic, p } = "error" in expected ? { statistic: Number.NaN, p: Number.NaN } : expected;
      expect(found.statistic, label).toBe(statistic);
      expectClose(found.p, p, { relative: 1e-12 }, label);
      expect(wilcoxonOfSorted(sortedOnDisk(golden.differences), { alternative: "greater", method })).toEqual(
        found,
      );
      compared++;
    }
  }
  expect(compared).toBe(78);
});

testWithSharedData("tests of paired scores agree with SciPy", METRICS, (file) => {
  interface Paired {
    readonly name: string;
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly statistic: number;
    readonly p: number;
  }
  const cases = goldenSection<readonly Paired[]>(file, "wilcoxon_paired_greater");
  for (const { name, x, y, statistic, p } of cases) {
    const found = wilcoxon(
      x.map((value, i) => value - y[i]),
      { alternative: "greater" },
    );
    expect(found.statistic, name).toBe(statistic);
    expectClose(found.p, p, { relative: 1e-12 }, name);
  }
  expect(cases.length).toBe(2);
});

test("two-sided and the other one-sided tests agree with SciPy", () => {
  interface Sided {
    readonly differences: readonly number[];
    readonly alternative: Alternative;
    readonly method: "auto" | "exact" | "approx";
    readonly statistic: number;
    readonly p: number;
  }
  const cases = goldenSection<readonly Sided[]>(ownGolden("tests-and-intervals"), "signedRank");
  for (const { differences, alternative, method, statistic, p } of cases) {
    const found = wilcoxon(differences, { alternative, method });
    const label = `${differences.length} differences, ${alternative}, ${method}`;
    expect(found.statistic, label).toBe(statistic);
    expectClose(found.p, p, { relative: 1e-12 }, label);
  }
  expect(cases.length).toBe(42);
});

describe("small exact tests, counted by hand", () => {
  test("three differences: eight sign patterns", () => {
    expect(wilcoxon([1, 2, 3], { alternative: "greater" })).toMatchObject({ statistic: 6, p: 1 / 8 });
    expect(wilcoxon([-1, 2, 3], { alternative: "greater" })).toMatchObject({ statistic: 5, p: 2 / 8 });
    expect(wilcoxon([-1, 2, 3], { alternative: "less" })).toMatchObject({ statistic: 5, p: 7 / 8 });
    expect(wilcoxon([-1, 2, 3])).toMatchObject({ statistic: 1, p: 4 / 8 });
  });

  test("the centre of the distribution has a two-sided p of 1", () => {
    expect(wilcoxon([1, 2, -3])).toMatchObject({ statistic: 3, p: 1 });
    // Ranks 1 to 57 sum to 1,653; the probabilities of sums up to half of that add up to 0.5 with an error.
    const differences = Array.from({ length: 57 }, (_, i) => (i + 1 >= 42 || i + 1 === 34 ? i + 1 : -i - 1));
    expect(wilcoxon(differences, { method: "exact" })).toMatchObject({ statistic: 826, p: 1 });
  });
});

test("selects the approximation for 51 differences, or with a zero", () => {
  const differences = Array.from({ length: 51 }, (_, i) => i + 1);
  expect(wilcoxon(differences).method).toBe("approx");
  expect(wilcoxon(differences.slice(1)).method).toBe("exact");
  expect(wilcoxon([0, ...differences.slice(2)])).toMatchObject({ method: "approx", n: 49 });
});

test("is undefined without differences, and reports how many were used", () => {
  for (const differences of [[], [0, 0, -0]]) {
    expect(wilcoxon(differences)).toMatchObject({ statistic: Number.NaN, p: Number.NaN, n: 0 });
  }
});

test("rejects values without a rank, and exact tests that would take minutes", () => {
  expect(() => wilcoxon([1, Number.NaN])).toThrow(InputError);
  expect(() => wilcoxon(new Float64Array(5000).fill(1), { method: "exact" })).toThrow(/at most 2000/);
});

const distinctMagnitudes = fc
  .uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 12 })
  .chain((sizes) =>
    fc
      .array(fc.boolean(), { minLength: sizes.length, maxLength: sizes.length })
      .map((signs) => sizes.map((size, i) => (signs[i] ? size : -size))),
  );

test("exact p-values equal the share of sign patterns at least as extreme", () => {
  fc.assert(
    fc.property(distinctMagnitudes, (differences) => {
      const found = wilcoxon(differences, { alternative: "greater", method: "exact" });
      let atLeast = 0;
      for (let pattern = 0; pattern < 2 ** differences.length; pattern++) {
        let rankSum = 0;
        for (let rank = 1; rank <= differences.length; rank++)
          if (pattern & (1 << (rank - 1))) rankSum += rank;
        if (rankSum >= found.statistic) atLeast++;
      }
      expect(found.p).toBeCloseTo(atLeast / 2 ** differences.length, 12);
    }),
    { numRuns: 50 },
  );
});

test("changing all signs swaps the one-sided p-values and keeps the two-sided one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 80 }),
      fc.constantFrom("exact", "approx"),
      (differences, method) => {
        fc.pre(differences.some((d) => d !== 0));
        const turned = differences.map((d) => -d);
        const greater = wilcoxon(differences, { alternative: "greater", method });
        // With ties a half-integer rank sum is rounded down on both sides, so only the approximation is
        // symmetric.
        if (greater.method === "approx") {
          expect(wilcoxon(turned, { alternative: "less", method }).p).toBeCloseTo(greater.p, 12);
        }
        const both = wilcoxon(differences, { method });
        expect(wilcoxon(turned, { method }).statistic).toBe(both.statistic);
      },
    ),
  );
});
