import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import {
  pearson,
  pearsonEstimate,
  pearsonOver,
  spearman,
  spearmanEstimate,
  spearmanOver,
} from "../../src/metrics/correlation.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

interface Golden {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly pearson: { readonly r: number; readonly p: number } | { readonly error: string };
  readonly spearman: { readonly rho: number; readonly p: number };
}

testWithSharedData("Pearson's correlation agrees with SciPy", METRICS, (file) => {
  let compared = 0;
  for (const { name, x, y, pearson: golden } of goldenSection<readonly Golden[]>(file, "correlation")) {
    compared++;
    if (x.some(Number.isNaN)) {
      expect(golden).toHaveProperty("error");
      expect(() => pearson(x, y), name).toThrow(InputError);
      continue;
    }
    const found = pearson(x, y);
    // SciPy rejects a single pair; here it is undefined, like a constant.
    const { r, p } = "error" in golden ? { r: Number.NaN, p: Number.NaN } : golden;
    expectClose(found.r, r, { absolute: 1e-14 }, `${name}, r`);
    expectClose(found.p, p, { relative: 1e-11 }, `${name}, p`);
  }
  expect(compared).toBe(18);
});

testWithSharedData("Spearman's correlation agrees with SciPy", METRICS, (file) => {
  let compared = 0;
  for (const { name, x, y, spearman: golden } of goldenSection<readonly Golden[]>(file, "correlation")) {
    compared++;
    if (x.some(Number.isNaN)) {
      // SciPy propagates NaN; here it is rejected.
      expect(golden.rho).toBeNaN();
      expect(() => spearman(x, y), name).toThrow(InputError);
      continue;
    }
    const found = spearman(x, y);
    expectClose(found.r, golden.rho, {}, `${name}, rho`);
    expectClose(found.p, golden.p, { relative: 1e-11 }, `${name}, p`);
  }
  expect(compared).toBe(18);
});

interface Ranked {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly pearson: number;
  readonly pearsonP: number;
  readonly low: number;
  readonly high: number;
  readonly spearman: number;
  readonly spearmanP: number;
}

test.each(goldenSection<readonly Ranked[]>(ownGolden("tests-and-intervals"), "correlation"))(
  "$x.length pairs: both correlations and Fisher's interval agree with SciPy",
  (golden) => {
    const { x, y } = golden;
    expectClose(pearson(x, y).r, golden.pearson, { absolute: 1e-14 }, "r");
    expectClose(pearson(x, y).p, golden.pearsonP, { relative: 1e-11 }, "p");
    expectClose(spearman(x, y).r, golden.spearman, { absolute: 1e-14 }, "rho");
    expectClose(spearman(x, y).p, golden.spearmanP, { relative: 1e-11 }, "p of rho");
    const { low, high } = pearsonEstimate(x, y);
    expectClose(low, golden.low, { absolute: 1e-12 }, "low");
    expectClose(high, golden.high, { absolute: 1e-12 }, "high");
  },
);

test("three points, by hand", () => {
  expect(pearson([1, 2, 3], [1, 3, 2])).toMatchObject({ r: expect.closeTo(0.5, 14), n: 3 });
  // One degree of freedom: t = 0.5/√(0.75), p = 1 − 2 atan(t)/π = 2/3.
  expect(pearson([1, 2, 3], [1, 3, 2]).p).toBeCloseTo(2 / 3, 13);
});

test("is undefined for constants and too few rows", () => {
  for (const correlation of [pearson, spearman]) {
    expect(correlation([1, 1, 1], [1, 2, 3])).toMatchObject({ r: Number.NaN, p: Number.NaN });
    expect(correlation([1], [2]).r).toBeNaN();
    expect(correlation([], []).r).toBeNaN();
  }
  expect(pearsonEstimate([1, 2, 3], [1, 3, 2])).toMatchObject({ low: Number.NaN, high: Number.NaN });
  expect(pearsonEstimate([1, 2, 3, 4], [2, 4, 6, 8])).toMatchObject({ value: 1, low: Number.NaN });
});

