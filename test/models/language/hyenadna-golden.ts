import type { ReadTensor } from "../../../src/models/language/architecture.ts";
import { decayRates, positionalFeatures } from "../../../src/models/language/blocks/hyena.ts";
import type { DeclaredTensor } from "../../../src/models/language/parameters.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { goldenArray } from "../golden-weights.ts";

// The tiny HyenaDNA whose golden values are known: sizes, weights, tokens.

export const TINY = {
  d_model: 16,
  d_inner: 32,
  n_layer: 2,
  filter_order: 8,
  emb_dim: 5,
  max_seq_len: 64,
  vocab_size: 12,
  pad_vocab_size_multiple: 8,
  hyena_order: 2,
  num_inner_mlps: 2,
  short_filter_order: 3,
  layer_norm_epsilon: 1e-5,
};
export const LENGTH = 32;

/** name in a layer: seed, amplitude, centre */
const LAYER: Record<string, readonly [number, number, number]> = {
  "mixer.in_proj.weight": [1, 0.5, 0],
  "mixer.in_proj.bias": [2, 0.125, 0],
  "mixer.out_proj.weight": [3, 0.25, 0],
  "mixer.out_proj.bias": [4, 0.125, 0],
  "mixer.short_filter.weight": [5, 0.5, 0],
  "mixer.short_filter.bias": [6, 0.125, 0],
  "mixer.filter_fn.bias": [7, 0.5, 0],
  "mixer.filter_fn.implicit_filter.0.weight": [8, 1, 0],
  "mixer.filter_fn.implicit_filter.0.bias": [9, 0.5, 0],
  "mixer.filter_fn.implicit_filter.1.freq": [10, 1, 2],
  "mixer.filter_fn.implicit_filter.2.weight": [11, 0.5, 0],
  "mixer.filter_fn.implicit_filter.2.bias": [12, 0.5, 0],
  "mixer.filter_fn.implicit_filter.4.weight": [13, 0.5, 0],
  "mixer.filter_fn.implicit_filter.4.bias": [14, 0.5, 0],
  "mixer.filter_fn.implicit_filter.6.weight": [15, 0.25, 0],
  "norm1.weight": [16, 0.25, 1],
  "norm1.bias": [17, 0.125, 0],
  "norm2.weight": [18, 0.25, 1],
  "norm2.bias": [19, 0.125, 0],
  "mlp.fc1.weight": [20, 0.25, 0],
  "mlp.fc1.bias": [21, 0.125, 0],
  "mlp.fc2.weight": [22, 0.25, 0],
  "mlp.fc2.bias": [23, 0.125, 0],
};
const GLOBAL: Record<string, readonly [number, number, number]> = {
  "hyena.backbone.embeddings.word_embeddings.weight": [24, 1, 0],
  "hyena.backbone.ln_f.weight": [25, 0.25, 1],
  "hyena.backbone.ln_f.bias": [26, 0.125, 0],
  "lm_head.weight": [27, 0.25, 0],
};

export function weight({ name, shape }: DeclaredTensor): NdArray {
  const [, layer, rest] = /^hyena\.backbone\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  const buffers: Record<string, () => Float32Array> = {
    "mixer.filter_fn.pos_emb.z": () => positionalFeatures(64, 5).z,
    "mixer.filter_fn.pos_emb.t": () => positionalFeatures(64, 5).time,
    "mixer.filter_fn.modulation.deltas": () => decayRates(16),
  };
  const buffer = buffers[rest ?? ""];
  if (buffer !== undefined) return { dtype: "float32", shape, data: buffer() };
  const [seed, amplitude, centre] = rest === undefined ? GLOBAL[name] : LAYER[rest];
  return goldenArray(shape, seed + 100 * Number(layer ?? 0), amplitude, centre);
}

export const ids = Int32Array.from({ length: 2 * LENGTH }, (_, at) => {
  const j = at % LENGTH;
  if (j === LENGTH - 1) return 1;
  return 7 + (at < LENGTH ? Math.floor((j * j + 3 * j) / 2) % 4 : Math.floor((5 * j + 2) / 3) % 4);
});

export const SCORE: readonly [number, number, number] = [28, 0.25, 0];
export const LORA_RANK = 2;

/** The seed of a weight: its own, plus 100 per layer. */
export function seedOf(name: string): number {
  const [, layer, rest] = /^hyena\.backbone\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  return (rest === undefined ? GLOBAL[name][0] : LAYER[rest][0]) + 100 * Number(layer ?? 0);
}

/** Reads rows of an array in memory, like a checkpoint. */
export const reader =
  (weights: ReadonlyMap<string, NdArray>): ReadTensor =>
  async (name, rows) => {
    const array = weights.get(name)!;
    if (rows === undefined) return array;
    const stride = array.data.length / array.shape[1];
    return { ...array, data: (array.data as Float32Array).slice(rows[0] * stride, rows[1] * stride) };
  };
