import fc from "fast-check";
import { expect, test } from "vitest";
import {
  binomialUpperTail,
  incompleteBeta,
  normalQuantile,
  normalUpperTail,
  studentTQuantile,
  studentTUpperTail,
} from "../../src/metrics/distributions.ts";
import { expectClose, goldenSection, ownGolden } from "./golden.ts";

const file = ownGolden("distributions");

test.each(goldenSection<readonly { readonly z: number; readonly tail: number }[]>(file, "normalTails"))(
  "P(Z > $z) agrees with mpmath",
  ({ z, tail }) => {
    expectClose(normalUpperTail(z), tail, { relative: 2e-15 }, `tail of ${z}`);
  },
);

test.each(goldenSection<readonly { readonly p: number; readonly z: number }[]>(file, "normalQuantiles"))(
  "the quantile of $p agrees with mpmath",
  ({ p, z }) => {
    expectClose(normalQuantile(p), z, { relative: 1e-15, absolute: 1e-16 }, `quantile of ${p}`);
  },
);

test("the normal distribution: limits and arguments out of range", () => {
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  expect(normalQuantile(1.1)).toBeNaN();
  expect(normalQuantile(Number.NaN)).toBeNaN();
  expect(normalUpperTail(Number.NaN)).toBeNaN();
  expect(normalUpperTail(50)).toBe(0);
  expect(normalUpperTail(Number.POSITIVE_INFINITY)).toBe(0);
  expect(normalUpperTail(Number.NEGATIVE_INFINITY)).toBe(1);
});

test("the normal quantile inverts the tail", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-12, max: 0.5, noNaN: true }), (p) => {
      expectClose(normalUpperTail(-normalQuantile(p)), p, { relative: 1e-13 }, `there and back from ${p}`);
    }),
  );
});

interface TailGolden {
  readonly t: number;
  readonly dof: number;
  readonly tail: number;
}

test.each(goldenSection<readonly TailGolden[]>(ownGolden("distributions"), "tTails"))(
  "P(T > $t) with $dof degrees of freedom agrees with mpmath",
  ({ t, dof, tail }) => {
    expectClose(studentTUpperTail(t, dof), tail, { relative: 1e-13 }, `t ${t}, dof ${dof}`);
    expect(studentTUpperTail(-t, dof)).toBe(1 - studentTUpperTail(t, dof));
  },
);

test("Student's t: closed forms with one and with two degrees of freedom", () => {
  fc.assert(
    fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
      expect(studentTUpperTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 13);
      expect(studentTUpperTail(t, 2)).toBeCloseTo(0.5 - t / (2 * Math.sqrt(2 + t * t)), 13);
    }),
  );
});

test("Student's t: quantiles of the printed tables", () => {
  expect(studentTQuantile(0.025, 1)).toBeCloseTo(12.706, 3);
  expect(studentTQuantile(0.025, 2)).toBeCloseTo(4.303, 3);
  expect(studentTQuantile(0.025, 22)).toBeCloseTo(2.074, 3);
  expect(studentTQuantile(0.025, 1e9)).toBeCloseTo(1.96, 3);
});

test("Student's t: the quantile inverts the tail", () => {
  const probability = fc.double({ min: 1e-6, max: 0.499, noNaN: true });
  fc.assert(
    fc.property(probability, fc.integer({ min: 1, max: 500 }), (p, dof) => {
      expectClose(studentTUpperTail(studentTQuantile(p, dof), dof), p, { relative: 1e-11 }, `${p}, ${dof}`);
    }),
  );
});

test("Student's t: arguments out of range", () => {
  expect(studentTQuantile(0.5, 3)).toBeNaN();
  expect(studentTQuantile(0.025, 0)).toBeNaN();
  expect(studentTUpperTail(1, 0)).toBeNaN();
  expect(studentTUpperTail(Number.POSITIVE_INFINITY, 3)).toBe(0);
});

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

test("the binomial tail is the sum of the probabilities", () => {
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

test("the binomial tail: all of n, none of n, and more than n", () => {
  expectClose(binomialUpperTail(20, 20, 0.5), 2 ** -20, { relative: 1e-13 }, "all heads");
  expect(binomialUpperTail(0, 20, 0.5)).toBe(1);
  expect(binomialUpperTail(21, 20, 0.5)).toBe(0);
});

interface BetaGolden {
  readonly a: number;
  readonly b: number;
  readonly x: number;
  readonly value: number;
}

test.each(goldenSection<readonly BetaGolden[]>(ownGolden("distributions"), "incompleteBeta"))(
  "I($x; $a, $b) agrees with mpmath",
  ({ a, b, x, value }) => {
    expectClose(incompleteBeta(x, 1 - x, a, b), value, { relative: 2e-13 }, `I(${x}; ${a}, ${b})`);
  },
);

test("the incomplete beta function: I(x; 1, b) = 1 − (1 − x)^b and I(x; a, 1) = x^a", () => {
  const shape = fc.double({ min: 0.05, max: 300, noNaN: true });
  const inside = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
  fc.assert(
    fc.property(shape, inside, (s, x) => {
      expectClose(incompleteBeta(x, 1 - x, s, 1), x ** s, { relative: 1e-12, absolute: 1e-300 }, "x^a");
      expectClose(incompleteBeta(x, 1 - x, 1, s), -Math.expm1(s * Math.log1p(-x)), { relative: 1e-12 }, "b");
    }),
  );
});

test("the incomplete beta function: both tails sum to 1", () => {
  const shape = fc.double({ min: 0.1, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(shape, shape, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, x) => {
      expect(incompleteBeta(x, 1 - x, a, b) + incompleteBeta(1 - x, x, b, a)).toBeCloseTo(1, 12);
    }),
  );
});

test("the incomplete beta function: limits and arguments out of range", () => {
  expect(incompleteBeta(0, 1, 2, 3)).toBe(0);
  expect(incompleteBeta(1, 0, 2, 3)).toBe(1);
  expect(incompleteBeta(0.5, 0.5, 0, 1)).toBeNaN();
  expect(incompleteBeta(Number.NaN, Number.NaN, 1, 1)).toBeNaN();
});
