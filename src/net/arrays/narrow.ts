const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/**
 * Float32 values as the bits of the nearest float16, ties to even (IEEE 754-2019, §4.3.1): 11 significant bits from 6e-5 on,
 * fixed steps of 6e-8 below, infinite from 65520 on. NaN stays NaN.
 */
export function narrowToFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, float16Bits);
}

function float16Bits(value: number): number {
  asFloat[0] = value;
  const bits = asBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below the smallest normal float16, 2^-14, a value is a number of steps of 2^-24.
  if (magnitude < 0x38800000) return sign | roundedToEven(Math.abs(asFloat[0]!) * 2 ** 24);
  // The exponent is counted from 15 instead of 127; 13 bits of the fraction go, and a carry is one exponent more.
  const halves = (magnitude - 0x38000000) / 2 ** 13;
  return sign | roundedToEven(halves);
}

function roundedToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
