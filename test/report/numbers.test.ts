import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateCell, intervalText } from "../../src/report/estimates.ts";
import {
  bytes,
  count,
  duration,
  fixed,
  parseShownNumber,
  pValue,
  roughBytes,
  roughDuration,
  UNDEFINED,
} from "../../src/report/numbers.ts";
import { cellText } from "../../src/report/table.ts";

test("fixed: a true minus sign, no negative zero, a dash where undefined", () => {
  expect([0.7312, -0.5, -0.0001, 0, 12].map((value) => fixed(value))).toEqual([
    "0.731",
    "−0.500",
    "0.000",
    "0.000",
    "12.000",
  ]);
  expect([Number.NaN, Number.POSITIVE_INFINITY].map((value) => fixed(value))).toEqual([UNDEFINED, UNDEFINED]);
});

test("pValue: digits, then powers of ten, then a bound", () => {
  expect([1, 0.0312, 0.001, 0.00099, 3.21e-41, 0, Number.NaN].map(pValue)).toEqual([
    "1.000",
    "0.031",
    "0.001",
    "9.9×10⁻⁴",
    "3.2×10⁻⁴¹",
    "< 10⁻³⁰⁰",
    UNDEFINED,
  ]);
});

test("estimates: one unit, one or two digits", () => {
  expect([0, 0.52, 9.96, 47.3, 116, 176, 3500, 5800, 273_600, Number.NaN].map(roughDuration)).toEqual([
    ...["0 s", "0.5 s", "10 s", "47 s", "120 s", "2.9 min", "58 min", "97 min", "3.2 d", UNDEFINED],
  ]);
  expect([0, 900, 1.5 * 2 ** 30, 387 * 2 ** 20, Number.NaN].map(roughBytes)).toEqual([
    ...["0 B", "900 B", "1.5 GiB", "390 MiB", UNDEFINED],
  ]);
});

test("duration: the two largest units, never 60 of the smaller", () => {
  expect([0, 9.94, 9.96, 59.6, 132, 3599.7, 3900, 273_600].map(duration)).toEqual([
    "0.0 s",
    "9.9 s",
    "10 s",
    "1 min 00 s",
    "2 min 12 s",
    "1 h 00 min",
    "1 h 05 min",
    "3 d 4 h",
  ]);
});

test("counts and bytes", () => {
  expect([0, 999, 12_034, Number.NaN].map(count)).toEqual(["0", "999", "12,034", UNDEFINED]);
  expect([0, 1023, 1024, 1.5 * 1024 ** 3, 1023.9 * 1024 ** 2].map(bytes)).toEqual([
    "0 B",
    "1023 B",
    "1.00 KiB",
    "1.50 GiB",
    "1.00 GiB",
  ]);
});

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });

test("parses rounded numbers", () => {
  fc.assert(
    fc.property(finite, fc.integer({ min: 0, max: 6 }), (value, digits) => {
      expect(parseShownNumber(fixed(value, digits))).toBeCloseTo(Number(value.toFixed(digits)), 9);
    }),
  );
});

test("parses counts with thousands separators", () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      expect(parseShownNumber(count(value))).toBeCloseTo(value, 9);
    }),
  );
});

test("p-values keep their order, down to the bound", () => {
  const falling = [1, 0.132, 0.00102, 9.9e-4, 3.4e-9, 1.8e-53, 1e-300, 1e-310, 0];
  const read = falling.map((value) => parseShownNumber(pValue(value))!);
  expect(read).toEqual([1, 0.132, 0.001, 9.9e-4, 3.4e-9, 1.8e-53, 1e-300, 0, 0]);
});

test("parses the estimate of a cell with interval, the lower bound of an interval", () => {
  const interval = { value: -0.132, low: -0.582, high: 0.318, n: 20, method: "jackknife" };
  expect(parseShownNumber(cellText(estimateCell(-0.132, interval)))).toBe(-0.132);
  expect(parseShownNumber(intervalText(interval))).toBe(-0.582);
});

test("undefined values and text are not numbers", () => {
  for (const text of [UNDEFINED, "", "both", "-", "[–, –]"]) expect(parseShownNumber(text)).toBeUndefined();
});
