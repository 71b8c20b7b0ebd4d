import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { choice, integerBelow, normal, seedOf, shuffle, uniform } from "../../src/base/random.ts";

const N = 40_000;
const draws = (draw: (rng: Pcg64) => number) => {
  const rng = new Pcg64(17);
  return Float64Array.from({ length: N }, () => draw(rng));
};
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Bounds of five standard errors; the seed is fixed, so the outcome is deterministic.
test("uniform draws cover [low, high) evenly", () => {
  const values = draws((rng) => uniform(rng, -1, 3));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...values)).toBeLessThan(3);
  expect(Math.abs(mean(values) - 1)).toBeLessThan((5 * 4) / Math.sqrt(12 * N));
});

test("normal draws have the mean, standard deviation and tails of a normal distribution", () => {
  const values = draws((rng) => normal(rng, 10, 2));
  const z = values.map((value) => (value - 10) / 2);
  expect(Math.abs(mean(z))).toBeLessThan(5 / Math.sqrt(N));
  expect(Math.abs(mean(z.map((x) => x * x)) - 1)).toBeLessThan(5 * Math.sqrt(2 / N));
  expect(Math.abs(mean(z.map((x) => x ** 3)))).toBeLessThan(5 * Math.sqrt(15 / N));
  const beyond = z.filter((x) => Math.abs(x) > 1.959964).length / N;
  expect(Math.abs(beyond - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / N));
});

test.each([2, 3, 7, 8])("integerBelow(%i) is uniform", (n) => {
  const counts = new Array<number>(n).fill(0);
  for (const value of draws((rng) => integerBelow(rng, n))) counts[value] = counts[value] + 1;
  for (const count of counts) {
    expect(Math.abs(count / N - 1 / n)).toBeLessThan(5 * Math.sqrt(((1 / n) * (1 - 1 / n)) / N));
  }
});

test("integerBelow(1) draws nothing; integerBelow(2^32) uses a whole output", () => {
  const rng = new Pcg64(1);
  expect(integerBelow(rng, 1)).toBe(0);
  expect(integerBelow(rng, 2 ** 32)).toBe(new Pcg64(1).nextUint32());
});

test("choice returns one of the items", () => {
  const rng = new Pcg64(2);
  const seen = new Set(Array.from({ length: 100 }, () => choice(rng, ["a", "b", "c"])));
  expect([...seen].sort()).toEqual(["a", "b", "c"]);
});

test("shuffle keeps the items, and all orders of three are equally likely", () => {
  const rng = new Pcg64(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6_000; i++) {
    const items = ["a", "b", "c"];
    shuffle(rng, items);
    counts.set(items.join(""), (counts.get(items.join("")) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(5 * Math.sqrt(1_000));
});

test("refuses to draw from an empty set", () => {
  const rng = new Pcg64(4);
  expect(() => integerBelow(rng, 0)).toThrow(InputError);
  expect(() => integerBelow(rng, 1.5)).toThrow(InputError);
  expect(() => choice(rng, [])).toThrow("there is nothing to choose from");
});

const hex = (words: Uint32Array) =>
  [...words]
    .reverse()
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("");

// Right-hand sides: hashlib.sha256(repr(tuple).encode()).hexdigest()[32:], CPython 3.11.
test.each([
  [[0, "chr1", 181251, 181601], "3619bcfc2a4c8b871fb36eb73eb4ab72"],
  [[7], "48f6d1a5bd903c1be2c04491e4cc224c"],
  [[0, "it's"], "641833b9dc1c7a56a7610535f0f87423"],
  [["a\"b'c\\d", -5], "6ea170cd12ccfb54fb541655d4a4781e"],
  [["\\"], "315c28f6919e089c6263644a3d612ca7"],
  [[], "26ac6aa403ae6a8acb6cf58239fbaf5d"],
])("seedOf(%j) is the digest of Python's tuple", (parts, expected) => {
  expect(hex(seedOf(parts))).toBe(expected);
});

test("Pcg64 accepts the words of seedOf", () => {
  expect(new Pcg64(seedOf([0, "chr1", 181251, 181601])).nextUint64()).toBe(0x2e540dcc08e4a8adn);
});

test("-0 equals 0 in a seed", () => {
  expect(seedOf([-0])).toEqual(seedOf([0]));
});

test("refuses text that Python would quote differently", () => {
  expect(() => seedOf([0.5])).toThrow(InputError);
  expect(() => seedOf([2 ** 53])).toThrow(InputError);
  expect(() => seedOf(["chrÄ"])).toThrow("is not printable ASCII");
  expect(() => seedOf(["a\nb"])).toThrow(InputError);
});
