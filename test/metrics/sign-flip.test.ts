import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { blocksBy } from "../../src/metrics/blocks.ts";
import { leaveOutGroups } from "../../src/metrics/jackknife.ts";
import { meanOver } from "../../src/metrics/mean.ts";
import { signFlipP } from "../../src/metrics/sign-flip.ts";

const pOf = (keys: readonly number[], values: readonly number[]) => {
  const blocks = blocksBy(keys, "block");
  return signFlipP(leaveOutGroups(blocks, meanOver(values, blocks)), new Pcg64(0));
};

describe("sign-flip test of a mean", () => {
  // SciPy 1.17.1: permutation_test((d,), np.mean, permutation_type="samples", n_resamples=inf).pvalue
  const differences = [0.5, 1.25, -0.25, 2, 0.75, -0.5, 1, 0.25, 1.5, -0.75];

  test("has SciPy's exact p-value for ten rows", () => {
    expect(pOf([...differences.keys()], differences)).toBeCloseTo(0.091796875, 12);
  });

  test("flips the sums of blocks of unequal size", () => {
    // The sums 3, -1 and 2 of three blocks: two of the four patterns up to an overall sign reach |4|.
    expect(pOf([0, 0, 0, 1, 2, 2], [1, 1, 1, -1, 1, 1])).toBe(2 / 4);
  });

  test("random flips agree with the exact p-value", () => {
    const blocks = blocksBy([...Array(14).keys()], "block");
    const values = [...differences, 0.5, -1, 0.25, -0.125];
    const found = leaveOutGroups(blocks, meanOver(values, blocks));
    let extreme = 0;
    for (let pattern = 0; pattern < 2 ** 14; pattern++) {
      const total = values.reduce((sum, value, i) => sum + ((pattern >> i) & 1 ? -value : value), 0);
      if (Math.abs(total) >= Math.abs(values.reduce((sum, value) => sum + value))) extreme++;
    }
    expect(signFlipP(found, new Pcg64(3))).toBeCloseTo(extreme / 2 ** 14, 1.9);
  });

  test("is 1 for models with equal outcomes, NaN for one block", () => {
    expect(pOf([0, 1, 2], [0, 0, 0])).toBe(1);
    expect(pOf([0, 0, 0], [1, 2, 3])).toBeNaN();
  });
});
