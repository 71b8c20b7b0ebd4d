import { expect, test } from "vitest";
import {
  requireBinary,
  requireClasses,
  requireFinite,
  requireLevel,
  requireProportions,
  requireSameLength,
} from "../../src/metrics/input-checks.ts";

test("accepts valid and empty inputs", () => {
  requireSameLength([1, 2], [0, 1], ["scores", "labels"]);
  requireFinite([0, -1.5, 1e300], "score");
  requireProportions([0, 0.5, 1], "outcome");
  requireBinary([0, 1, -0]);
  requireClasses([0, 4, 2], 5);
  requireLevel(0.9);
  for (const check of [requireBinary, requireClasses]) check([]);
});

test("reports the row, the value and what was expected", () => {
  expect(() => requireSameLength([1], [1, 2], ["scores", "labels"])).toThrow(
    "1 scores but 2 labels: expected one of each per row",
  );
  expect(() => requireFinite([1, Number.NaN], "score")).toThrow(
    "score 1 (counted from 0) is NaN; expected a finite number",
  );
  expect(() => requireProportions([1, 1.5], "outcome")).toThrow(
    "the outcome of row 1 is 1.5; expected a number from 0 to 1",
  );
  expect(() => requireBinary([0, 1, 2])).toThrow(
    "the label of row 2 is 2; expected 1 (positive) or 0 (negative)",
  );
  expect(() => requireClasses([0, 5], 5)).toThrow(
    "the class of row 1 is 5; expected a whole number from 0 to 4",
  );
  expect(() => requireClasses([0.5])).toThrow("the class of row 0 is 0.5; expected a whole number from 0");
  expect(() => requireLevel(95)).toThrow(/0.95 for 95 %/);
});
