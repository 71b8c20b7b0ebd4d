import { InputError } from "../../base/errors.ts";
import {
  add,
  constant,
  conv,
  div,
  matMul,
  mul,
  pad,
  reduceSum,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  softplus,
  sqrt,
  sub,
  swapLast,
  transpose,
} from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";
import { layerNorm } from "../../net/nn/norm.ts";
import { ParameterTable } from "../language/parameters.ts";
import { type GammaScale, relativePositionFeatures } from "./relative-positions.ts";

// axes: b batch · l bases · n bins · c channels · d width · h heads · k key width · r relative distances

/** Sizes of an Enformer. */
export interface EnformerSizes {
  /** Bases of the input. */
  readonly inputLength: number;
  /** Channels of the stem, then of each block of the convolutional tower; every one halves the length. */
  readonly channels: readonly number[];
  readonly depth: number;
  readonly heads: number;
  readonly keyWidth: number;
  /** Bins in the centre that have predictions. */
  readonly targetBins: number;
  readonly gammaScale: GammaScale;
  /** Tracks of the head. */
  readonly tracks: number;
}

/** Sizes of the published Enformer (Avsec et al. 2021), whose human head has 5,313 tracks. */
export const PUBLISHED_SIZES: EnformerSizes = {
  inputLength: 196_608,
  channels: [768, 768, 896, 1024, 1152, 1280, 1536],
  depth: 11,
  heads: 8,
  keyWidth: 64,
  targetBins: 896,
  gammaScale: "distances",
  tracks: 5313,
};

/** Bases per bin. */
export const binOf = ({ channels }: Pick<EnformerSizes, "channels">): number => 2 ** channels.length;

/** Declares the parameters of the trunk and of one head by their names in the PyTorch port. */
class EnformerTable extends ParameterTable {
  /** The port registers the trunk's modules twice: `stem.0.weight` is `_trunk.1.0.weight` too. */
  of(name: string, shape: readonly number[]): Sym {
    const alias = TWICE.find(([part]) => name.startsWith(`${part}.`));
    const aliases = alias === undefined ? [] : [name.replace(alias[0], alias[1])];
    return this.tensor(name, shape, { aliases });
  }

  conv(at: string, out: number, channels: number, kernel: number) {
    return { weight: this.of(`${at}.weight`, [out, channels, kernel]), bias: this.of(`${at}.bias`, [out]) };
  }

  dense(at: string, inWidth: number, outWidth: number, { bias = true } = {}): Linear {
    return {
      weight: this.of(`${at}.weight`, [outWidth, inWidth]),
      bias: bias ? this.of(`${at}.bias`, [outWidth]) : undefined,
    };
  }

  pair(at: string, width: number) {
    return { weight: this.of(`${at}.weight`, [width]), bias: this.of(`${at}.bias`, [width]) };
  }
}

const TWICE = [
  ["stem", "_trunk.1"],
  ["conv_tower", "_trunk.2"],
  ["transformer", "_trunk.4"],
  ["final_pointwise", "_trunk.6"],
] as const;

/** Tensors of a checkpoint that the graph does not read: other heads, and counters of batches. */
export const IGNORED: readonly RegExp[] = [/^_heads\./, /\.num_batches_tracked$/];

export interface EnformerGraph {
  readonly table: ParameterTable;
  /** [b]: predicted signal of the track, summed over the central bins. */
  readonly signal: Sym;
}

/**
 * Enformer: a convolutional tower that halves the length with attention pooling, transformer layers with
 * relative positions, and a head of which one track is read in the central bins. Dropout is left out, batch
 * normalisation uses the stored statistics.
 *
 * @param x      one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @param head   "human"
 * @param track  0-based track of the head
 * @param bins   number of central bins to sum, even
 * @see Avsec et al. 2021, doi:10.1038/s41592-021-01252-x; names and constants as in the package
 *   enformer-pytorch
 */
export function enformer(
  sizes: EnformerSizes,
  x: Sym,
  { head, track, bins }: { readonly head: string; readonly track: number; readonly bins: number },
): EnformerGraph {
  const table = new EnformerTable();
  const { channels, depth } = sizes;
  let state = swapLast(x); // [b, c, l]
  channels.forEach((out, i) => {
    const at = i === 0 ? "stem" : `conv_tower.${i - 1}`;
    const before = i === 0 ? 4 : channels[i - 1];
    state =
      i === 0
        ? conv1d(table.conv("stem.0", out, 4, 15), state)
        : convBlock(table, `${at}.0`, state, { out, before, kernel: 5 });
    state = add(state, convBlock(table, `${at}.1.fn`, state, { out, before: out, kernel: 1 }));
    state = attentionPool(table.of(`${at}.2.to_attn_logits.weight`, [out, out, 1, 1]), state);
  });
  let bin = swapLast(state); // [b, n, d]
  const n = knownSize(bin.shape[1], "the number of bins");
  const width = channels.at(-1)!;
  const positions = constant(relativePositionFeatures(n, width / sizes.heads, sizes.gammaScale));
  for (let layer = 0; layer < depth; layer++) {
    bin = transformerLayer(table, `transformer.${layer}`, bin, positions, sizes);
  }
  const start = (n - bins) / 2;
  const central = swapLast(slice(bin, 1, start, start + bins)); // [b, d, bins]
  const wide = convBlock(table, "final_pointwise.1", central, { out: 2 * width, before: width, kernel: 1 });
  const { weight, bias } = table.dense(`_heads.${head}.0`, 2 * width, sizes.tracks);
  const ofTrack = { weight: slice(weight, 0, track, track + 1), bias: slice(bias!, 0, track, track + 1) };
  const predicted = softplus(linear(ofTrack, swapLast(gelu(wide)))); // [b, bins, 1]
  return { table, signal: reduceSum(predicted, [1, 2]) };
}

