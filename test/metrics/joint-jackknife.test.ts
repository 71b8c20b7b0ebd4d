import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { aurocOver } from "../../src/metrics/auroc.ts";
import { drawDeviations, modelTiers, probabilitiesOfBest } from "../../src/metrics/best-model.ts";
import { compareOver, inferenceFrom } from "../../src/metrics/block-estimate.ts";
import { blocksBy, genomicBlocks } from "../../src/metrics/blocks.ts";
import { jackknifeError, leaveOutGroups } from "../../src/metrics/jackknife.ts";
import { JointJackknife } from "../../src/metrics/joint-jackknife.ts";
import { meanOver, sum } from "../../src/metrics/mean.ts";

const rng = new Pcg64(4);
const ROWS = 400;
const labels = Array.from({ length: ROWS }, (_, i) => (i % 3 === 0 ? 1 : 0));
const positions = labels.map((_, i) => {
  const start = 1_500_000 * Math.floor(i / 4);
  return { chrom: `chr${i % 4}`, start, end: start + 350 };
});
const blocks = genomicBlocks(positions);
const scores = [0, 0.4, 1.2].map((shift) => labels.map((label) => shift * label + normal(rng)));
const statistics = scores.map((one) => aurocOver(one, labels, blocks));
const jackknife = new JointJackknife(blocks, statistics);

test("a difference is that of compareOver, to the last bit", () => {
  for (const [i, j] of [
    [0, 1],
    [1, 2],
    [2, 0],
  ]) {
    const { estimate, pAgainst } = inferenceFrom(blocks, jackknife.difference(i, j));
    const { difference, p } = compareOver(blocks, statistics[i], statistics[j]);
    expect(estimate).toEqual(difference);
    expect(pAgainst(0)).toBe(p);
  }
});

test("contributions have the jackknife variance of values and of differences", () => {
  const { values, contributions } = jackknife.together();
  const found = leaveOutGroups(blocks, statistics[0]);
  expect(contributions[0]).toHaveLength(found.without.length);
  expect(Math.sqrt(sum(contributions[0].map((part) => part ** 2)))).toBeCloseTo(
    jackknifeError(values[0], found.without),
    14,
  );
  const pair = jackknife.difference(0, 2);
  const parts = contributions[0].map((part, group) => part - contributions[2][group]);
  expect(Math.sqrt(sum(parts.map((part) => part ** 2)))).toBeCloseTo(
    jackknifeError(pair.value, pair.without),
    14,
  );
});

describe("the best model", () => {
  test("of two: the probability is that of Student's t", () => {
    const outcomes = [0.5, 0.7].map((share) =>
      Float64Array.from(labels, () => (rng.nextFloat64() < share ? 1 : 0)),
    );
    const groups = blocksBy(
      labels.map((_, i) => i % 40),
      "block",
    );
    const pair = new JointJackknife(
      groups,
      outcomes.map((one) => meanOver(one, groups)),
    );
    const joint = pair.together();
    const draws = drawDeviations(joint, new Pcg64(1), 40_000);
    const { pAgainst } = inferenceFrom(groups, pair.difference(0, 1));
    const [first, second] = probabilitiesOfBest(joint.values, draws);
    expect(first + second).toBeCloseTo(1, 12);
    expect(first).toBeCloseTo(pAgainst(0) / 2, 2);
  });

  test("models with equal values share the probability", () => {
    const { values, contributions, dof } = jackknife.together();
    const twice = {
      values: Float64Array.of(values[2], values[2], values[0]),
      contributions: [contributions[2], contributions[2], contributions[0]],
      dof,
    };
    const draws = drawDeviations(twice, new Pcg64(2));
    const [a, b] = probabilitiesOfBest(twice.values, draws);
    expect(a).toBeCloseTo(b, 12);
  });
});

describe("tie groups", () => {
  /** p-values of pairs "01", "02", ... */
  const groupsOf = (values: readonly number[], p: Readonly<Record<string, number>>) =>
    modelTiers(values, (a, b) => p[`${Math.min(a, b)}${Math.max(a, b)}`]);

  test("of two models follow the two-sided test", () => {
    expect(groupsOf([0.7, 0.8], { "01": 0.05 })).toEqual([2, 1]);
    expect(groupsOf([0.7, 0.8], { "01": 0.051 })).toEqual([1, 1]);
    expect(groupsOf([0.7, 0.8], { "01": Number.NaN })).toEqual([1, 1]);
  });

  test("divide 5 % by the number of other models that are left", () => {
    const p = { "01": 0.04, "02": 0.02, "12": 0.04 };
    expect(groupsOf([0.9, 0.8, 0.7], p)).toEqual([1, 1, 2]);
    expect(groupsOf([0.9, 0.8, 0.7], { ...p, "01": 0.025 })).toEqual([1, 2, 3]);
    expect(groupsOf([0.9, 0.8, 0.7], { ...p, "01": 0.025, "12": 0.06 })).toEqual([1, 2, 2]);
  });

  test("never leave out a model for a worse one, nor one of equal value", () => {
    expect(groupsOf([0.8, 0.8, 0.2], { "01": 0, "02": 0, "12": 0 })).toEqual([1, 1, 2]);
    expect(groupsOf([0.5], {})).toEqual([1]);
  });
});
