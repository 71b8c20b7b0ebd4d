import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { auroc } from "../../src/metrics/auroc.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { type Curve, calibrationCurve, precisionRecallCurve, rocCurve } from "../../src/metrics/curves.ts";

interface Golden {
  readonly scores: number[];
  readonly labels: number[];
  readonly places: number[];
  readonly roc: number[];
  readonly precision: number[];
  readonly probabilities: number[];
  readonly outcomes: number[];
  readonly observed: number[];
  readonly predicted: number[];
}

const golden = JSON.parse(
  await readFile(new URL("../golden/metrics/curves.json", import.meta.url), "utf8"),
) as Golden;
const scores = Float64Array.from(golden.scores);
const labels = Uint8Array.from(golden.labels);
const blocks = singleRows(scores.length);

const at = ({ x, y }: Curve, places: readonly number[]) => places.map((place) => y[x.indexOf(place)]);

const expectClose = (found: ArrayLike<number>, expected: readonly number[]) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 10);
  });
};

test("ROC and precision-recall curves equal scikit-learn's, with ties", () => {
  expectClose(at(rocCurve(scores, labels, blocks), golden.places), golden.roc);
  expectClose(at(precisionRecallCurve(scores, labels, blocks), golden.places), golden.precision);
});

test("calibration equals scikit-learn's with quantile bins", () => {
  const { x, y, low, high } = calibrationCurve(
    Float64Array.from(golden.probabilities),
    Uint8Array.from(golden.outcomes),
  );
  expectClose(x, golden.predicted);
  expectClose(y, golden.observed);
  y.forEach((value, bin) => {
    expect(low[bin]).toBeLessThanOrEqual(value);
    expect(high[bin]).toBeGreaterThanOrEqual(value);
  });
});

test("the area below the steps of the ROC curve is the AUROC", () => {
  const rng = new Pcg64(1);
  // 100 negatives have their rates on the grid.
  const some = Float64Array.from({ length: 140 }, (_, i) => normal(rng) + (i < 40 ? 1 : 0));
  const classes = Uint8Array.from(some, (_, i) => (i < 40 ? 1 : 0));
  const { x, y } = rocCurve(some, classes, singleRows(140), { resamples: 0 });
  const area = x.reduce((sum, place, i) => (i === 0 ? 0 : sum + y[i - 1] * (place - x[i - 1])), 0);
  expect(area).toBeCloseTo(auroc(some, classes), 10);
});

test("bands have a width, and none is drawn without resamples", () => {
  const copies = blocksBy(
    Int32Array.from(scores, (_, i) => i % 8),
    "genomic-block",
  );
  const width = ({ low = new Float64Array(0), high }: Curve) =>
    low.reduce((sum, value, i) => sum + ((high?.[i] ?? 0) - value), 0);
  const single = rocCurve(scores, labels, blocks);
  expect(width(single)).toBeGreaterThan(1);
  expect(width(rocCurve(scores, labels, copies))).toBeGreaterThan(1);
  single.y.forEach((value, i) => {
    expect(single.low?.[i]).toBeLessThanOrEqual(value + 1e-12);
  });
  expect(rocCurve(scores, labels, blocks, { resamples: 0 }).low).toBeUndefined();
});

test("a class without rows is an error", () => {
  expect(() => rocCurve(scores, new Uint8Array(scores.length), blocks)).toThrow(/0 positives/);
});
