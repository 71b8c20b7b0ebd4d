import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { aurocOver } from "../../src/metrics/auroc.ts";
import { compareOver } from "../../src/metrics/block-estimate.ts";
import { type Blocks, blocksBy } from "../../src/metrics/blocks.ts";
import { meanOver } from "../../src/metrics/mean.ts";

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

describe.each([8, 130])("%d blocks", (count) => {
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
