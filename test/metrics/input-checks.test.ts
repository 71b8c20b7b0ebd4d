import { expect, test } from "vitest";
import {
  requireBinary,
  requireClasses,
  requireFinite,
  requireLevel,
  requireSameLength,
  requireShares,
} from "../../src/metrics/input-checks.ts";

test("what is right passes, nothing too", () => {
  requireSameLength([1, 2], [0, 1], ["scores", "labels"]);
  requireFinite([0, -1.5, 1e300], "score");
  requireShares([0, 0.5, 1], "outcome");
  requireBinary([0, 1, -0]);
  requireClasses([0, 4, 2], 5);
  requireLevel(0.9);
  for (const check of [requireBinary, requireClasses]) check([]);
});

test("what is wrong is named: which, what came, what was expected", () => {
  expect(() => requireSameLength([1], [1, 2], ["scores", "labels"])).toThrow(
    "1 scores but 2 labels: one of each is needed per row",
  );
  expect(() => requireFinite([1, Number.NaN], "score")).toThrow(
    "score 1 (counted from 0) is NaN; a finite number is needed",
  );
  expect(() => requireShares([1, 1.5], "outcome")).toThrow(
    "the outcome of row 1 is 1.5; a number from 0 to 1 is needed",
  );
  expect(() => requireBinary([0, 1, 2])).toThrow(
    "the label of row 2 is 2; 1 (positive) or 0 (negative) is needed",
  );
  expect(() => requireClasses([0, 5], 5)).toThrow(
    "the class of row 1 is 5; a whole number from 0 to 4 is needed",
  );
  expect(() => requireClasses([0.5])).toThrow("the class of row 0 is 0.5; a whole number from 0 is needed");
  expect(() => requireLevel(95)).toThrow(/0.95 for 95 %/);
});
