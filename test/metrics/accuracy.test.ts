import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { accuracy, accuracyEstimate, correctness, predictedClasses } from "../../src/metrics/accuracy.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS } from "./golden.ts";

testWithSharedData("agrees with scikit-learn", METRICS, (file) => {
  interface Golden {
    readonly name: string;
    readonly labels: readonly number[];
    readonly predictions: readonly number[];
    readonly accuracy: number;
  }
  const cases = goldenSection<readonly Golden[]>(file, "classification");
  for (const { name, labels, predictions, accuracy: expected } of cases) {
    expectClose(accuracy(predictions, labels), expected, {}, name);
  }
  expect(cases.length).toBe(25);
});

test("predicts the class with the largest logit, the lowest class on a tie", () => {
  const logits = { data: Float32Array.of(0, 2, 2, -1, -1, -1, 3, 1, 2), rows: 3, columns: 3 };
  expect(predictedClasses(logits)).toEqual(Int32Array.of(1, 0, 0));
});

test("two of three classes right", () => {
  expect([...correctness([0, 4, 2], [0, 3, 2])]).toEqual([1, 0, 1]);
  expect(accuracy([0, 4, 2], [0, 3, 2])).toBeCloseTo(2 / 3, 15);
  expect(accuracyEstimate([0, 4, 2], [0, 3, 2])).toMatchObject({ n: 3, method: "wilson" });
});

test("is undefined without rows", () => {
  expect(accuracy([], [])).toBeNaN();
  expect(accuracyEstimate([], []).value).toBeNaN();
});

test("rejects labels that are not classes, and logits that are not finite", () => {
  expect(() => accuracy([0.5], [1])).toThrow(/class of row 0 is 0.5/);
  expect(() => accuracy([1], [-1])).toThrow(InputError);
  expect(() => accuracy([1, 2], [1])).toThrow(InputError);
  expect(() => predictedClasses({ data: Float64Array.of(1, Number.NaN), rows: 1, columns: 2 })).toThrow(
    InputError,
  );
  expect(() => predictedClasses({ data: Float64Array.of(1, 2, 3), rows: 1, columns: 2 })).toThrow(
    /3 numbers/,
  );
});
