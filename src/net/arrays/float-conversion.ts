import { InternalError } from "../../base/errors.ts";
import type { DataOf, DType } from "./array.ts";

/**
 * Converts floats of another precision to float32. Exact for float16, bfloat16 and float8, infinities and NaN
 * included; float64 is rounded to nearest, and becomes infinite above 3.4e38.
 *
 * @throws {InternalError} for a type that is not a float
 */
export function widenToFloat32(dtype: DType, data: DataOf): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof Uint16Array || data instanceof Uint8Array) {
    switch (dtype) {
      case "bfloat16":
        return fromBits(data, (bits) => bits << 16);
      case "float16":
      case "float8_e5m2":
      case "float8_e4m3fn":
        return fromTable(data, tableOf(dtype));
    }
  }
  throw new InternalError(`${dtype} is not a float type`);
}

const tables = new Map<DType, Uint32Array>();

/** Float32 bits of every value of a small type, computed on first use. */
function tableOf(dtype: "float16" | "float8_e5m2" | "float8_e4m3fn"): Uint32Array {
  let found = tables.get(dtype);
  if (found === undefined) {
    if (dtype === "float16") found = ieeeTable(16, 5, 10);
    else found = dtype === "float8_e5m2" ? ieeeTable(8, 5, 2) : e4m3Table();
    tables.set(dtype, found);
  }
  return found;
}

type Bits = Uint16Array | Uint8Array;

function fromBits(data: Bits, float32Bits: (bits: number) => number): Float32Array {
  const bits = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = float32Bits(data[i]);
  return new Float32Array(bits.buffer);
}

/** Copies bits, not numbers, so that the payload of a NaN is kept. */
function fromTable(data: Bits, table: Uint32Array): Float32Array {
  const bits = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = table[data[i]];
  return new Float32Array(bits.buffer);
}

/** Float32 bits of every value of an IEEE 754 binary format of this width. */
function ieeeTable(width: number, exponentBits: number, fractionBits: number): Uint32Array {
  const asFloat = new Float32Array(1);
  const asBits = new Uint32Array(asFloat.buffer);
  const bias = 2 ** (exponentBits - 1) - 1;
  const topExponent = 2 ** exponentBits - 1;
  return Uint32Array.from({ length: 2 ** width }, (_, bits) => {
    const sign = bits >>> (width - 1);
    const exponent = (bits >>> fractionBits) & topExponent;
    const fraction = bits & (2 ** fractionBits - 1);
    if (exponent === topExponent)
      return ((sign << 31) | (0xff << 23) | (fraction << (23 - fractionBits))) >>> 0;
    asFloat[0] =
      exponent === 0
        ? fraction * 2 ** (1 - bias - fractionBits)
        : (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
    return (asBits[0] | (sign << 31)) >>> 0;
  });
}

/**
 * E4M3 "fn" has no infinity: the values of its top exponent are finite, except all ones, which is NaN.
 *
 * @see Micikevicius et al. 2022, arXiv:2209.05433, table 1
 */
function e4m3Table(): Uint32Array {
  const bits = ieeeTable(8, 4, 3);
  const topBinade = new Float32Array(bits.buffer);
  for (const sign of [0, 1]) {
    for (let fraction = 0; fraction < 7; fraction++) {
      topBinade[(sign << 7) | 0x78 | fraction] = (sign === 0 ? 1 : -1) * (1 + fraction / 8) * 2 ** 8;
    }
  }
  return bits;
}

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/**
 * Converts float32 to the bits of the nearest float16, ties to even (IEEE 754-2019, §4.3.1): 11 significant
 * bits from 6e-5, fixed steps of 6e-8 below, infinite from 65520. NaN stays NaN.
 */
export function narrowToFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  // A loop: `Uint16Array.from` with a function first copies the values to an array of numbers.
  for (let i = 0; i < values.length; i++) halves[i] = float16Bits(values[i]);
  return halves;
}

function float16Bits(value: number): number {
  asFloat[0] = value;
  const bits = asBits[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below the smallest normal float16, 2^-14, values are multiples of 2^-24.
  if (magnitude < 0x38800000) return sign | roundedToEven(Math.abs(asFloat[0]) * 2 ** 24);
  // The exponent bias is 15 instead of 127. Dropping 13 fraction bits may carry into the exponent.
  const rebiased = magnitude - 0x38000000;
  const isOdd = (rebiased >>> 13) & 1;
  return sign | ((rebiased + 0xfff + isOdd) >>> 13);
}

function roundedToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
