import {
  add,
  cast,
  concat,
  constant,
  conv,
  div,
  matMul,
  mul,
  pad,
  range,
  relu,
  reshape,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  swapLast,
  unsqueeze,
} from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { attention, mergeHeads, repeatHeads, splitHeads } from "../../net/nn/attention.ts";
import type { Convolution } from "../../net/nn/convolution.ts";
import { linear } from "../../net/nn/linear.ts";
import { layerNorm } from "../../net/nn/norm.ts";
import { applyRotary, rotaryAnglesAt, rotaryFrequencies } from "../../net/nn/position-encoding.ts";
import type { ParameterTable } from "../language/parameters.ts";

// Layers that Enformer and Borzoi share, with the tensor names of their PyTorch ports.
// axes: b batch · n bins · l length · c channels · d width · h heads · k key width · f features of a distance
// · r = 2n − 1 distances

/** Declares a convolution with bias. */
export const declareConvolution = (
  table: ParameterTable,
  at: string,
  out: number,
  channels: number,
  kernel: number,
): Convolution => ({
  weight: table.tensor(`${at}.weight`, [out, channels, kernel]),
  bias: table.tensor(`${at}.bias`, [out]),
});

/** Convolution with an odd kernel that keeps the length.  x: [b, c, l] → [b, o, l] */
export function sameConvolution({ weight, bias }: Convolution, x: Sym): Sym {
  const half = (knownSize(weight.shape[2], "a kernel") - 1) / 2;
  return conv(x, weight, bias, { pads: [half, half] });
}

/** Batch normalisation with the stored mean and variance.  x: [b, c, l] → the same */
export function batchNorm(table: ParameterTable, at: string, x: Sym, epsilon: number): Sym {
  const channels = knownSize(x.shape[1], "a number of channels");
  const of = (name: string) => table.tensor(`${at}.${name}`, [channels]);
  const scale = div(of("weight"), sqrt(add(of("running_var"), epsilon)));
  const shift = sub(of("bias"), mul(of("running_mean"), scale));
  const column = (values: Sym) => reshape(values, [channels, 1]);
  return add(mul(x, column(scale)), column(shift));
}

/**
 * a = x + attention(LN₁(x)); a + W₂·relu(W₁·LN₂(a)), the inner width 2d.  x: [b, n, d] → the same
 *
 * @param attend  attention, given the name of its module
 */
export function transformerLayer(
  table: ParameterTable,
  at: string,
  x: Sym,
  epsilon: number,
  attend: (at: string, x: Sym) => Sym,
): Sym {
  const width = knownSize(x.shape[2], "a width");
  const norm = table.norm(`${at}.0.fn.0`, width);
  const a = add(x, attend(`${at}.0.fn.1`, layerNorm(norm, x, epsilon)));
  const inner = table.linear(`${at}.1.fn.1`, width, 2 * width);
  const outer = table.linear(`${at}.1.fn.4`, 2 * width, width);
  const z = layerNorm(table.norm(`${at}.1.fn.0`, width), a, epsilon);
  return add(a, linear(outer, relu(linear(inner, z))));
}

/** Sizes of `relativeAttention`. */
export interface RelativeAttention {
  readonly heads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Features of the distances −(n − 1) … n − 1: [r, f]. */
  readonly positions: Sym;
}

/**
 * Attention with relative positions: W_o·softmax((q + u)·kᵀ + (q + v)·rᵀ)·v, where r = W_r·features of the
 * distance between query and key, u and v are biases, and q is scaled by 1/√k (Avsec et al. 2021,
 * doi:10.1038/s41592-021-01252-x, supplementary methods).
 *
 * @param x  [b, n, d]
 * @returns  [b, n, d]
 */
export function relativeAttention(
  table: ParameterTable,
  at: string,
  x: Sym,
  { heads, keyWidth, valueWidth, positions }: RelativeAttention,
): Sym {
  const width = knownSize(x.shape[2], "a width");
  const project = (name: string, size: number) =>
    splitHeads(linear(table.linear(`${at}.${name}`, width, heads * size, { bias: false }), x), heads);
  const queries = mul(project("to_q", keyWidth), keyWidth ** -0.5); // [b, h, n, k]
  const keys = project("to_k", keyWidth); // [b, h, n, k]
  const values = project("to_v", valueWidth);
  const bias = (name: string) => table.tensor(`${at}.${name}`, [1, heads, 1, keyWidth]);
  const features = knownSize(positions.shape[1], "the number of features");
  const toDistances = table.linear(`${at}.to_rel_k`, features, heads * keyWidth, { bias: false });
  const distances = splitHeads(unsqueeze(linear(toDistances, positions), 0), heads); // r, [1, h, r, k]
  const contentLogits = matMul(add(queries, bias("rel_content_bias")), swapLast(keys)); // [b, h, n, n]
  const distanceLogits = matMul(add(queries, bias("rel_pos_bias")), swapLast(distances)); // [b, h, n, r]
  const weights = softmax(add(contentLogits, alignToKeys(distanceLogits)));
  const output = table.linear(`${at}.to_out`, heads * valueWidth, width);
  return linear(output, mergeHeads(matMul(weights, values)));
}

/**
 * Logits per key from logits per distance: y[i, j] = x[i, j − i + n − 1].  x: [b, h, n, 2n − 1] → [b, h, n,
 * n]
 *
 * A zero column in front makes the rows 2n long. Without its first n values, the flattened matrix reads as n
 * rows of length 2n − 1, whose first n values are those of the query's keys.
 */
function alignToKeys(x: Sym): Sym {
  const [batch, heads, size] = x.shape;
  const n = knownSize(size, "the number of bins");
  const longer = reshape(pad(x, 3, 1, 0), [batch, heads, 2 * n, n]);
  const rows = reshape(slice(longer, 2, 1, 2 * n), [batch, heads, n, 2 * n - 1]);
  return slice(rows, 3, 0, n);
}

/** Number of columns of a head that rotary positions rotate. */
export const ROTATED = 128;
/** Base of their frequencies. */
const ROTARY_BASE = 20_000;

/**
 * Flashzoi's attention: rotary positions in part of each head; two query heads share keys and values.  x: [b,
 * t, d] → the same
 */
export function rotaryAttention(table: ParameterTable, at: string, x: Sym, heads: number): Sym {
  const [, tokens, wide] = x.shape;
  const width = knownSize(wide, "a width");
  const keyHeads = heads / 2;
  const perHead = width / heads;
  const projected = linear(table.linear(`${at}.Wqkv`, width, (heads + 2 * keyHeads) * perHead), x);
  const [q, k, v] = split(
    projected,
    -1,
    [heads, keyHeads, keyHeads].map((count) => count * perHead),
  );
  const frequencies = rotaryFrequencies(ROTATED, ROTARY_BASE);
  const angles = rotaryAnglesAt(
    unsqueeze(cast(range(tokens), "float32"), 0),
    constant({ dtype: "float32", shape: [ROTATED / 2], data: frequencies }),
  );
  const rotate = (y: Sym) =>
    perHead === ROTATED
      ? applyRotary(y, angles)
      : concat([applyRotary(slice(y, 3, 0, ROTATED), angles), slice(y, 3, ROTATED)], 3);
  const queries = rotate(splitHeads(q, heads)); // [b, h, t, c]
  const keys = repeatHeads(rotate(splitHeads(k, keyHeads)), heads / keyHeads);
  const values = repeatHeads(splitHeads(v, keyHeads), heads / keyHeads);
  return linear(table.linear(`${at}.out_proj`, width, width), mergeHeads(attention(queries, keys, values)));
}
