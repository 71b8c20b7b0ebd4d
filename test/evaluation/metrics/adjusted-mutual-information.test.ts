import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow } from "../../../src/base/sample.ts";
import {
  adjustedMutualInformation,
  adjustedMutualInformationOver,
} from "../../../src/evaluation/metrics/adjusted-mutual-information.ts";
import { blocksBy } from "../../../src/evaluation/metrics/blocks.ts";
import { blockJackknife } from "../../../src/evaluation/metrics/jackknife.ts";
import { mean } from "../../../src/evaluation/metrics/sum.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

testWithSharedData("agrees with scikit-learn", METRICS, (file) => {
  interface Golden {
    readonly name: string;
    readonly labels_true: readonly number[];
    readonly labels_pred: readonly number[];
    readonly ami: number;
  }
  const cases = goldenSection<readonly Golden[]>(file, "ami");
  for (const { name, labels_true, labels_pred, ami } of cases) {
    expectClose(adjustedMutualInformation(labels_true, labels_pred), ami, { absolute: 1e-12 }, name);
  }
  expect(cases.length).toBe(10);
});

interface Partition {
  readonly labels: readonly number[];
  readonly clusters: readonly number[];
  readonly ami: number;
}

test.each(goldenSection<readonly Partition[]>(ownGolden("clustering"), "partitions"))(
  "$labels.length rows: agrees with scikit-learn 1.4.2, as the benchmark pins it",
  ({ labels, clusters, ami }) => {
    expectClose(adjustedMutualInformation(labels, clusters), ami, { absolute: 1e-12 }, "AMI");
  },
);

test("about 0 for partitions that have nothing to do with each other", () => {
  const rng = new Pcg64(2);
  const scores = Array.from({ length: 40 }, () =>
    adjustedMutualInformation(
      Array.from({ length: 200 }, () => integerBelow(rng, 5)),
      Array.from({ length: 200 }, () => integerBelow(rng, 20)),
    ),
  );
  expect(Math.abs(mean(scores))).toBeLessThan(0.01);
});

test("a block left out is a score of the other rows, and a jackknife gives the interval", () => {
  const rng = new Pcg64(3);
  const labels = Array.from({ length: 120 }, () => integerBelow(rng, 4));
  const clusters = labels.map((label) => (integerBelow(rng, 3) > 0 ? label : integerBelow(rng, 8)));
  const blocks = blocksBy(
    labels.map((_, row) => row % 12),
    "genomic-block",
  );
  const over = adjustedMutualInformationOver(labels, clusters, blocks);
  const without = new Int32Array(12).fill(1);
  without[5] = 0;
  const others = labels.map((_, row) => row).filter((row) => row % 12 !== 5);
  expect(over(without)).toBeCloseTo(
    adjustedMutualInformation(
      others.map((row) => labels[row]!),
      others.map((row) => clusters[row]!),
    ),
    12,
  );
  const { value, low, high } = blockJackknife(blocks, over);
  expect(value).toBe(adjustedMutualInformation(labels, clusters));
  expect(low > 0.1 && low < value && high > value && high < 0.9).toBe(true);
});

test("no rows: undefined", () => {
  expect(adjustedMutualInformation([], [])).toBeNaN();
});

test("refuses lengths that differ and what are no cluster numbers", () => {
  expect(() => adjustedMutualInformation([0, 1], [0])).toThrow(InputError);
  expect(() => adjustedMutualInformation([0, 1], [0, -1])).toThrow(InputError);
});

const partitions = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 2, maxLength: 60 });

test("symmetric, and blind to the names of clusters", () => {
  fc.assert(
    fc.property(partitions, (rows) => {
      const a = rows.map(([x]) => x);
      const b = rows.map(([, y]) => y);
      const score = adjustedMutualInformation(a, b);
      expect(adjustedMutualInformation(b, a)).toBeCloseTo(score, 9);
      expect(
        adjustedMutualInformation(
          a.map((x) => 17 - 3 * x),
          b,
        ),
      ).toBeCloseTo(score, 9);
      expect(score).toBeLessThanOrEqual(1 + 1e-12);
    }),
  );
});

test("1 for a partition and itself, unless every row stands alone", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 5, maxLength: 40 }), (labels) => {
      expect(adjustedMutualInformation(labels, labels)).toBeCloseTo(1, 9);
    }),
  );
  expect(adjustedMutualInformation([0, 1, 2], [0, 1, 2])).toBe(0);
});
