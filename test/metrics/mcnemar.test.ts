import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { mcnemar } from "../../src/metrics/accuracy.ts";
import { expectClose, goldenSection, ownGolden } from "./golden.ts";

/** Outcomes with so many rows that only one of the models gets right, 7 that both do and 9 that neither does. */
function outcomes(onlyFirst: number, onlySecond: number): [number[], number[]] {
  const rows = [
    ...Array.from({ length: 7 }, () => [1, 1]),
    ...Array.from({ length: onlyFirst }, () => [1, 0]),
    ...Array.from({ length: onlySecond }, () => [0, 1]),
    ...Array.from({ length: 9 }, () => [0, 0]),
  ];
  return [rows.map((row) => row[0]), rows.map((row) => row[1])];
}

interface Golden {
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly p: number;
}

test.each(goldenSection<readonly Golden[]>(ownGolden("tests-and-intervals"), "mcnemar"))(
  "$onlyFirst against $onlySecond: the exact p agrees with statsmodels",
  ({ onlyFirst, onlySecond, p }) => {
    const found = mcnemar(...outcomes(onlyFirst, onlySecond));
    expect(found).toMatchObject({ onlyFirst, onlySecond });
    expectClose(found.p, p, { relative: 1e-12 }, "p");
    expect(found.difference.value).toBeCloseTo((onlyFirst - onlySecond) / (16 + onlyFirst + onlySecond), 14);
  },
);

test("one row that tells the models apart proves nothing, five in a row a little", () => {
  expect(mcnemar([1], [0]).p).toBe(1);
  expect(mcnemar([1, 1, 1, 1, 1], [0, 0, 0, 0, 0]).p).toBeCloseTo(2 / 32, 14);
});

test("equal models differ by 0, with an interval that is no point; no rows are undefined", () => {
  const same = mcnemar([1, 0, 1], [1, 0, 1]);
  expect(same).toMatchObject({ p: 1, difference: { value: 0, n: 3 } });
  expect(same.difference.low).toBeLessThan(-0.2);
  expect(mcnemar([], []).difference).toMatchObject({ value: Number.NaN, low: Number.NaN });
});

test("the interval of the difference covers", () => {
  const rng = new Pcg64(14);
  let covered = 0;
  for (let run = 0; run < 500; run++) {
    const first = Array.from({ length: 100 }, () => (rng.nextFloat64() < 0.9 ? 1 : 0));
    const second = first.map((right) => (rng.nextFloat64() < 0.85 ? right : rng.nextFloat64() < 0.5 ? 1 : 0));
    // P(second right) = 0.85 · 0.9 + 0.15 · 0.5.
    const truth = 0.9 - (0.85 * 0.9 + 0.075);
    const { low, high } = mcnemar(first, second).difference;
    if (low <= truth && truth <= high) covered++;
  }
  expect(covered / 500).toBeGreaterThan(0.92);
});

test("refuses outcomes other than right and wrong", () => {
  expect(() => mcnemar([0.5], [1])).toThrow(InputError);
  expect(() => mcnemar([1, 1], [1])).toThrow(InputError);
});
