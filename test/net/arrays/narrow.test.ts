import fc from "fast-check";
import { expect, test } from "vitest";
import { narrowToFloat16, widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";

const allHalves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const isNaN16 = (bits: number) => (bits & 0x7fff) > 0x7c00;

test("every float16 survives a round trip", () => {
  const back = narrowToFloat16(widenToFloat32("float16", allHalves));
  const changed = allHalves.filter((bits, i) => back[i] !== bits && !isNaN16(bits));
  expect(changed).toEqual(new Uint16Array(0));
  expect(allHalves.filter((bits, i) => isNaN16(bits) && !isNaN16(back[i]))).toHaveLength(0);
});

test("rounds any other value to the nearest float16, ties to even", () => {
  // Positive finite values, in the order of their bits.
  const known = widenToFloat32("float16", allHalves.subarray(0, 0x7c00));
  fc.assert(
    fc.property(fc.float({ noNaN: true, min: 0, max: 65_519, minExcluded: false }), (value) => {
      const [bits] = narrowToFloat16(Float32Array.of(value));
      const off = (at: number) => Math.abs((known[at] ?? Number.POSITIVE_INFINITY) - value);
      const mine = off(bits!);
      for (const other of [bits! - 1, bits! + 1]) {
        expect(mine).toBeLessThanOrEqual(off(other));
        if (mine === off(other)) expect(bits! % 2).toBe(0);
      }
      expect(narrowToFloat16(Float32Array.of(-value))[0]).toBe(bits! | 0x8000);
    }),
    { numRuns: 2000 },
  );
});

test("limits of the range, as in IEEE 754", () => {
  const given = [
    65_504,
    65_519.996,
    65_520,
    1e30,
    2 ** -24,
    2 ** -25,
    2 ** -25 * 1.0001,
    6.1e-5,
    0,
    -0,
    1 / 3,
  ];
  expect([...narrowToFloat16(Float32Array.from(given))]).toEqual([
    0x7bff, 0x7bff, 0x7c00, 0x7c00, 1, 0, 1, 0x03ff, 0, 0x8000, 0x3555,
  ]);
  expect(isNaN16(narrowToFloat16(Float32Array.of(Number.NaN))[0])).toBe(true);
});
