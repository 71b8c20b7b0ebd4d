import { gelu, mul, relu, sigmoid, silu, tanh } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

const geluTanh = (x: Sym) => gelu(x, "tanh");

/** Activation functions, by their names in Transformers' config.json. */
export const ACTIVATIONS = {
  gelu: (x: Sym) => gelu(x),
  gelu_python: (x: Sym) => gelu(x),
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  /** x·σ(1.702·x) */
  quick_gelu: (x: Sym) => mul(x, sigmoid(mul(x, 1.702))),
  relu,
  silu,
  swish: silu,
  tanh,
} as const satisfies Readonly<Record<string, (x: Sym) => Sym>>;

export type Activation = (x: Sym) => Sym;
