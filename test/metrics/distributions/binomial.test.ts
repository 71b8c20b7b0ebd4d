import fc from "fast-check";
import { expect, test } from "vitest";
import { binomialUpperTail } from "../../../src/metrics/distributions.ts";
import { expectClose } from "../golden.ts";

/** P(X >= k), summed term by term. */
function summed(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let total = 0;
  for (let i = 0; i <= n; i++) {
    if (i >= k) total += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return total;
}

test("equals the sum of the binomial probabilities", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      fc.double({ min: 0.01, max: 0.9, noNaN: true }),
      (n, k, p) => {
        expectClose(
          binomialUpperTail(k, n, p),
          k > n ? 0 : summed(k, n, p),
          { relative: 1e-10 },
          `${k} ${n} ${p}`,
        );
      },
    ),
  );
});

test("closed forms: all of n, none of n, and more than n", () => {
  expectClose(binomialUpperTail(20, 20, 0.5), 2 ** -20, { relative: 1e-13 }, "all heads");
  expect(binomialUpperTail(0, 20, 0.5)).toBe(1);
  expect(binomialUpperTail(21, 20, 0.5)).toBe(0);
});
