import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { pearson, pearsonOver, spearman, spearmanOver } from "../../src/metrics/correlation.ts";
import { expectClose } from "./golden.ts";

const rowsInBlocks = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
  minLength: 6,
  maxLength: 60,
});
const counts = fc.array(fc.nat(3), { minLength: 3, maxLength: 3 });

test.each([
  ["pearson", pearsonOver, pearson],
  ["spearman", spearmanOver, spearman],
] as const)("%s: counts a block twice like its rows listed twice", (name, over, plain) => {
  fc.assert(
    fc.property(rowsInBlocks, counts, (rows, times) => {
      const blocks = blocksBy(
        rows.map((_, i) => i % 3),
        "key",
      );
      const listed = rows.flatMap((row, i) => Array.from({ length: times[i % 3] }, () => row));
      const expected = plain(
        listed.map(([x]) => x),
        listed.map(([, y]) => y),
      ).r;
      const found = over(
        rows.map(([x]) => x),
        rows.map(([, y]) => y),
        blocks,
      )(Int32Array.from(times));
      expectClose(found, expected, { absolute: 1e-11 }, name);
    }),
  );
});

test("is undefined for blocks with constant values, also far from the overall mean", () => {
  const x = [0.1, 0.1, 0.1, 1e6, 2e6, 7e6];
  const y = [1, 2, 3, 4, 5, 7];
  const blocks = blocksBy(["a", "a", "a", "b", "b", "b"], "key");
  for (const over of [pearsonOver, spearmanOver]) {
    expect(over(x, y, blocks)(Int32Array.of(5, 0))).toBeNaN();
    expect(over(x, y, blocks)(Int32Array.of(0, 0))).toBeNaN();
    expect(over(x, y, blocks)(Int32Array.of(0, 1))).toBeGreaterThan(0.9);
  }
});

test("rejects pairs of another length than the blocks", () => {
  expect(() => pearsonOver([1, 2], [1, 2], singleRows(3))).toThrow(InputError);
  expect(() => spearmanOver([1, 2], [1, Number.NaN], singleRows(2))).toThrow(InputError);
});
