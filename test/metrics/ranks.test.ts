import fc from "fast-check";
import { expect, test } from "vitest";
import { averageRanks, ordinalRanks, tieCorrection, tieGroups } from "../../src/metrics/ranks.ts";

test("equal values share their mean rank, or get consecutive ranks in row order", () => {
  const values = [5, -0, 3, 0, 5, 5];
  expect([...averageRanks(values)]).toEqual([5, 1.5, 3, 1.5, 5, 5]);
  expect([...ordinalRanks(values)]).toEqual([3, 0, 2, 1, 4, 5]);
  expect(tieGroups(values)).toEqual({
    order: Uint32Array.of(1, 3, 2, 0, 4, 5),
    ends: Uint32Array.of(2, 3, 6),
  });
  expect(tieCorrection(tieGroups(values))).toBe(2 ** 3 - 2 + (3 ** 3 - 3));
});

test("no values have no ranks", () => {
  expect(averageRanks([])).toHaveLength(0);
  expect(tieGroups([]).ends).toHaveLength(0);
});

const tiedValues = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 50 });

test("a rank is one more than the values below it, plus half of the others equal to it", () => {
  fc.assert(
    fc.property(tiedValues, (values) => {
      const ranks = averageRanks(values);
      values.forEach((value, i) => {
        const below = values.filter((other) => other < value).length;
        const equal = values.filter((other) => other === value).length;
        expect(ranks[i]).toBe(below + 1 + (equal - 1) / 2);
      });
    }),
  );
});

test("ordinal ranks are a permutation that agrees with the values", () => {
  fc.assert(
    fc.property(tiedValues, (values) => {
      const ranks = [...ordinalRanks(values)];
      expect([...ranks].sort((a, b) => a - b)).toEqual(values.map((_, i) => i));
      values.forEach((value, i) => {
        values.forEach((other, j) => {
          if (value < other || (value === other && i < j)) expect(ranks[i]).toBeLessThan(ranks[j]);
        });
      });
    }),
  );
});
