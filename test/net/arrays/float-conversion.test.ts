import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { InternalError } from "../../../src/base/errors.ts";
import { viewAs } from "../../../src/net/arrays/array.ts";
import { narrowToFloat16, widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";

// scripts/golden/torch_checkpoint.py hashed PyTorch's conversion of every value of each type.
const { everyValue } = JSON.parse(
  readFileSync(new URL("../../golden/torch/expected.json", import.meta.url), "utf8"),
) as { everyValue: Record<string, string> };

test.each([
  ["float16", Uint16Array],
  ["bfloat16", Uint16Array],
  ["float8_e4m3fn", Uint8Array],
  ["float8_e5m2", Uint8Array],
] as const)("every value of %s becomes the float32 that PyTorch gives", (dtype, Bits) => {
  const patterns = new Bits(2 ** (8 * Bits.BYTES_PER_ELEMENT)).map((_, i) => i);
  const wide = widenToFloat32(dtype, patterns).map((value) => (Number.isNaN(value) ? Number.NaN : value));
  expect(sha256Hex(new Uint8Array(wide.buffer))).toBe(everyValue[dtype]);
});

test("rounds float64 to the nearest float32", () => {
  expect(widenToFloat32("float64", Float64Array.of(1 / 3, 1e300, -0))).toEqual(
    Float32Array.of(Math.fround(1 / 3), Number.POSITIVE_INFINITY, -0),
  );
});

test("does not copy float32", () => {
  const data = new Float32Array(3);
  expect(widenToFloat32("float32", data)).toBe(data);
});

test("integers are not floats", () => {
  expect(() => widenToFloat32("int64", new BigInt64Array(1))).toThrow(InternalError);
});

test("copies unaligned bytes and views others in place", () => {
  const bytes = new Uint8Array(new Float32Array([0, 1.5, 2.5]).buffer);
  expect(viewAs("float32", bytes.subarray(4)).buffer).toBe(bytes.buffer);
  const shifted = new Uint8Array([0, ...bytes]).subarray(1);
  expect(viewAs("float32", shifted)).toEqual(Float32Array.of(0, 1.5, 2.5));
});

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
      const mine = off(bits);
      for (const other of [bits - 1, bits + 1]) {
        expect(mine).toBeLessThanOrEqual(off(other));
        if (mine === off(other)) expect(bits % 2).toBe(0);
      }
      expect(narrowToFloat16(Float32Array.of(-value))[0]).toBe(bits | 0x8000);
    }),
    { numRuns: 2000 },
  );
});

test("rounds the middle of two neighbouring float16 to the even one", () => {
  const known = widenToFloat32("float16", allHalves.subarray(0, 0x7c00));
  const middles = Float32Array.from(known.subarray(1), (above, i) => (known[i] + above) / 2);
  const even = Uint16Array.from(middles, (_, i) => i + (i % 2));
  expect(narrowToFloat16(middles)).toEqual(even);
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
