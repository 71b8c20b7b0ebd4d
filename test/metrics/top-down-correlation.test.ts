import { expect, test } from "vitest";
import { topDownCorrelation } from "../../src/metrics/correlation.ts";

/** All orders of 0 to n − 1. */
function orders(n: number): number[][] {
  if (n === 1) return [[0]];
  return orders(n - 1).flatMap((order) =>
    Array.from({ length: n }, (_, at) => order.toSpliced(at, 0, n - 1)),
  );
}

test("is 1 for equal orders, and equals Iman & Conover's (Σ S·S′ − n)/(n − S of the largest)", () => {
  const savage = [1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1 / 2, 1 / 4 + 1 / 3 + 1 / 2 + 1];
  for (const order of orders(4)) {
    const sum = order.reduce((total, rank, i) => total + savage[rank] * savage[i], 0);
    expect(topDownCorrelation([1, 2, 3, 4], order)).toBeCloseTo((sum - 4) / (4 - savage[3]), 12);
  }
  expect(topDownCorrelation([5, -1, 7], [50, 0, 60])).toBeCloseTo(1, 12);
});

test("has mean 0 and variance 1/(n − 1) over all orders", () => {
  const n = 7;
  const all = orders(n).map((order) => topDownCorrelation([...order.keys()], order));
  const mean = all.reduce((total, r) => total + r, 0) / all.length;
  expect(mean).toBeCloseTo(0, 12);
  expect(all.reduce((total, r) => total + r * r, 0) / all.length).toBeCloseTo(1 / (n - 1), 12);
});

test("weighs agreement at the top more than at the bottom", () => {
  const x = [1, 2, 3, 4, 5, 6];
  expect(topDownCorrelation(x, [2, 1, 3, 4, 5, 6])).toBeGreaterThan(
    topDownCorrelation(x, [1, 2, 3, 4, 6, 5]),
  );
});

test("equal values share their mean score; undefined for constants and single rows", () => {
  const [a, b] = [topDownCorrelation([1, 1, 2], [3, 4, 5]), topDownCorrelation([1, 1, 2], [4, 3, 5])];
  expect(a).toBeCloseTo(b, 12);
  expect(topDownCorrelation([1, 1], [1, 2])).toBeNaN();
  expect(topDownCorrelation([1], [1])).toBeNaN();
  expect(() => topDownCorrelation([1, 2], [1])).toThrow();
});
