import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { integerBelow } from "../../src/base/random.ts";
import {
  adjustedMutualInformation,
  adjustedMutualInformationWithout,
} from "../../src/metrics/adjusted-mutual-information.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { jackknifeOf } from "../../src/metrics/jackknife.ts";
import { mean } from "../../src/metrics/mean.ts";
import { testWithSharedData } from "../shared-data.ts";
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

test("is about 0 for unrelated partitions", () => {
  const rng = new Pcg64(2);
  const scores = Array.from({ length: 40 }, () =>
    adjustedMutualInformation(
      Array.from({ length: 200 }, () => integerBelow(rng, 5)),
      Array.from({ length: 200 }, () => integerBelow(rng, 20)),
    ),
  );
  expect(Math.abs(mean(scores))).toBeLessThan(0.01);
});

test("scores the remaining rows without each block, which gives a jackknife interval", () => {
  const rng = new Pcg64(3);
  const labels = Array.from({ length: 120 }, () => integerBelow(rng, 4));
  const clusters = labels.map((label) => (integerBelow(rng, 3) > 0 ? label : integerBelow(rng, 8)));
  const blocks = blocksBy(
    labels.map((_, row) => row % 12),
    "genomic-block",
  );
  const found = adjustedMutualInformationWithout(labels, clusters, blocks);
  const others = labels.map((_, row) => row).filter((row) => row % 12 !== 5);
  expect(found.without[5]).toBeCloseTo(
    adjustedMutualInformation(
      others.map((row) => labels[row]),
      others.map((row) => clusters[row]),
    ),
    12,
  );
  const { value, low, high } = jackknifeOf(blocks, found);
  expect(value).toBe(adjustedMutualInformation(labels, clusters));
  expect(low > 0.1 && low < value && high > value && high < 0.9).toBe(true);
});

test("leaves out single rows as recomputed from scratch, and 25,000 rows within seconds", () => {
  const rng = new Pcg64(4);
  const labels = Array.from({ length: 40 }, () => integerBelow(rng, 3));
  const clusters = Array.from({ length: 40 }, () => integerBelow(rng, 4));
  const { without } = adjustedMutualInformationWithout(labels, clusters, singleRows(40));
  labels.forEach((_, left) => {
    const [a, b] = [labels, clusters].map((names) => names.filter((_, row) => row !== left));
    expect(without[left]).toBeCloseTo(adjustedMutualInformation(a, b), 12);
  });
  const many = Int32Array.from({ length: 25_000 }, (_, row) => row % 5);
  const began = performance.now();
  const found = adjustedMutualInformationWithout(
    many,
    many.map((label, row) => (row * 7919 + label) % 50),
    singleRows(25_000),
  );
  // Recomputing each score from scratch takes a minute.
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(found.without).toHaveLength(25_000);
  // A class's only row, a cluster's only row.
  const lone = adjustedMutualInformationWithout([0, 0, 1], [0, 0, 1], singleRows(3));
  expect([...lone.without]).toEqual([0, 0, 1]);
  expect(adjustedMutualInformationWithout([0], [0], singleRows(1)).without[0]).toBeNaN();
});

test("is undefined without rows", () => {
  expect(adjustedMutualInformation([], [])).toBeNaN();
});

test("rejects lengths that differ and values that are not cluster numbers", () => {
  expect(() => adjustedMutualInformation([0, 1], [0])).toThrow(InputError);
  expect(() => adjustedMutualInformation([0, 1], [0, -1])).toThrow(InputError);
});

const partitions = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 2, maxLength: 60 });

test("is symmetric, and invariant to the names of clusters", () => {
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

test("is 1 for equal partitions, unless every row is a cluster of its own", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 5, maxLength: 40 }), (labels) => {
      expect(adjustedMutualInformation(labels, labels)).toBeCloseTo(1, 9);
    }),
  );
  expect(adjustedMutualInformation([0, 1, 2], [0, 1, 2])).toBe(0);
});
