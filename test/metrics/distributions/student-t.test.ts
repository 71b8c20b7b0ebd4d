import fc from "fast-check";
import { expect, test } from "vitest";
import { studentTQuantile, studentTUpperTail } from "../../../src/metrics/distributions.ts";
import { expectClose, goldenSection, ownGolden } from "../golden.ts";

interface Golden {
  readonly t: number;
  readonly dof: number;
  readonly tail: number;
}

test.each(goldenSection<readonly Golden[]>(ownGolden("distributions"), "tTails"))(
  "P(T > $t) with $dof degrees of freedom agrees with mpmath",
  ({ t, dof, tail }) => {
    expectClose(studentTUpperTail(t, dof), tail, { relative: 1e-13 }, `t ${t}, dof ${dof}`);
    expect(studentTUpperTail(-t, dof)).toBe(1 - studentTUpperTail(t, dof));
  },
);

test("closed forms with one and with two degrees of freedom", () => {
  fc.assert(
    fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
      expect(studentTUpperTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 13);
      expect(studentTUpperTail(t, 2)).toBeCloseTo(0.5 - t / (2 * Math.sqrt(2 + t * t)), 13);
    }),
  );
});

test("quantiles of the printed tables", () => {
  expect(studentTQuantile(0.025, 1)).toBeCloseTo(12.706, 3);
  expect(studentTQuantile(0.025, 2)).toBeCloseTo(4.303, 3);
  expect(studentTQuantile(0.025, 22)).toBeCloseTo(2.074, 3);
  expect(studentTQuantile(0.025, 1e9)).toBeCloseTo(1.96, 3);
});

test("the quantile inverts the tail", () => {
  const probability = fc.double({ min: 1e-6, max: 0.499, noNaN: true });
  fc.assert(
    fc.property(probability, fc.integer({ min: 1, max: 500 }), (p, dof) => {
      expectClose(studentTUpperTail(studentTQuantile(p, dof), dof), p, { relative: 1e-11 }, `${p}, ${dof}`);
    }),
  );
});

test("arguments out of range", () => {
  expect(studentTQuantile(0.5, 3)).toBeNaN();
  expect(studentTQuantile(0.025, 0)).toBeNaN();
  expect(studentTUpperTail(1, 0)).toBeNaN();
  expect(studentTUpperTail(Number.POSITIVE_INFINITY, 3)).toBe(0);
});
