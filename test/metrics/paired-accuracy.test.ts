import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import {
  pairedAccuracy,
  pairedAccuracyEstimate,
  pairedCounts,
  pairedOutcomes,
} from "../../src/metrics/paired-accuracy.ts";

const first = [-310.5, -400, -200, -0, 7];
const second = [-320.5, -399, -200, 0, 6.5];

test("counts wins, ties and losses of five pairs under the three tie rules", () => {
  const counts = pairedCounts(first, second);
  expect(counts).toEqual({ wins: 2, ties: 2, losses: 1 });
  expect(pairedAccuracy(counts, "wrong")).toBe(0.4);
  expect(pairedAccuracy(counts)).toBe(0.6);
  expect(pairedAccuracy(counts, "correct")).toBe(0.8);
});

test("gives Wilson's interval over pairs", () => {
  expect(pairedAccuracyEstimate({ wins: 90, ties: 0, losses: 10 })).toMatchObject({
    value: 0.9,
    n: 100,
    method: "wilson",
  });
});

test("is 0.5 for a model that scores both members equally, and undefined without pairs", () => {
  expect(pairedAccuracy(pairedCounts([1, 2, 3], [1, 2, 3]))).toBe(0.5);
  expect(pairedAccuracy(pairedCounts([], []))).toBeNaN();
  expect(pairedAccuracyEstimate(pairedCounts([], [])).value).toBeNaN();
});

test("rejects unequal numbers of scores and scores that are not finite", () => {
  expect(() => pairedCounts([1, 2], [1])).toThrow(/2 first scores but 1 second scores/);
  expect(() => pairedCounts([1, Number.NaN], [1, 2])).toThrow(InputError);
  expect(() => pairedCounts([1], [Number.NEGATIVE_INFINITY])).toThrow(/second score 0 .* is -Infinity/);
});

test("is 1 − accuracy after swapping the members", () => {
  const scores = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(scores, (pairs) => {
      const a = pairs.map(([x]) => x);
      const b = pairs.map(([, y]) => y);
      const forth = pairedAccuracy(pairedCounts(a, b));
      expect(pairedAccuracy(pairedCounts(b, a))).toBeCloseTo(1 - forth, 12);
      const outcomes = pairedOutcomes(a, b);
      expect(outcomes.reduce((sum, outcome) => sum + outcome, 0) / outcomes.length).toBeCloseTo(forth, 12);
    }),
  );
});
