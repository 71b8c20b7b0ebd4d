import fc from "fast-check";
import { expect, test } from "vitest";
import { axisDomain, histogram } from "../../src/report/chart-data.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });

test("every non-zero value is in one bin, and no bin includes zero in its interior", () => {
  fc.assert(
    fc.property(values, (some) => {
      const { bins, ties } = histogram(Float64Array.from(some));
      expect(ties).toBe(some.filter((value) => value === 0).length);
      expect(bins.reduce((sum, bin) => sum + bin.rows, ties)).toBe(some.length);
      for (const [i, bin] of bins.entries()) {
        expect(bin.to).toBeGreaterThan(bin.from);
        expect(bin.from < 0 && bin.to > 0).toBe(false);
        if (i > 0) expect(bin.from).toBe(bins[i - 1].to);
      }
    }),
  );
});

test("bins have a round width, and outliers do not compress the histogram", () => {
  const some = Float64Array.from({ length: 1000 }, (_, i) => (i === 0 ? 1e9 : (i - 500) / 50));
  const { bins, beyond } = histogram(some);
  expect(bins.length).toBeGreaterThan(30);
  expect(bins.length).toBeLessThan(60);
  expect(bins.every(({ from, to }) => Math.abs(to - from - 0.5) < 1e-9)).toBe(true);
  expect(beyond).toBeGreaterThanOrEqual(1);
  expect(beyond).toBeLessThanOrEqual(10);
});

test("the number of bins grows with the number of values", () => {
  const bins = (n: number) => histogram(Float64Array.from({ length: n }, (_, i) => i + 1)).bins.length;
  expect(bins(60)).toBeLessThan(16);
  expect(bins(60)).toBeGreaterThan(4);
  expect(bins(5000)).toBeGreaterThan(24);
});

test("no values, or only ties, give no bins; equal values give one", () => {
  expect(histogram(new Float64Array(0))).toEqual({ bins: [], ties: 0, beyond: 0 });
  expect(histogram(Float64Array.of(0, -0, 0))).toEqual({ bins: [], ties: 3, beyond: 0 });
  expect(histogram(Float64Array.of(0.5, 0.5, 0.5)).bins).toEqual([{ from: 0.5, to: 0.55, rows: 3 }]);
});

const span = fc
  .tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 0, max: 50, noNaN: true }))
  .map(([low, width]) => ({ low, high: low + width }));

test("includes every interval and chance, also negative ones", () => {
  fc.assert(
    fc.property(
      fc.array(span, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(null, 0, 0.5),
      (spans, chance) => {
        const [low, high] = axisDomain(spans, chance);
        for (const one of [...spans, ...(chance === null ? [] : [{ low: chance, high: chance }])]) {
          expect(one.low).toBeGreaterThanOrEqual(low);
          expect(one.high).toBeLessThanOrEqual(high);
        }
      },
    ),
  );
});

test("an axis of shares stays within 0 and 1", () => {
  expect(axisDomain([{ low: 0.01, high: 0.99 }], 0.5)).toEqual([0, 1]);
  expect(axisDomain([{ low: 0.4, high: 0.6 }], null)[0]).toBeCloseTo(0.38, 9);
});
