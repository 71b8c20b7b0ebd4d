import { expect, test } from "vitest";
import { firstIndex, lowerBound } from "../../src/base/binary-search.ts";

test("lowerBound counts the values below", () => {
  expect([0, 1, 2, 5, 6].map((bound) => lowerBound([1, 2, 2, 5], bound))).toEqual([0, 0, 1, 3, 4]);
});

test("firstIndex finds the first index of a range at which a condition holds", () => {
  for (let first = 0; first <= 9; first++) {
    expect(firstIndex(2, 7, (i) => i >= first)).toBe(Math.min(7, Math.max(2, first)));
  }
});
