import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/sample.ts";
import { aurocOver } from "../../src/metrics/auroc.ts";
import { blockEstimate, ENOUGH_BLOCKS } from "../../src/metrics/block-estimate.ts";
import { type Blocks, blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { blockBootstrap } from "../../src/metrics/bootstrap.ts";
import { clusteredProportion } from "../../src/metrics/clustered-proportion.ts";
import { wilsonInterval } from "../../src/metrics/intervals.ts";
import { meanOver } from "../../src/metrics/mean.ts";
import { sum } from "../../src/metrics/sum.ts";

test("few blocks get the jackknife, many the bootstrap, and the method tells", () => {
  const rng = new Pcg64(2);
  const methodFor = (count: number) => {
    const rows = singleRows(count);
    const values = Float64Array.from({ length: count }, () => normal(rng));
    return blockEstimate(rows, meanOver(values, rows), { rng, resamples: 100 }).method;
  };
  expect(methodFor(ENOUGH_BLOCKS - 1)).toBe("row-jackknife");
  expect(methodFor(ENOUGH_BLOCKS)).toBe("row-bootstrap");
});

test("bounds are cut off at the ends of what the statistic can be; those of a share lie inside them", () => {
  const blocks = blocksBy(["a", "b", "c"], "chromosome");
  const share = meanOver([1, 1, 0], blocks);
  const rng = new Pcg64(1);
  const { value, high } = blockEstimate(blocks, share, { rng });
  expect(high).toBeGreaterThan(1);
  expect(blockEstimate(blocks, share, { rng, range: [-1, 1] }).high).toBe(1);
  const inside = blockEstimate(blocks, share, { rng, range: [0, 1] });
  const logOdds = (p: number) => Math.log(p / (1 - p));
  const step = (high - value) / (value * (1 - value));
  expect(logOdds(inside.high)).toBeCloseTo(logOdds(value) + step, 8);
  expect(logOdds(inside.low)).toBeCloseTo(logOdds(value) - step, 8);
  expect(inside.method).toBe("chromosome-jackknife");
});

test.each([10, 200])("%d blocks that do not differ tell nothing: no interval of width 0", (count) => {
  const blocks = blocksBy(
    Array.from({ length: 2 * count }, (_, i) => i >> 1),
    "genomic-block",
  );
  const scores = Array.from({ length: 2 * count }, (_, i) => i % 2);
  const perfect = blockEstimate(blocks, aurocOver(scores, scores, blocks), {
    rng: new Pcg64(1),
    resamples: 100,
  });
  expect(perfect).toMatchObject({ value: 1, low: Number.NaN, high: Number.NaN });
});

describe("coverage of nominal 95 % intervals: rows in blocks of their own difficulty", () => {
  const RUNS = 250;

  /** Blocks of 5 to 95 rows, each with its own probability of success around a logit. */
  function draw(rng: Pcg64, count: number, logit: number): { blocks: Blocks; outcomes: number[] } {
    const keys: number[] = [];
    const outcomes: number[] = [];
    for (let block = 0; block < count; block++) {
      const p = 1 / (1 + Math.exp(-(logit + 0.7 * normal(rng))));
      const size = 5 + Math.floor(rng.nextFloat64() ** 2 * 90);
      for (let i = 0; i < size; i++) {
        keys.push(block);
        outcomes.push(rng.nextFloat64() < p ? 1 : 0);
      }
    }
    return { blocks: blocksBy(keys, "genomic-block"), outcomes };
  }

  const INTERVALS = {
    chosen: (blocks: Blocks, outcomes: number[], rng: Pcg64) =>
      blockEstimate(blocks, meanOver(outcomes, blocks), { rng, resamples: 200 }),
    proportion: (blocks: Blocks, outcomes: number[]) => clusteredProportion(outcomes, blocks),
    bootstrap: (blocks: Blocks, outcomes: number[], rng: Pcg64) =>
      blockBootstrap(blocks, meanOver(outcomes, blocks), { rng, resamples: 200 }),
    independent: (_: Blocks, outcomes: number[]) => wilsonInterval(sum(outcomes), outcomes.length),
  };

  /** Share of runs whose interval of this kind holds the truth. */
  function coverage(kind: keyof typeof INTERVALS, count: number, logit: number): number {
    const rng = new Pcg64(20);
    let truth = 0;
    for (let i = 0; i < 50_000; i++) truth += 1 / (1 + Math.exp(-(logit + 0.7 * normal(rng)))) / 50_000;
    let covered = 0;
    for (let run = 0; run < RUNS; run++) {
      const { blocks, outcomes } = draw(rng, count, logit);
      const { low, high } = INTERVALS[kind](blocks, outcomes, rng);
      if (low <= truth && truth <= high) covered++;
    }
    return covered / RUNS;
  }

  // Binomial error of 250 runs: about 1.4 percentage points.
  test.each([
    [3, 1],
    [6, 1],
    [20, 2],
    [120, 1],
  ])("%d blocks around logit %d", (count, logit) => {
    expect(coverage("chosen", count, logit)).toBeGreaterThan(0.9);
    expect(coverage("proportion", count, logit)).toBeGreaterThan(0.91);
    // Rows taken as independent: far too sure.
    expect(coverage("independent", count, logit)).toBeLessThan(0.8);
  });

  test("six blocks and an AUROC of 0.99: inside the log-odds' interval, outside the cut-off one", () => {
    const rng = new Pcg64(5);
    const scored = (count: number) => {
      const keys: number[] = [];
      const labels: number[] = [];
      const scores: number[] = [];
      for (let block = 0; block < count; block++) {
        const shift = 0.5 * normal(rng);
        for (let i = 0; i < 60; i++) {
          keys.push(block);
          labels.push(i % 5 === 0 ? 1 : 0);
          scores.push(shift + normal(rng, 3.5 * labels.at(-1)!));
        }
      }
      const blocks = blocksBy(keys, "genomic-block");
      return { blocks, area: aurocOver(scores, labels, blocks) };
    };
    const truth = scored(3000).area(new Int32Array(3000).fill(1));
    const covered = { logOdds: 0, cutOff: 0 };
    for (let run = 0; run < RUNS; run++) {
      const { blocks, area } = scored(6);
      const inside = blockEstimate(blocks, area, { rng, range: [0, 1] });
      const plain = blockEstimate(blocks, area, { rng });
      if (inside.low <= truth && truth <= inside.high) covered.logOdds++;
      if (plain.low <= truth && truth <= plain.high) covered.cutOff++;
    }
    expect(truth).toBeGreaterThan(0.98);
    expect(covered.logOdds / RUNS).toBeGreaterThan(0.92);
    expect(covered.cutOff / RUNS).toBeLessThan(0.92);
  });

  test("the percentile bootstrap over three or six blocks covers far too rarely", () => {
    expect(coverage("bootstrap", 3, 1)).toBeLessThan(0.8);
    expect(coverage("bootstrap", 6, 1)).toBeLessThan(0.9);
  });
});
