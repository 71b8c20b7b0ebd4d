import fc from "fast-check";
import { expect, test } from "vitest";
import { addDims, type Dim, dimTerms, knownSize, multiplyDims } from "../../../src/net/graph/dim.ts";

test("equal sizes are equal strings", () => {
  expect(multiplyDims("t", "b", 2)).toBe("2*b*t");
  expect(addDims("t", 3, "t", -1)).toBe("2*t+2");
  expect(addDims("b", multiplyDims(-1, "b"), 7)).toBe(7);
  expect(multiplyDims(addDims("t", 1), "b")).toBe("b+b*t");
  expect(multiplyDims()).toBe(1);
  expect(multiplyDims("b", 0)).toBe(0);
});

const sizes: Record<string, number> = { b: 3, t: 5, u: 7 };
const value = (dim: Dim) =>
  dimTerms(dim).reduce(
    (sum, { coefficient, symbols }) => sum + symbols.reduce((p, s) => p * sizes[s], coefficient),
    0,
  );

test("sums and products evaluate as written", () => {
  const leaf = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom("b", "t", "u"));
  fc.assert(
    fc.property(leaf, leaf, leaf, leaf, (p, q, r, s) => {
      const left: Dim = addDims(p, multiplyDims(q, r));
      expect(value(left) - value(p) - value(q) * value(r)).toBeCloseTo(0);
      expect(value(multiplyDims(left, addDims(r, s))) - value(left) * (value(r) + value(s))).toBeCloseTo(0);
      expect(addDims(p, q, r)).toBe(addDims(r, p, q));
    }),
  );
});

test("reports the name of a size that must be known", () => {
  expect(() => knownSize("2*t", "a kernel")).toThrow(/a kernel must have a size known .* 2\*t/);
});
