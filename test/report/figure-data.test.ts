import fc from "fast-check";
import { expect, test } from "vitest";
import { commonHistograms } from "../../src/report/figure-data.ts";

const histogram = (values: Float64Array, target?: number) => commonHistograms([values], target)[0];

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
  const { bins } = histogram(some);
  expect(bins.length).toBeGreaterThan(30);
  expect(bins.length).toBeLessThan(60);
  expect(bins.every(({ from, to }) => Math.abs(to - from - 0.5) < 1e-9)).toBe(true);
});

test("the number of bins grows with the number of values", () => {
  const bins = (n: number) => histogram(Float64Array.from({ length: n }, (_, i) => i + 1)).bins.length;
  expect(bins(60)).toBeLessThan(16);
  expect(bins(60)).toBeGreaterThan(4);
  expect(bins(5000)).toBeGreaterThan(24);
});

test("no values, or only ties, give no bins; equal values give one", () => {
  expect(histogram(new Float64Array(0))).toEqual({ bins: [], ties: 0 });
  expect(histogram(Float64Array.of(0, -0, 0))).toEqual({ bins: [], ties: 3 });
  expect(histogram(Float64Array.of(0.5, 0.5, 0.5)).bins).toEqual([{ from: 0.5, to: 0.55, rows: 3 }]);
});

test("several lists share their bins", () => {
  const [narrow, wide] = commonHistograms([
    Float64Array.from({ length: 200 }, (_, i) => (i - 100) / 100),
    Float64Array.from({ length: 200 }, (_, i) => (i - 100) / 10),
  ]);
  expect(narrow.bins.map(({ from, to }) => [from, to])).toEqual(wide.bins.map(({ from, to }) => [from, to]));
  expect(narrow.ties).toBe(1);
});
