import fc from "fast-check";
import { expect, test } from "vitest";
import { incompleteBeta } from "../../../src/metrics/distributions.ts";
import { expectClose, goldenSection, ownGolden } from "../golden.ts";

interface Golden {
  readonly a: number;
  readonly b: number;
  readonly x: number;
  readonly value: number;
}

test.each(goldenSection<readonly Golden[]>(ownGolden("distributions"), "incompleteBeta"))(
  "I($x; $a, $b) agrees with mpmath",
  ({ a, b, x, value }) => {
    expectClose(incompleteBeta(x, 1 - x, a, b), value, { relative: 2e-13 }, `I(${x}; ${a}, ${b})`);
  },
);

test("closed forms: I(x; 1, b) = 1 − (1 − x)^b and I(x; a, 1) = x^a", () => {
  const shape = fc.double({ min: 0.05, max: 300, noNaN: true });
  const inside = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
  fc.assert(
    fc.property(shape, inside, (s, x) => {
      expectClose(incompleteBeta(x, 1 - x, s, 1), x ** s, { relative: 1e-12, absolute: 1e-300 }, "x^a");
      expectClose(incompleteBeta(x, 1 - x, 1, s), -Math.expm1(s * Math.log1p(-x)), { relative: 1e-12 }, "b");
    }),
  );
});

test("the two tails sum to 1", () => {
  const shape = fc.double({ min: 0.1, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(shape, shape, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, x) => {
      expect(incompleteBeta(x, 1 - x, a, b) + incompleteBeta(1 - x, x, b, a)).toBeCloseTo(1, 12);
    }),
  );
});

test("limits and arguments out of range", () => {
  expect(incompleteBeta(0, 1, 2, 3)).toBe(0);
  expect(incompleteBeta(1, 0, 2, 3)).toBe(1);
  expect(incompleteBeta(0.5, 0.5, 0, 1)).toBeNaN();
  expect(incompleteBeta(Number.NaN, Number.NaN, 1, 1)).toBeNaN();
});
