import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { estimatedRounding, FLOAT32_ROUNDING, settleTies } from "../../src/metrics/ties.ts";

describe("rounding of scores", () => {
  test("is float32's where every score is a float32 number", () => {
    expect(estimatedRounding([Math.fround(-480.1), -3, 0], 350)).toBe(2 ** -23);
    // Neighbouring float32 numbers are at most the rounding apart.
    const one = new Float32Array([480]);
    new Uint32Array(one.buffer)[0] += 1;
    expect(one[0] - 480).toBeLessThanOrEqual(FLOAT32_ROUNDING * 480);
  });

  test("else bounds the effect of the summation order in float64", () => {
    expect(estimatedRounding([-480.1], 350)).toBe(350 * 2 ** -53);
    const logs = fc.array(fc.double({ min: -20, max: -1e-3, noNaN: true }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(logs, (terms) => {
        const add = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
        const [one, other] = [add(terms), add(terms.toSorted((a, b) => a - b))];
        expect(Math.abs(one - other)).toBeLessThanOrEqual(
          terms.length * 2 ** -53 * (Math.abs(one) + Math.abs(other)),
        );
      }),
    );
  });
});

test("ties pairs within the tolerance, which may differ between pairs", () => {
  const first = Float64Array.of(1, 2, 3, 4);
  const { second, tolerance, byRounding } = settleTies(
    first,
    Float64Array.of(1.1, 2.1, 3, 3.5),
    (i) => [0.2, 0.05, 0.3, 0.5][i],
  );
  expect([...second]).toEqual([1, 2.1, 3, 4]);
  expect({ tolerance, byRounding }).toEqual({ tolerance: 0.5, byRounding: 2 });
  expect([...first]).toEqual([1, 2, 3, 4]);
  expect(settleTies(new Float64Array(), new Float64Array(), () => 1).tolerance).toBe(0);
  expect(() => settleTies(first, Float64Array.of(1), () => 0)).toThrow(InputError);
});
