import { sha256Hex } from "../../base/digest.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { uniform } from "../../base/random.ts";
import { elementCount, type NdArray } from "../arrays/array.ts";
import { parameter } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import type { Convolution } from "./convolution.ts";
import type { Linear } from "./linear.ts";

/** A parameter of a layer that is trained from scratch. */
export interface FreshTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * Number of inputs of each output of the layer: initial values are uniform in ±1/√fanIn. Infinity for
   * zeros.
   */
  readonly fanIn: number;
}

export type WithBias<Layer> = Layer & { readonly bias: Sym };

/** Layers of a new network, collected while its graph is built. */
export class FreshLayers {
  readonly tensors: FreshTensor[] = [];

  /** [o, c, k] and [o], for c channels in and o channels out. */
  convolution(name: string, channels: number, out: number, kernel: number): WithBias<Convolution> {
    const fanIn = channels * kernel;
    return {
      weight: this.tensor({ name: `${name}.weight`, shape: [out, channels, kernel], fanIn }),
      bias: this.tensor({ name: `${name}.bias`, shape: [out], fanIn }),
    };
  }

  linear(name: string, inWidth: number, outWidth: number): WithBias<Linear> {
    return {
      weight: this.tensor({ name: `${name}.weight`, shape: [outWidth, inWidth], fanIn: inWidth }),
      bias: this.tensor({ name: `${name}.bias`, shape: [outWidth], fanIn: inWidth }),
    };
  }

  zeros(name: string, shape: readonly number[]): Sym {
    return this.tensor({ name, shape, fanIn: Number.POSITIVE_INFINITY });
  }

  private tensor(tensor: FreshTensor): Sym {
    this.tensors.push(tensor);
    return parameter(tensor.name, tensor.shape);
  }
}

export const parameterCount = (tensors: readonly FreshTensor[]) =>
  tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);

/**
 * Initial values of new layers with the distribution of PyTorch's `Linear` and `Conv1d`: weights
 * Kaiming-uniform with a = √5, which is uniform in ±1/√fanIn, and biases uniform in ±1/√fanIn (He et al.
 * 2015, arXiv:1502.01852; torch.nn.modules.linear). The random numbers differ from PyTorch's: every tensor
 * has a generator seeded by the seed and its name, so its values depend neither on the order nor on the
 * machine.
 */
export function initialValues(tensors: readonly FreshTensor[], seed: number): ReadonlyMap<string, NdArray> {
  return new Map(tensors.map((tensor) => [tensor.name, drawn(tensor, seed)]));
}

function drawn({ name, shape, fanIn }: FreshTensor, seed: number): NdArray {
  const rng = new Pcg64(BigInt(`0x${sha256Hex(`${seed} ${name}`).slice(-32)}`));
  const bound = 1 / Math.sqrt(fanIn);
  const data = new Float32Array(elementCount(shape));
  if (bound > 0) for (let i = 0; i < data.length; i++) data[i] = uniform(rng, -bound, bound);
  return { dtype: "float32", shape, data };
}
