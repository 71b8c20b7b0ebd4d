import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow } from "../../../src/base/sample.ts";
import { adjustedMutualInformation } from "../../../src/evaluation/metrics/adjusted-mutual-information.ts";
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
