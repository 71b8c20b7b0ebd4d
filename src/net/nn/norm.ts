import { add, div, layerNormalization, mul, pow, reduceMean, sqrt } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

/** Scale and shift of a normalisation over the last axis. */
export interface Norm {
  /** [width] */
  readonly weight: Sym;
  /** [width] */
  readonly bias?: Sym | undefined;
}

/**
 * (x − mean(x)) / √(var(x) + ε) · weight + bias over the last axis, with the biased variance (Ba et al. 2016,
 * arXiv:1607.06450).
 */
export const layerNorm = ({ weight, bias }: Norm, x: Sym, epsilon: number) =>
  layerNormalization(x, weight, bias, epsilon);

/** x / √(mean(x²) + ε) · weight over the last axis (Zhang & Sennrich 2019, arXiv:1910.07467). */
export const rmsNorm = ({ weight }: Norm, x: Sym, epsilon: number) =>
  mul(div(x, sqrt(add(reduceMean(pow(x, 2), [-1], { keepDims: true }), epsilon))), weight);
