import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addDims,
  chunkedSize,
  chunksOf,
  type Dim,
  dimTerms,
  knownSize,
  multiplyDims,
} from "../../../src/net/graph/dim.ts";

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

test("the error names the size that must be known", () => {
  expect(() => knownSize("2*t", "a kernel")).toThrow(/a kernel must have a size known .* 2\*t/);
});

test("the number of chunks is a symbol with its size and length", () => {
  expect(chunksOf(65, 64)).toBe(2);
  expect(chunksOf(64, 64)).toBe(1);
  const count = chunksOf("t", 64);
  expect(multiplyDims(count, 64)).toBe("64*ceil(t/64)");
  expect(chunkedSize(String(count))).toEqual({ of: "t", length: 64 });
  expect(chunkedSize("t")).toBeUndefined();
  expect(() => chunksOf("t+1", 64)).toThrow(/chunks of the size t\+1/);
});
