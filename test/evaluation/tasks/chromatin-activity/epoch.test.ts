import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  activityEpoch,
  checkEpochRecipe,
  interleaved,
  segment,
} from "../../../../src/evaluation/tasks/chromatin-activity/training.ts";

const rowsOf = (peaks: number, nonpeaks: number) =>
  Array.from({ length: peaks + nonpeaks }, (_, row) => ({
    facts: { set: row < peaks ? "peaks" : "nonpeaks" } as const,
  }));

const recipe = { negativeRatio: 10, negatives: "strided", order: "file", trainingSeed: 0 };
const negativesOf = (epoch: Int32Array, peaks: number) => [...epoch].filter((place) => place >= peaks);

describe("the rows of an epoch", () => {
  const rows = rowsOf(7, 43);

  test("are all peaks, and every tenth non-peak starting at the epoch's number", () => {
    for (const epoch of [0, 3, 9, 13]) {
      const seen = activityEpoch(rows, epoch, recipe);
      expect([...seen].filter((place) => place < 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      const from = epoch % 10;
      expect(negativesOf(seen, 7)).toEqual(
        Array.from({ length: from < 3 ? 5 : 4 }, (_, i) => 7 + from + 10 * i),
      );
    }
  });

  test("under Q3 are the same in every epoch, with the first tenth of the non-peaks", () => {
    const first = activityEpoch(rows, 0, { ...recipe, negatives: "first-segment" });
    expect(negativesOf(first, 7)).toEqual([7, 8, 9, 10]);
    expect(activityEpoch(rows, 6, { ...recipe, negatives: "first-segment" })).toEqual(first);
  });

  test("corrected, the tenths take turns", () => {
    const of = (epoch: number) => activityEpoch(rows, epoch, { ...recipe, negatives: "segments" });
    const seen = Array.from({ length: 10 }, (_, epoch) => negativesOf(of(epoch), 7)).flat();
    expect(seen).toEqual(Array.from({ length: 43 }, (_, i) => 7 + i));
    expect(of(10)).toEqual(of(0));
  });

  test("in ten epochs each non-peak is seen once, in whatever order", () => {
    fc.assert(
      fc.property(
        fc.nat(30),
        fc.nat(200),
        fc.constantFrom("strided", "segments"),
        fc.constantFrom("file", "shuffled"),
        fc.integer({ min: 1, max: 12 }),
        (peaks, nonpeaks, negatives, order, negativeRatio) => {
          const given = rowsOf(peaks, nonpeaks);
          const asked = { ...recipe, negatives, order, negativeRatio };
          const epochs = Array.from({ length: negativeRatio }, (_, epoch) =>
            activityEpoch(given, epoch, asked),
          );
          const seen = epochs.flatMap((epoch) => negativesOf(epoch, peaks)).sort((a, b) => a - b);
          expect(seen).toEqual(Array.from({ length: nonpeaks }, (_, i) => peaks + i));
          for (const epoch of epochs) {
            expect([...epoch].filter((place) => place < peaks)).toHaveLength(peaks);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("shuffled order differs by epoch and seed, and is reproducible", () => {
    const shuffled = { ...recipe, order: "shuffled" };
    const one = activityEpoch(rows, 0, shuffled);
    expect(activityEpoch(rows, 0, shuffled)).toEqual(one);
    expect([...activityEpoch(rows, 10, shuffled)]).not.toEqual([...one]);
    expect([...activityEpoch(rows, 10, shuffled)].sort()).toEqual([...one].sort());
    expect([...activityEpoch(rows, 0, { ...shuffled, trainingSeed: 1 })]).not.toEqual([...one]);
  });

  test("refuses an invalid recipe", () => {
    expect(() => checkEpochRecipe({ ...recipe, negativeRatio: 0 })).toThrow(
      /negativeRatio of the recipe is 0/,
    );
    expect(() => checkEpochRecipe({ ...recipe, negatives: "all" })).toThrow(
      /negatives of the recipe is "all"/,
    );
  });
});

test("segments are cut where NumPy's round(linspace(0, n, 11)) cuts", () => {
  const bounds = (n: number) => {
    const list = Array.from({ length: n }, (_, i) => i);
    return Array.from({ length: 10 }, (_, part) => segment(list, part, 10).length);
  };
  // Python: boundaries [round(i * (n / 10)) for i in range(11)], whose halves go to the even number as
  // NumPy's do.
  expect(bounds(5)).toEqual([0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
  expect(bounds(43)).toEqual([4, 5, 4, 4, 5, 4, 4, 4, 5, 4]);
  expect(bounds(100)).toEqual(new Array(10).fill(10));
});

describe("interleaved lists", () => {
  test("alternate by the share taken, ties to the smaller list", () => {
    expect(
      interleaved([
        ["a", "b", "c", "d"],
        ["x", "y"],
      ]),
    ).toEqual(["x", "a", "b", "y", "c", "d"]);
    expect(
      interleaved([
        ["a", "b"],
        ["x", "y"],
      ]),
    ).toEqual(["a", "x", "b", "y"]);
    expect(interleaved([["a"], []])).toEqual(["a"]);
    expect(interleaved<string>([[], []])).toEqual([]);
  });

  test("keep each list's order, and advance both at the same relative pace", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (n, m) => {
        const lists = [n, m].map((length, list) => Array.from({ length }, (_, i) => ({ list, i })));
        const taken = [0, 0];
        for (const { list, i } of interleaved(lists)) {
          expect(i).toBe(taken[list]);
          taken[list]++;
          expect(Math.abs(taken[0] / n - taken[1] / m)).toBeLessThanOrEqual(1 / Math.min(n, m) + 1e-12);
        }
        expect(taken).toEqual([n, m]);
      }),
    );
  });
});
