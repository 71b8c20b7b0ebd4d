import { requireFinite, requireSameLength } from "./input-checks.ts";

const { fround } = Math;

/**
 * Cosine distance: 1 − a·b / √(a·a b·b), in float64; as `scipy.spatial.distance.cosine` of float64 vectors.
 *
 * @returns  in [0, 2]; 0 for the same direction; NaN when a vector is zero or empty
 * @throws {InputError} when lengths differ or an entry is not finite
 */
export function cosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return distance(a, b, (value) => value);
}

/**
 * Cosine distance as the original computes it: sums in float32, the rest in float64 (quirk Q16). Distances below about
 * 1e-7 are noise of rounding, which ties and swaps of close neighbours come from. Adds in order of the entries; the
 * original's order was its library's own, so the last digits differ.
 *
 * @throws {InputError} when lengths differ or an entry is not finite
 */
export function paperCosineDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return distance(Float32Array.from(a), Float32Array.from(b), fround);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>, round: (value: number) => number): number {
  requireSameLength(a, b, ["entries of the first vector", "of the second"]);
  requireFinite(a, "the first vector's entry");
  requireFinite(b, "the second vector's entry");
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab = round(ab + round(a[i]! * b[i]!));
    aa = round(aa + round(a[i]! * a[i]!));
    bb = round(bb + round(b[i]! * b[i]!));
  }
  return Math.min(Math.max(1 - ab / Math.sqrt(round(aa * bb)), 0), 2);
}