test("Spearman's interval is wider than Fisher's would be", () => {
  const x = Array.from({ length: 40 }, (_, i) => i);
  const y = x.map((value) => value + 15 * Math.sin(value * value));
  const { value, low, high, method } = spearmanEstimate(x, y);
  const half = 1.959964 / Math.sqrt(37);
  expect(method).toBe("fisher-z");
  expect((Math.atanh(high) - Math.atanh(low)) / 2).toBeCloseTo(half * Math.sqrt(1 + (value * value) / 2), 6);
});

test("rejects lengths that differ and values that are not finite", () => {
  expect(() => pearson([1, 2], [1])).toThrow(InputError);
  expect(() => spearman([1, Number.POSITIVE_INFINITY], [1, 2])).toThrow(/x value 1 /);
});

test("neither overflows nor underflows for values far from 1", () => {
  const y = [1, 3, 2, 5];
  const { r } = pearson([1, 2, 3, 4], y);
  expect(pearson([1e200, 2e200, 3e200, 4e200], y).r).toBeCloseTo(r, 12);
  expect(pearson([1e-200, 2e-200, 3e-200, 4e-200], y).r).toBeCloseTo(r, 12);
});

const pairs = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
  minLength: 3,
  maxLength: 60,
});

test("is invariant to scaling and to swapping x and y, and changes sign with a negative scale", () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const x = rows.map(([a]) => a);
      const y = rows.map(([, b]) => b);
      for (const correlation of [pearson, spearman]) {
        const { r, p } = correlation(x, y);
        fc.pre(!Number.isNaN(r));
        expect(correlation(y, x).r).toBeCloseTo(r, 12);
        expect(
          correlation(
            x.map((value) => 3 * value + 7),
            y,
          ).r,
        ).toBeCloseTo(r, 12);
        expect(
          correlation(
            x.map((value) => -value),
            y,
          ).r,
        ).toBeCloseTo(-r, 12);
        expect(p >= 0 && p <= 1).toBe(true);
      }
    }),
  );
});

test("Spearman's correlation depends on the order alone", () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const x = rows.map(([a]) => a);
      const y = rows.map(([, b]) => b);
      expect(spearman(x.map(Math.sinh), y)).toEqual(spearman(x, y));
    }),
  );
});

const rowsInBlocks = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
  minLength: 6,
  maxLength: 60,
});
const counts = fc.array(fc.nat(3), { minLength: 3, maxLength: 3 });

test.each([
  ["pearson", pearsonOver, pearson],
  ["spearman", spearmanOver, spearman],
] as const)("%s: counts a block twice like its rows listed twice", (name, over, plain) => {
  fc.assert(
    fc.property(rowsInBlocks, counts, (rows, times) => {
      const blocks = blocksBy(
        rows.map((_, i) => i % 3),
        "key",
      );
      const listed = rows.flatMap((row, i) => Array.from({ length: times[i % 3] }, () => row));
      const expected = plain(
        listed.map(([x]) => x),
        listed.map(([, y]) => y),
      ).r;
      const found = over(
        rows.map(([x]) => x),
        rows.map(([, y]) => y),
        blocks,
      )(Int32Array.from(times));
      expectClose(found, expected, { absolute: 1e-11 }, name);
    }),
  );
});

test("is undefined for blocks with constant values, also far from the overall mean", () => {
  const x = [0.1, 0.1, 0.1, 1e6, 2e6, 7e6];
  const y = [1, 2, 3, 4, 5, 7];
  const blocks = blocksBy(["a", "a", "a", "b", "b", "b"], "key");
  for (const over of [pearsonOver, spearmanOver]) {
    expect(over(x, y, blocks)(Int32Array.of(5, 0))).toBeNaN();
    expect(over(x, y, blocks)(Int32Array.of(0, 0))).toBeNaN();
    expect(over(x, y, blocks)(Int32Array.of(0, 1))).toBeGreaterThan(0.9);
  }
});

test("rejects pairs of another length than the blocks", () => {
  expect(() => pearsonOver([1, 2], [1, 2], singleRows(3))).toThrow(InputError);
  expect(() => spearmanOver([1, 2], [1, Number.NaN], singleRows(2))).toThrow(InputError);
});
