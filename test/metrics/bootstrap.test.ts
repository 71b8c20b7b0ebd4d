import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/sample.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { blockBootstrap, blockReplicates, middleOf } from "../../src/metrics/bootstrap.ts";
import { meanEstimate, meanOver } from "../../src/metrics/mean.ts";

const rng = new Pcg64(5);
const values = Float64Array.from({ length: 400 }, () => normal(rng, 3, 2));
const rows = singleRows(values.length);

test("for independent rows it agrees with the t interval", () => {
  const bootstrap = blockBootstrap(rows, meanOver(values, rows), { rng: new Pcg64(1), resamples: 4000 });
  const expected = meanEstimate(values);
  expect(bootstrap.value).toBeCloseTo(expected.value, 12);
  expect(bootstrap.low).toBeCloseTo(expected.low, 1);
  expect(bootstrap.high).toBeCloseTo(expected.high, 1);
  expect(bootstrap).toMatchObject({ n: 400, method: "row-bootstrap" });
});

test("a generator of the same seed gives the same interval, and a higher level a wider one", () => {
  const interval = (seed: number, level: number) =>
    blockBootstrap(rows, meanOver(values, rows), { rng: new Pcg64(seed), resamples: 500, level });
  expect(interval(7, 0.95)).toEqual(interval(7, 0.95));
  expect(interval(8, 0.95).low).not.toBe(interval(7, 0.95).low);
  expect(interval(7, 0.99).low).toBeLessThan(interval(7, 0.95).low);
});

test("rows that repeat each other ten times do not make the interval narrower", () => {
  const repeated = Float64Array.from({ length: 4000 }, (_, i) => values[i % 400]!);
  const blocks = blocksBy(
    Array.from(repeated, (_, i) => i % 400),
    "original",
  );
  const naive = blockBootstrap(singleRows(4000), meanOver(repeated, singleRows(4000)), {
    rng: new Pcg64(1),
    resamples: 500,
  });
  const honest = blockBootstrap(blocks, meanOver(repeated, blocks), { rng: new Pcg64(1), resamples: 500 });
  const ratio = (honest.high - honest.low) / (naive.high - naive.low);
  expect(ratio).toBeGreaterThan(2.7);
  expect(ratio).toBeLessThan(3.7);
});

test("three blocks: the interval cannot leave the range of the blocks, as the documentation warns", () => {
  const blocks = blocksBy([0, 1, 2], "chromosome");
  const { low, high } = blockBootstrap(blocks, meanOver([1, 2, 6], blocks), { rng: new Pcg64(1) });
  expect([low, high]).toEqual([1, 6]);
});

test("as many blocks are drawn as there are", () => {
  const replicates = blockReplicates(7, (times) => times.reduce((sum, count) => sum + count, 0), {
    rng: new Pcg64(1),
    resamples: 100,
  });
  expect(new Set(replicates)).toEqual(new Set([7]));
});

test("one block, or a statistic that resamples leave undefined, has no interval", () => {
  const one = blocksBy(["chr5", "chr5"], "chromosome");
  const single = blockBootstrap(one, meanOver([1, 2], one), { rng: new Pcg64(1) });
  expect(single).toMatchObject({ value: 1.5, low: Number.NaN, high: Number.NaN });
  const rare = Float64Array.from({ length: 1000 }, (_, i) => (i < 100 ? Number.NaN : i));
  expect(middleOf(rare)).toEqual([Number.NaN, Number.NaN]);
  expect(middleOf(rare.subarray(60)).every(Number.isFinite)).toBe(true);
});

test("refuses too few resamples to have a tail", () => {
  const options = { rng: new Pcg64(1), resamples: 20 };
  expect(() => blockBootstrap(rows, meanOver(values, rows), options)).toThrow(InputError);
});
