import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { InternalError } from "../../../src/base/errors.ts";
import { viewAs } from "../../../src/net/arrays/array.ts";
import { widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";

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
