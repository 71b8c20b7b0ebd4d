import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { choice, integerBelow, normal, shuffle, uniform } from "../../src/base/random.ts";

const N = 40_000;
const draws = (draw: (rng: Pcg64) => number) => {
  const rng = new Pcg64(17);
  return Float64Array.from({ length: N }, () => draw(rng));
};
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Bounds of five standard errors: one seed, so the outcome never changes.
test("uniform draws fill [low, high) evenly", () => {
  const values = draws((rng) => uniform(rng, -1, 3));
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...values)).toBeLessThan(3);
  expect(Math.abs(mean(values) - 1)).toBeLessThan((5 * 4) / Math.sqrt(12 * N));
});

test("normal draws have the mean, the deviation and the tails of a normal", () => {
  const values = draws((rng) => normal(rng, 10, 2));
  const z = values.map((value) => (value - 10) / 2);
  expect(Math.abs(mean(z))).toBeLessThan(5 / Math.sqrt(N));
  expect(Math.abs(mean(z.map((x) => x * x)) - 1)).toBeLessThan(5 * Math.sqrt(2 / N));
  expect(Math.abs(mean(z.map((x) => x ** 3)))).toBeLessThan(5 * Math.sqrt(15 / N));
  const beyond = z.filter((x) => Math.abs(x) > 1.959964).length / N;
  expect(Math.abs(beyond - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / N));
});

test.each([2, 3, 7, 8])("each of %i whole numbers is equally likely", (n) => {
  const counts = new Array<number>(n).fill(0);
  for (const value of draws((rng) => integerBelow(rng, n))) counts[value] = counts[value] + 1;
  for (const count of counts) {
    expect(Math.abs(count / N - 1 / n)).toBeLessThan(5 * Math.sqrt(((1 / n) * (1 - 1 / n)) / N));
  }
});

test("one number needs no draw; 2^32 numbers take a whole output", () => {
  const rng = new Pcg64(1);
  expect(integerBelow(rng, 1)).toBe(0);
  expect(integerBelow(rng, 2 ** 32)).toBe(new Pcg64(1).nextUint32());
});

test("a choice is one of the items", () => {
  const rng = new Pcg64(2);
  const seen = new Set(Array.from({ length: 100 }, () => choice(rng, ["a", "b", "c"])));
  expect([...seen].sort()).toEqual(["a", "b", "c"]);
});

test("a shuffle keeps the items, and reaches every order of three evenly", () => {
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

test("nothing to draw from is refused", () => {
  const rng = new Pcg64(4);
  expect(() => integerBelow(rng, 0)).toThrow(InputError);
  expect(() => integerBelow(rng, 1.5)).toThrow(InputError);
  expect(() => choice(rng, [])).toThrow("there is nothing to choose from");
});