/** x · sigmoid(1.702 x), Enformer's approximation of the Gaussian error linear unit. */
const gelu = (x: Sym): Sym => mul(x, sigmoid(mul(x, 1.702)));

const conv1d = ({ weight, bias }: { readonly weight: Sym; readonly bias: Sym }, x: Sym): Sym => {
  const half = (knownSize(weight.shape[2], "a kernel") - 1) / 2;
  return conv(x, weight, bias, { pads: [half, half] });
};

/** Batch normalisation, GELU and a convolution that keeps the length. */
function convBlock(
  table: EnformerTable,
  at: string,
  x: Sym,
  { out, before, kernel }: { readonly out: number; readonly before: number; readonly kernel: number },
): Sym {
  const { weight, bias } = table.pair(`${at}.0`, before);
  const mean = table.of(`${at}.0.running_mean`, [before]);
  const variance = table.of(`${at}.0.running_var`, [before]);
  const scale = div(weight, sqrt(add(variance, 1e-5)));
  const shift = sub(bias, mul(mean, scale));
  const column = (values: Sym) => reshape(values, [before, 1]);
  const normal = add(mul(x, column(scale)), column(shift));
  return conv1d(table.conv(`${at}.2`, out, before, kernel), gelu(normal));
}

/** Mean of each two neighbours, weighted by a softmax per channel.  [b, c, l] → [b, c, l / 2] */
function attentionPool(weight: Sym, x: Sym): Sym {
  const [batch, channels, length] = x.shape;
  const size = knownSize(length, "a length");
  const pairs = [batch, channels, size / 2, 2];
  const logits = conv(x, reshape(weight, [channels, channels, 1]));
  return reduceSum(mul(reshape(x, pairs), softmax(reshape(logits, pairs))), [3]);
}

function transformerLayer(
  table: EnformerTable,
  at: string,
  x: Sym,
  positions: Sym,
  sizes: EnformerSizes,
): Sym {
  const width = knownSize(x.shape[2], "a width");
  const norm = table.pair(`${at}.0.fn.0`, width);
  const attended = add(x, attention(table, `${at}.0.fn.1`, layerNorm(norm, x, 1e-5), positions, sizes));
  const inner = table.dense(`${at}.1.fn.1`, width, 2 * width);
  const outer = table.dense(`${at}.1.fn.4`, 2 * width, width);
  const rows = layerNorm(table.pair(`${at}.1.fn.0`, width), attended, 1e-5);
  return add(attended, linear(outer, relu(linear(inner, rows))));
}

/**
 * Attention with relative positions: logits of the keys' contents, (q + u)·k, and of their distances,
 * (q + v)·r.
 *
 * @param positions  [r, width / h], features of the distances
 */
function attention(
  table: EnformerTable,
  at: string,
  x: Sym,
  positions: Sym,
  { heads, keyWidth }: EnformerSizes,
): Sym {
  const [batch, n, width] = x.shape;
  const valueWidth = knownSize(width, "a width") / heads;
  const split = (rows: Sym, size: number) => transpose(reshape(rows, [batch, n, heads, size]), [0, 2, 1, 3]);
  const inputs = knownSize(width, "a width");
  const project = (name: string, size: number) =>
    split(linear(table.dense(`${at}.${name}`, inputs, heads * size, { bias: false }), x), size);
  const queries = mul(project("to_q", keyWidth), keyWidth ** -0.5); // [b, h, n, k]
  const keys = project("to_k", keyWidth);
  const values = project("to_v", valueWidth);
  const bias = (name: string) => table.of(`${at}.${name}`, [1, heads, 1, keyWidth]);
  const distances = linear(
    table.dense(`${at}.to_rel_k`, valueWidth, heads * keyWidth, { bias: false }),
    positions,
  );
  const perHead = transpose(reshape(distances, [positions.shape[0], heads, keyWidth]), [1, 2, 0]); // [h, k, r]
  const contents = matMul(add(queries, bias("rel_content_bias")), swapLast(keys)); // [b, h, n, n]
  const byDistance = matMul(add(queries, bias("rel_pos_bias")), perHead); // [b, h, n, r]
  const weights = softmax(add(contents, shiftedToKeys(byDistance)));
  const mixed = transpose(matMul(weights, values), [0, 2, 1, 3]);
  return linear(table.dense(`${at}.to_out`, heads * valueWidth, inputs), reshape(mixed, [batch, n, inputs]));
}

/**
 * Logits per distance to logits per key: y[i, j] = x[i, j − i + n − 1].  [b, h, n, 2n − 1] → [b, h, n, n]
 *
 * A column in front makes the rows 2n long. Read as 2n rows of n without the first, they are aligned so that
 * the first n of each 2n − 1 values belong to one query.
 */
function shiftedToKeys(x: Sym): Sym {
  const [batch, heads, size] = x.shape;
  const n = knownSize(size, "the number of bins");
  const longer = reshape(pad(x, 3, 1, 0), [batch, heads, 2 * n, n]);
  const rows = reshape(slice(longer, 2, 1, 2 * n), [batch, heads, n, 2 * n - 1]);
  return slice(rows, 3, 0, n);
}

/** Bins that cover the central `bases`, an even number. @throws {InputError} when fewer are predicted */
export function centralBins(sizes: EnformerSizes, bases: number): number {
  const bins = 2 * Math.ceil(bases / 2 / binOf(sizes));
  if (bins <= sizes.targetBins) return bins;
  throw new InputError(
    `the model predicts the central ${sizes.targetBins * binOf(sizes)} bases of a sequence; ${bases} are counted`,
    { hint: "give a checkpoint with a larger target_length" },
  );
}
