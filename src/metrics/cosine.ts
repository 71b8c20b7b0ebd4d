import { requireFinite, requireSameLength } from "./input-checks.ts";

const { fround } = Math;

/**
 * Cosine distance: 1 − a·b / √(a·a b·b), in float64; as `scipy.spatial.distance.cosine` of float64 vectors.
 *
 * @returns  in [0, 2]; 0 for the same direction; NaN when a vector is zero or empty
 * @throws {InputError} when lengths differ or an entry is not finite
 */
export function cosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  requireVectors(a, b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return Math.min(Math.max(1 - ab / Math.sqrt(aa * bb), 0), 2);
}

/**
 * Cosine distance of float32 vectors as the original computes it with SciPy 1.12 (quirk Q16): dot products in
 * float32, in the summation order of OpenBLAS's AVX2 kernel, the rest in float64. Bit-identical to NumPy on a
 * CPU with AVX2; other kernels sum in other orders with errors of the same size, 4e-8 to 5e-8 of a product of
 * 256 to 1,024 entries. Distances below about 1e-7 are rounding errors, which decide the order and the ties
 * of near neighbours.
 *
 * @returns  in [0, 2]; a distance that rounding makes negative loses its sign; NaN when a vector is zero or
 *           empty
 * @throws {InputError} when lengths differ or an entry is not finite
 */
export function paperCosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [first, second] = [Float32Array.from(a), Float32Array.from(b)];
  requireVectors(first, second);
  const squares = fround(float32Dot(first, first) * float32Dot(second, second));
  return Math.min(Math.abs(1 - float32Dot(first, second) / Math.sqrt(squares)), 2);
}

/** Running sums of the kernel: four registers of eight float32. */
const LANES = 32;

/**
 * Dot product in float32: 32 running sums by fused multiply-add, reduced within registers of eight (lane i
 * plus lane i + 4), over registers in pairs, then over neighbours; the remaining entries are added last.
 */
function float32Dot(a: Float32Array, b: Float32Array): number {
  const whole = a.length - (a.length % LANES);
  const sums = new Float32Array(LANES);
  for (let start = 0; start < whole; start += LANES) {
    // a·b is exact in float64, so storing the sum rounds once.
    for (let lane = 0; lane < LANES; lane++) sums[lane] += a[start + lane] * b[start + lane];
  }
  let rest = 0;
  for (let i = whole; i < a.length; i++) rest += fround(a[i] * b[i]);
  const half = (register: number, lane: number) =>
    fround(sums[8 * register + lane] + sums[8 * register + lane + 4]);
  const [p, q, r, s] = [0, 1, 2, 3].map((lane) =>
    fround(fround(half(0, lane) + half(1, lane)) + fround(half(2, lane) + half(3, lane))),
  );
  return fround(rest + fround(fround(p + q) + fround(r + s)));
}

function requireVectors(a: ArrayLike<number>, b: ArrayLike<number>): void {
  requireSameLength(a, b, ["entries of the first vector", "of the second"]);
  requireFinite(a, "the first vector's entry");
  requireFinite(b, "the second vector's entry");
}
