import { expect, test } from "vitest";
import { float32Sum, sum } from "../../src/metrics/mean.ts";

/** Log-probabilities of bases: −ln 4 on average, different for each seed. */
const likelihoods = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => -1.386 - Math.sin((i + 1) * (seed + 1.37)));

test("adds whole numbers exactly", () => {
  expect(float32Sum([])).toBe(0);
  expect(float32Sum([7])).toBe(7);
  const numbers = Array.from({ length: 1000 }, (_, i) => i + 1);
  expect(float32Sum(numbers)).toBe(500_500);
});

test.each([350, 2115])("sums %i numbers to a float32 next to the exact sum", (count) => {
  for (let seed = 0; seed < 200; seed++) {
    const values = likelihoods(count, seed);
    const found = float32Sum(values);
    const exact = sum(values);
    expect(Math.fround(found)).toBe(found);
    const spacing = 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23);
    expect(Math.abs(found - exact)).toBeLessThanOrEqual(2.5 * spacing);
  }
});

test("makes sums equal that differ by less than the spacing of float32 numbers", () => {
  let ties = 0;
  for (let seed = 0; seed < 200; seed++) {
    const values = likelihoods(2115, seed);
    const other = values.slice();
    other[1057] += 3e-5;
    expect(sum(other)).not.toBe(sum(values));
    if (float32Sum(other) === float32Sum(values)) ties++;
  }
  // The spacing is 2.4e-4 at 2,900: about seven of eight such differences are lost.
  expect(ties).toBeGreaterThan(120);
});
