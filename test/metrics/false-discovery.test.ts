import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { benjaminiHochberg, holm } from "../../src/metrics/false-discovery.ts";
import { expectClose, goldenSection, ownGolden } from "./golden.ts";

interface Golden {
  readonly p: readonly number[];
  readonly adjusted: readonly number[];
}

test.each(goldenSection<readonly Golden[]>(ownGolden("tests-and-intervals"), "falseDiscovery"))(
  "$p.length p-values agree with SciPy",
  ({ p, adjusted }) => {
    const found = benjaminiHochberg(p);
    adjusted.forEach((expected, i) => {
      expectClose(found[i], expected, { absolute: 1e-15 }, `p-value ${i}`);
    });
  },
);

test("four tests, by hand", () => {
  expect([...benjaminiHochberg([0.01, 0.04, 0.03, 0.5])]).toEqual(
    [0.04, 4 / 75, 4 / 75, 0.5].map((q) => expect.closeTo(q, 14)),
  );
});

test("keeps NaN and does not count it as a test", () => {
  expect([...benjaminiHochberg([0.01, Number.NaN, 0.04])]).toEqual([0.02, Number.NaN, 0.04]);
  expect(benjaminiHochberg([])).toHaveLength(0);
});

test("rejects values that are not probabilities", () => {
  expect(() => benjaminiHochberg([1.5])).toThrow(InputError);
});

test("is at least the p-value, at most 1, and in the same order", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) => {
      const q = benjaminiHochberg(p);
      p.forEach((value, i) => {
        expect(q[i] >= value && q[i] <= 1).toBe(true);
        p.forEach((other, j) => {
          if (value <= other) expect(q[i]).toBeLessThanOrEqual(q[j]);
        });
      });
    }),
  );
});

// statsmodels 0.14: multipletests(p, method="holm")
test("Holm's p-values agree with statsmodels", () => {
  const found = holm([0.01, 0.04, Number.NaN, 0.03, 0.005, 0.9]);
  expect([...found]).toEqual(
    [0.04, 0.09, Number.NaN, 0.09, 0.025, 0.9].map((p) => (Number.isNaN(p) ? p : expect.closeTo(p, 14))),
  );
  expect(() => holm([1.5])).toThrow(InputError);
});
