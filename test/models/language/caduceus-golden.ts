import { caduceus } from "../../../src/models/language/caduceus.ts";
import type { DeclaredTensor } from "../../../src/models/language/parameters.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { goldenArray } from "../golden-weights.ts";

// The tiny Caduceus whose golden values are known: sizes, weights, tokens.

const COMPLEMENTS: Readonly<Record<number, number>> = { 7: 10, 8: 9, 9: 8, 10: 7 };
export const complement = (id: number) => COMPLEMENTS[id] ?? id;
export const tiny = (rcps: boolean, n_layer: number) => ({
  ...caduceus.toys.toy,
  rcps,
  n_layer,
  d_model: 16,
  ssm_cfg: { d_state: 4, d_conv: 4, expand: 2 },
});
export const LENGTH = 32;
const MASK = 3;
export const MASKED_AT = 10;

/** Name in a direction of a block: id, amplitude, centre. */
const MIXER: Record<string, readonly [number, number, number]> = {
  "in_proj.weight": [1, 0.5, 0],
  "conv1d.weight": [2, 0.75, 0],
  "conv1d.bias": [3, 0.125, 0],
  "x_proj.weight": [4, 0.5, 0],
  "dt_proj.weight": [5, 0.5, 0],
  "dt_proj.bias": [6, 1, -1],
  A_log: [7, 0.5, -1],
  D: [8, 0.5, 0.5],
  "out_proj.weight": [9, 0.25, 0],
};
const BLOCK_NORM = [10, 0.25, 1] as const;
const EMBEDDING = [40, 0.5, 0] as const;
const FINAL_NORM = [41, 0.25, 1] as const;
export const SCORE = [42, 0.25, 0] as const;

/** Seed, amplitude and centre of a tensor. */
export function lawOf(name: string): readonly [number, number, number] {
  const [, layer, rest] = /\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  if (rest === undefined) return name.includes("norm_f") ? FINAL_NORM : EMBEDDING;
  const [, direction, part] = /mamba_(fwd|rev)\.(.*)$/.exec(rest) ?? [];
  const [id, amplitude, centre] = part === undefined ? BLOCK_NORM : MIXER[part];
  return [id + (direction === "rev" ? 20 : 0) + 100 * Number(layer), amplitude, centre];
}

export function weight({ name, shape, tiedTo }: DeclaredTensor): NdArray {
  if (name.endsWith("complement_map")) {
    return {
      dtype: "int64",
      shape,
      data: BigInt64Array.from({ length: 16 }, (_, id) => BigInt(complement(id))),
    };
  }
  return goldenArray(shape, ...lawOf(tiedTo ?? name));
}

export const idRows = [0, 1].map((row) =>
  Array.from({ length: LENGTH }, (_, j) => {
    if (j === LENGTH - 1) return 1;
    if (row === 0 && j === MASKED_AT) return MASK;
    return 7 + ((row === 0 ? Math.floor((j * j + 3 * j) / 2) : Math.floor((5 * j + 2) / 3)) % 4);
  }),
);
