import type { DeclaredTensor } from "../../src/models/language/parameters.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { mergeLora } from "./merge-lora.ts";

/**
 * Weights of the encoders' tiny models, exact in float32 without a random generator: each value in ±0.25 from
 * a hash of the tensor's name (FNV-1a) and the element's index, mixed as MurmurHash3 ends; scales of norms
 * and variances are raised by 1.
 */
export function hashedArray(name: string, shape: readonly number[]): NdArray {
  const seed = fnv1a(name);
  const raise = (shape.length === 1 && name.endsWith(".weight")) || name.endsWith("running_var") ? 1 : 0;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
    let z = (Math.imul(i, 0x9e3779b1) + seed) >>> 0;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b) >>> 0;
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35) >>> 0;
    z = (z ^ (z >>> 16)) >>> 0;
    return 0.25 * (z / 2 ** 31 - 1) + raise;
  });
  return { dtype: "float32", shape, data };
}

function fnv1a(text: string): number {
  return new TextEncoder()
    .encode(text)
    .reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
}

export function hashedWeights(tensors: readonly DeclaredTensor[]): Map<string, NdArray> {
  return new Map(tensors.map(({ name, shape }) => [name, hashedArray(name, shape)]));
}

/** Weights with LoRA factors merged into every dense and embedding weight selected by `adapt`. */
export function withHashedLora(
  weights: ReadonlyMap<string, NdArray>,
  tensors: readonly DeclaredTensor[],
  { rank, scale, adapt }: { rank: number; scale: number; adapt: (name: string) => boolean },
) {
  const merged = new Map(weights);
  let modules = 0;
  let values = 0;
  for (const { name, shape, layer } of tensors) {
    if (layer === undefined || !adapt(name)) continue;
    const [rows, columns] = shape;
    const tall = [rows, rank];
    const wide = [rank, columns];
    const [shapeA, shapeB] = layer === "embedding" ? [tall, wide] : [wide, tall];
    const a = hashedArray(`${name}:A`, shapeA);
    const b = hashedArray(`${name}:B`, shapeB);
    merged.set(name, mergeLora(weights.get(name)!, { a, b }, { scale, layer }));
    modules++;
    values += a.data.length + b.data.length;
  }
  return { merged, modules, values };
}
