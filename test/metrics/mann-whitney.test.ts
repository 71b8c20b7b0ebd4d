import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { mannWhitney } from "../../src/metrics/mann-whitney.ts";
import type { Alternative } from "../../src/metrics/wilcoxon.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

testWithSharedData(
  "the one-sided test for smaller effects of controls agrees with SciPy",
  METRICS,
  (file) => {
    interface Golden {
      readonly name: string;
      readonly x: readonly number[];
      readonly y: readonly number[];
      readonly auto: { readonly U: number; readonly p: number };
      readonly exact: { readonly U: number; readonly p: number };
      readonly asymptotic: { readonly U: number; readonly p: number };
    }
    let compared = 0;
    for (const golden of goldenSection<readonly Golden[]>(file, "mannwhitney_less")) {
      for (const method of ["auto", "exact", "asymptotic"] as const) {
        const found = mannWhitney(golden.x, golden.y, { alternative: "less", method });
        expect(found.u, `${golden.name}, ${method}`).toBe(golden[method].U);
        expectClose(found.p, golden[method].p, { relative: 1e-12 }, `${golden.name}, ${method}`);
        compared++;
      }
    }
    expect(compared).toBe(24);
  },
);

test("every alternative and method agrees with SciPy", () => {
  interface Golden {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly alternative: Alternative;
    readonly method: "auto" | "exact" | "asymptotic";
    readonly u: number;
    readonly p: number;
  }
  const cases = goldenSection<readonly Golden[]>(ownGolden("tests-and-intervals"), "rankSum");
  for (const { x, y, alternative, method, u, p } of cases) {
    const found = mannWhitney(x, y, { alternative, method });
    expect(found.u).toBe(u);
    expectClose(found.p, p, { relative: 1e-12 }, `${x.length} and ${y.length}, ${alternative}, ${method}`);
  }
  expect(cases.length).toBe(54);
});

test("two values against two: six orders", () => {
  expect(mannWhitney([3, 4], [1, 2], { alternative: "greater" })).toMatchObject({ u: 4, p: 1 / 6 });
  expect(mannWhitney([1, 2], [3, 4], { alternative: "less" })).toMatchObject({ u: 0, p: 1 / 6 });
  expect(mannWhitney([1, 3], [2, 4])).toMatchObject({ u: 1, method: "exact" });
});

test("is undefined for an empty sample, and rejects exact tests of thousands", () => {
  expect(mannWhitney([], [1, 2])).toMatchObject({ u: Number.NaN, p: Number.NaN });
  const many = Array.from({ length: 300 }, (_, i) => i);
  expect(() => mannWhitney(many, many, { method: "exact" })).toThrow(
    /at most 50000 pairs of values, found 300 × 300/,
  );
  expect(() => mannWhitney([Number.NaN], [1])).toThrow(InputError);
});

test("exact p-values equal the share of splits at least as extreme", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (n1, n2, pick) => {
      const n = n1 + n2;
      // Every choice of n1 of the ranks 1..n, as bits.
      const splits = Array.from({ length: 2 ** n }, (_, bits) => bits).filter(
        (bits) => bits.toString(2).replaceAll("0", "").length === n1,
      );
      const uOf = (bits: number) => {
        let u = 0;
        for (let a = 0; a < n; a++) {
          for (let b = 0; b < a; b++) if (bits & (1 << a) && !(bits & (1 << b))) u++;
        }
        return u;
      };
      const chosen = splits[pick % splits.length];
      const ranks = Array.from({ length: n }, (_, i) => i);
      const x = ranks.filter((i) => chosen & (1 << i));
      const y = ranks.filter((i) => !(chosen & (1 << i)));
      const atLeast = splits.filter((bits) => uOf(bits) >= uOf(chosen)).length;
      const { u, p } = mannWhitney(x, y, { alternative: "greater", method: "exact" });
      expect(u).toBe(uOf(chosen));
      expect(p).toBeCloseTo(atLeast / splits.length, 12);
    }),
    { numRuns: 40 },
  );
});

test("swapping the samples reverses U and the alternative", () => {
  const sample = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(sample, sample, (x, y) => {
      const less = mannWhitney(x, y, { alternative: "less", method: "asymptotic" });
      const greater = mannWhitney(y, x, { alternative: "greater", method: "asymptotic" });
      expect(greater.u).toBe(x.length * y.length - less.u);
      expect(greater.p).toBeCloseTo(less.p, 12);
    }),
  );
});
