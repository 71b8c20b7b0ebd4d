import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateCell, intervalText } from "../../src/report/estimates.ts";
import { count, fixed, parseShownNumber, pValue, UNDEFINED } from "../../src/report/numbers.ts";
import { cellText } from "../../src/report/table.ts";

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
