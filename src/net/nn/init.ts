import { sha256Hex } from "../../base/digest.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { uniform } from "../../base/random.ts";
import { elementCount, type NdArray } from "../arrays/array.ts";
import { parameter } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import type { Convolution } from "./convolution.ts";
import type { Linear } from "./linear.ts";

/** A parameter of an untrained layer. */
export interface FreshTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * Number of inputs per output of the layer: initial values are uniform in ±1/√fanIn. Infinity for zeros.
   */
  readonly fanIn: number;
}

export type WithBias<Layer> = Layer & { readonly bias: Sym };

/** Parameters of an untrained network, collected while its layers are declared. */
export class FreshLayers {
  readonly tensors: FreshTensor[] = [];

  /** A convolution with weight [out, channels, kernel] and bias [out]. */
  convolution(name: string, channels: number, out: number, kernel: number): WithBias<Convolution> {
    const fanIn = channels * kernel;
    return {
      weight: this.tensor({ name: `${name}.weight`, shape: [out, channels, kernel], fanIn }),
      bias: this.tensor({ name: `${name}.bias`, shape: [out], fanIn }),
    };
  }

  /** A dense layer with weight [outWidth, inWidth] and bias [outWidth]. */
  linear(name: string, inWidth: number, outWidth: number): WithBias<Linear> {
    return {
      weight: this.tensor({ name: `${name}.weight`, shape: [outWidth, inWidth], fanIn: inWidth }),
      bias: this.tensor({ name: `${name}.bias`, shape: [outWidth], fanIn: inWidth }),
    };
  }

  /** A parameter that is initially zero. */
  zeros(name: string, shape: readonly number[]): Sym {
    return this.tensor({ name, shape, fanIn: Number.POSITIVE_INFINITY });
  }

  private tensor(tensor: FreshTensor): Sym {
    this.tensors.push(tensor);
    return parameter(tensor.name, tensor.shape);
  }
}

/** Number of values in all tensors. */
export const parameterCount = (tensors: readonly FreshTensor[]) =>
  tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);

/**
 * Draws initial values with the distribution of PyTorch's `Linear` and `Conv1d`: weights and biases uniform
 * in ±1/√fanIn, which for weights is Kaiming-uniform with a = √5 (He et al. 2015, arXiv:1502.01852;
 * torch.nn.modules.linear). The random numbers differ from PyTorch's: each tensor has its own generator,
 * seeded with the seed and the tensor's name, so values do not depend on the order of tensors or on the
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
