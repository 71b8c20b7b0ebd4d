import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { aurocOver } from "../../src/metrics/auroc.ts";
import { blockEstimate, blockInference, compareOver } from "../../src/metrics/block-estimate.ts";
import { type Blocks, blocksBy } from "../../src/metrics/blocks.ts";
import { clusteredProportion } from "../../src/metrics/clustered-proportion.ts";
import { wilsonInterval } from "../../src/metrics/intervals.ts";
import { meanOver, sum } from "../../src/metrics/mean.ts";

test("selects the scale on which the interval is symmetric by the range", () => {
  const blocks = blocksBy(["a", "a", "b", "b", "c", "c"], "chromosome");
  const mean = meanOver([0.9, 0.8, 0.9, 0.7, 0.5, 0.6], blocks);
  const { value, low, high, method } = blockEstimate(blocks, mean);
  expect(high).toBeGreaterThan(1);
  expect(high - value).toBeCloseTo(value - low, 12);
  expect(method).toBe("chromosome-jackknife");
  const scales = [
    { range: [0, 1], to: (v: number) => Math.log(v / (1 - v)) },
    { range: [-1, 1], to: Math.atanh },
    { range: [0, Number.POSITIVE_INFINITY], to: Math.log },
  ] as const;
  for (const { range, to } of scales) {
    const scaled = blockEstimate(blocks, mean, { range });
    expect(to(scaled.high) - to(value)).toBeCloseTo(to(value) - to(scaled.low), 8);
    expect(scaled.low).toBeGreaterThan(range[0]);
    expect(scaled.high).toBeLessThan(range[1]);
  }
});

test("gives p < 0.05 exactly where the interval excludes the value", () => {
  const blocks = blocksBy(
    Array.from({ length: 90 }, (_, i) => i % 15),
    "background",
  );
  const rng = new Pcg64(8);
  const labels = Array.from({ length: 90 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const scores = labels.map((label) => normal(rng, label));
  const { estimate, pAgainst } = blockInference(blocks, aurocOver(scores, labels, blocks), { range: [0, 1] });
  expect(pAgainst(estimate.low)).toBeCloseTo(0.05, 8);
  expect(pAgainst(estimate.high)).toBeCloseTo(0.05, 8);
  expect(pAgainst(estimate.value)).toBeCloseTo(1, 12);
  expect(pAgainst(0.5) < 0.05).toBe(estimate.low > 0.5);
});

test.each([10, 200])(
  "gives no interval for %d blocks that do not differ, instead of one of width 0",
  (count) => {
    const blocks = blocksBy(
      Array.from({ length: 2 * count }, (_, i) => i >> 1),
      "genomic-block",
    );
    const scores = Array.from({ length: 2 * count }, (_, i) => i % 2);
    const perfect = blockEstimate(blocks, aurocOver(scores, scores, blocks), { range: [0, 1] });
    expect(perfect).toMatchObject({ value: 1, low: Number.NaN, high: Number.NaN });
  },
);

describe("coverage of nominal 95 % intervals: blocks differ in difficulty", () => {
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
    jackknife: (blocks: Blocks, outcomes: number[]) =>
      blockEstimate(blocks, meanOver(outcomes, blocks), { range: [0, 1] }),
    proportion: (blocks: Blocks, outcomes: number[]) => clusteredProportion(outcomes, blocks),
    independent: (_: Blocks, outcomes: number[]) => wilsonInterval(sum(outcomes), outcomes.length),
  };

  /** Share of runs whose interval contains the true value. */
  function coverage(kind: keyof typeof INTERVALS, count: number, logit: number): number {
    const rng = new Pcg64(20);
    let truth = 0;
    for (let i = 0; i < 50_000; i++) truth += 1 / (1 + Math.exp(-(logit + 0.7 * normal(rng)))) / 50_000;
    let covered = 0;
    for (let run = 0; run < RUNS; run++) {
      const { blocks, outcomes } = draw(rng, count, logit);
      const { low, high } = INTERVALS[kind](blocks, outcomes);
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
    expect(coverage("jackknife", count, logit)).toBeGreaterThan(0.9);
    expect(coverage("proportion", count, logit)).toBeGreaterThan(0.91);
    // Intervals that take rows as independent are far too narrow.
    expect(coverage("independent", count, logit)).toBeLessThan(0.8);
  });

  test("covers an AUROC of 0.99 from six blocks by log-odds, not by a clipped interval", () => {
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
      const inside = blockEstimate(blocks, area, { range: [0, 1] });
      const plain = blockEstimate(blocks, area);
      if (inside.low <= truth && truth <= inside.high) covered.logOdds++;
      if (plain.low <= truth && truth <= plain.high) covered.cutOff++;
    }
    expect(truth).toBeGreaterThan(0.98);
    expect(covered.logOdds / RUNS).toBeGreaterThan(0.92);
    expect(covered.cutOff / RUNS).toBeLessThan(0.92);
  });
});

/** Two models on blocks that are hard or easy for both; the second is worse by `gap` on every row. */
function twoModels(
  rng: Pcg64,
  count: number,
  gap: number,
): { blocks: Blocks; first: number[]; second: number[] } {
  const keys: number[] = [];
  const first: number[] = [];
  const second: number[] = [];
  for (let block = 0; block < count; block++) {
    const ease = 2 * normal(rng);
    for (let i = 0; i < 6; i++) {
      keys.push(block);
      first.push(ease + normal(rng));
      second.push(ease + normal(rng) - gap);
    }
  }
  return { blocks: blocksBy(keys, "genomic-block"), first, second };
}

describe.each([8, 130])("two models compared over %d blocks", (count) => {
  const rng = new Pcg64(count);
  const compare = (gap: number) => {
    const { blocks, first, second } = twoModels(rng, count, gap);
    return compareOver(blocks, meanOver(first, blocks), meanOver(second, blocks));
  };

  test("gives p < 0.05 in about 5 % of cases for equal models, and intervals containing 0 otherwise", () => {
    let rejected = 0;
    let outside = 0;
    for (let run = 0; run < 200; run++) {
      const { p, difference } = compare(0);
      if (p < 0.05) rejected++;
      if (difference.low > 0 || difference.high < 0) outside++;
    }
    expect(rejected).toBeLessThan(22);
    expect(outside).toBeLessThan(22);
  });

  test("detects a worse model although blocks differ far more than models", () => {
    const { p, difference } = compare(1.5);
    expect(p).toBeLessThan(0.05);
    expect(difference.low).toBeGreaterThan(0);
    expect(difference.method).toBe("genomic-block-jackknife");
  });

  test("gives no p-value for a model compared with itself", () => {
    const { blocks, first } = twoModels(rng, count, 0);
    const same = compareOver(blocks, meanOver(first, blocks), meanOver(first, blocks));
    expect(same).toMatchObject({ difference: { value: 0, low: Number.NaN }, p: Number.NaN });
  });
});

test("compares any statistic over the same blocks", () => {
  const rng = new Pcg64(1);
  const keys = Array.from({ length: 240 }, (_, i) => i >> 3);
  const blocks = blocksBy(keys, "genomic-block");
  const labels = keys.map((_, i) => i % 2);
  const good = labels.map((label) => normal(rng, 2 * label));
  const bad = labels.map((label) => normal(rng, 0.2 * label));
  const { difference, p } = compareOver(
    blocks,
    aurocOver(good, labels, blocks),
    aurocOver(bad, labels, blocks),
  );
  expect(difference.value).toBeGreaterThan(0.2);
  expect(difference.n).toBe(240);
  expect(p).toBeLessThan(0.001);
});
