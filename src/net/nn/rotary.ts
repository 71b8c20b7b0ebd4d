import { add, concat, cos, mul, sin, split, sub, unsqueeze } from "../graph/build.ts";
import { knownSize } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch (or 1) · h heads · t tokens (or queries) · c width of a head

/** Cosines and sines of the angles by which tokens are turned: [b, 1, t, c/2]. */
export interface Turn {
  readonly cos: Sym;
  readonly sin: Sym;
}

/** θⱼ = base^(−2j/c), j = 0 … c/2 − 1: the angle per place of each pair of columns. */
export function rotaryFrequencies(headWidth: number, base = 10_000): Float32Array {
  return Float32Array.from({ length: headWidth / 2 }, (_, j) => base ** ((-2 * j) / headWidth));
}

/**
 * @param places       of the tokens: float32 [b, t]
 * @param frequencies  [c/2]
 */
export function turnAt(places: Sym, frequencies: Sym): Turn {
  const angles = unsqueeze(mul(unsqueeze(places, 2), frequencies), 1);
  return { cos: cos(angles), sin: sin(angles) };
}

/**
 * Turns each pair of columns (j, j + c/2) by the angle of its token (Su et al. 2021, arXiv:2104.09864, eq. 34, with the
 * pairs taken from the two halves of the head).  x: [b, h, t, c] → [b, h, t, c]
 */
export function turned(x: Sym, { cos, sin }: Turn): Sym {
  const half = knownSize(x.shape[3]!, "the width of a head") / 2;
  const [a, b] = split(x, -1, [half, half]) as readonly [Sym, Sym];
  return concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], -1);
}
