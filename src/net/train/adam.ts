import { add, div, mul, sqrt, sub } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

/** Settings of Adam, with PyTorch's names and defaults. */
export interface AdamOptions {
  readonly learningRate: number;
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  /** Decoupled weight decay, as in AdamW; 0 is plain Adam. */
  readonly weightDecay?: number;
}

export interface AdamSettings {
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
}

export function adamSettings(options: AdamOptions): AdamSettings {
  return { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0, ...options };
}

/** Numbers that depend on the step, fed as scalars. */
export interface AdamScalars {
  /** learning rate / (1 − β₁ᵗ) */
  readonly stepSize: Sym;
  /** 1 / √(1 − β₂ᵗ) */
  readonly secondScale: Sym;
}

/** Values of the scalars at a step, counted from 1; in float64, as in PyTorch. */
export function adamScalarsAt({ learningRate, betas }: AdamSettings, step: number) {
  return {
    stepSize: learningRate / (1 - betas[0] ** step),
    secondScale: 1 / Math.sqrt(1 - betas[1] ** step),
  };
}

export interface AdamState {
  readonly parameter: Sym;
  /** First and second moments, of the parameter's shape. */
  readonly m: Sym;
  readonly v: Sym;
}

/**
 * One step of Adam, or of AdamW with weight decay: θ ← θ·(1 − lr·λ), then θ ← θ − (lr / (1 − β₁ᵗ)) · m / (√v
 * / √(1 − β₂ᵗ) + ε), with m and v updated first. The order of operations is PyTorch's (Kingma & Ba 2014,
 * arXiv:1412.6980; Loshchilov & Hutter 2019).
 */
export function adamStep(
  { parameter, m, v }: AdamState,
  gradient: Sym,
  { learningRate, betas, epsilon, weightDecay }: AdamSettings,
  { stepSize, secondScale }: AdamScalars,
): AdamState {
  const decayed = weightDecay === 0 ? parameter : mul(parameter, 1 - learningRate * weightDecay);
  const first = add(mul(m, betas[0]), mul(gradient, 1 - betas[0]));
  const second = add(mul(v, betas[1]), mul(mul(gradient, gradient), 1 - betas[1]));
  const denominator = add(mul(sqrt(second), secondScale), epsilon);
  return { parameter: sub(decayed, mul(stepSize, div(first, denominator))), m: first, v: second };
}
