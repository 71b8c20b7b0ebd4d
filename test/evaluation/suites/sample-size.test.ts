import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/sample.ts";
import { pearsonEstimate, spearmanEstimate } from "../../../src/evaluation/metrics/correlation.ts";
import { aurocEstimate } from "../../../src/evaluation/metrics/delong.ts";
import { wilsonInterval } from "../../../src/evaluation/metrics/intervals.ts";
import { MINI_WIDTH, miniSuite } from "../../../src/evaluation/suites/mini.ts";
import {
  rowsForCorrelation,
  rowsForShare,
  rowsPerClass,
} from "../../../src/evaluation/suites/sample-size.ts";
import { WHOLE_SUITE } from "../../../src/evaluation/suites/whole.ts";

const Z = 1.959963984540054;
const WIDTHS = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2];

describe.each(WIDTHS)("for intervals of ±%f", (width) => {
  test("a share of one half, the worst, is known as well as asked, and with one row less it is not", () => {
    const half = (n: number) => Z * Math.sqrt(0.25 / n);
    const n = rowsForShare(width);
    expect(half(n)).toBeLessThanOrEqual(width);
    expect(half(n - 1)).toBeGreaterThan(width);
    // The interval that is printed is no longer than the one that was reckoned with.
    const { low, high } = wilsonInterval(Math.round(n / 2), n);
    expect((high - low) / 2).toBeLessThanOrEqual(width);
  });

  test("no correlation, the worst, likewise", () => {
    const half = (n: number) => Math.tanh(Z / Math.sqrt(n - 3));
    const n = rowsForCorrelation(width);
    expect(half(n)).toBeLessThanOrEqual(width);
    expect(half(n - 1)).toBeGreaterThan(width);
    // Spearman's, with its own variance, at every correlation.
    for (let r = 0; r < 1; r += 0.05) {
      const step = Z * Math.sqrt((1 + r ** 2 / 2) / (n - 3));
      const interval = Math.tanh(Math.atanh(r) + step) - Math.tanh(Math.atanh(r) - step);
      expect(interval / 2).toBeLessThanOrEqual(width * (1 + 1e-9));
    }
  });

  test("intervals of correlations that are printed are no longer", () => {
    const n = rowsForCorrelation(width);
    const rng = new Pcg64(n);
    const column = () => Float64Array.from({ length: n }, () => normal(rng));
    const [x, y] = [column(), column()];
    for (const { low, high } of [pearsonEstimate(x, y), spearmanEstimate(x, y)]) {
      expect((high - low) / 2).toBeLessThanOrEqual(width * (1 + 1e-9) + 1e-12);
    }
  });

  test("nor is that of an AUROC of the worst distribution: half of a class above, half below all of the other", () => {
    const n = rowsPerClass(width);
    const scores = Float64Array.from({ length: 2 * n }, (_, i) => (i >= n ? 1 : i % 2 === 0 ? 0 : 2));
    const { value, low, high } = aurocEstimate(
      scores,
      Uint8Array.from(scores, (_, i) => (i < n ? 1 : 0)),
    );
    expect(Math.abs(value - 0.5)).toBeLessThan(1 / n);
    expect((high - low) / 2).toBeLessThanOrEqual(width);
  });
});

describe("the small suite", () => {
  const sizes = (width?: number) =>
    Object.fromEntries(
      miniSuite(width).rows.map(({ task, settings }) => {
        const { limit, sample } = Object.values(settings)[0]!;
        return [task, limit ?? sample];
      }),
    );

  test("has the sizes that follow from its width", () => {
    expect(MINI_WIDTH).toBe(0.03);
    expect(sizes()).toEqual({
      "regulatory-elements": 1068,
      "motif-footprinting": 1068,
      "cell-type-elements": Math.ceil(1069 / (33_948 / 216_746)),
      "chromatin-activity": { peaks: 4269, idr: 1069, nonpeaks: 1069 },
      "variant-effects": { significant: 4269, control: 1069 },
    });
    expect(sizes(0.1)).toMatchObject({
      "regulatory-elements": rowsForShare(0.1),
      "variant-effects": { significant: rowsForCorrelation(0.1), control: rowsPerClass(0.1) },
    });
  });

  test("asks the same tasks, data and settings as the whole one", () => {
    const form = ({ rows }: typeof WHOLE_SUITE) =>
      rows.map(({ task, inputs, settings }) => [task, inputs, Object.keys(settings)]);
    expect(form(miniSuite())).toEqual(form(WHOLE_SUITE));
  });

  test.each([Number.NaN, 0, 0.5])("a width of %f is refused", (width) => {
    expect(() => miniSuite(width)).toThrow(InputError);
  });
});
