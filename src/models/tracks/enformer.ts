import { z } from "zod";
import {
  add,
  constant,
  conv,
  mul,
  reduceSum,
  reshape,
  slice,
  softmax,
  softplus,
  swapLast,
} from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { ACTIVATIONS } from "../../net/nn/activation.ts";
import { linear } from "../../net/nn/linear.ts";
import { type DeclaredTensor, ParameterTable } from "../language/parameters.ts";
import {
  batchNorm,
  declareConvolution,
  relativeAttention,
  sameConvolution,
  transformerLayer,
} from "./layers.ts";
import { type GammaScale, relativePositionFeatures } from "./relative-positions.ts";
import {
  BATCH_COUNTERS,
  centralBins,
  checkFits,
  checkTrack,
  parseTrackConfig,
  type TrackFamily,
  type TrackGraph,
  type TrackRequest,
} from "./track-family.ts";

// axes: b batch · l bases · n bins · c channels · d width

/** Sizes of an Enformer. */
export interface EnformerSizes {
  /** Bases of the input. */
  readonly inputLength: number;
  /** Channels of the stem, then of each block of the convolutional tower. Each of them halves the length. */
  readonly channels: readonly number[];
  /** Number of transformer layers. */
  readonly depth: number;
  readonly heads: number;
  readonly keyWidth: number;
  /** Number of central bins with predictions. */
  readonly targetBins: number;
  readonly gammaScale: GammaScale;
  /** Number of tracks of the head. */
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

const size = z.int().min(1).max(1e5);
const schema = z.looseObject({
  dim: size.default(1536),
  depth: size.default(11),
  heads: size.default(8),
  attn_dim_key: size.default(64),
  num_downsamples: z.int().min(2).max(16).default(7),
  target_length: z.int().min(2).max(1e6).default(896),
  output_heads: z.record(z.string(), size).default({ human: 5313, mouse: 1643 }),
  use_tf_gamma: z.boolean().default(false),
});

type Config = z.output<typeof schema>;

/** Repository of the published weights, which require the gamma densities of the TensorFlow program. */
const PUBLISHED = /enformer-official-rough/;

/**
 * Enformer in a checkpoint folder of its PyTorch port, the package enformer-pytorch. The input is the central
 * 196,608 of the 393,216 bases that the published program takes; it does not use the others.
 *
 * Option `gammas`: the scaling of the gamma densities. By default it follows `use_tf_gamma` in config.json,
 * and is `tensorflow` for a folder of EleutherAI/enformer-official-rough.
 */
export const enformer: TrackFamily = {
  name: "enformer",
  title: "Enformer",
  inputLength: PUBLISHED_SIZES.inputLength,
  /** DNase-seq tracks that DART-Eval evaluates. */
  cellLineTracks: { GM12878: 69, H1ESC: 70, K562: 121, HEPG2: 234, IMR90: 405 },
  options: { gammas: ["tensorflow", "port"] },
  origin: "as `Enformer.save_pretrained` of enformer-pytorch writes it",
  network(given, request) {
    const config = parseTrackConfig(schema, given, request, "an Enformer");
    const { file, folder, head, track, options } = request;
    const tracks = checkTrack(config.output_heads, request);
    const published = PUBLISHED.test(`${folder} ${String(config._name_or_path)}`);
    const scaled =
      options.gammas === undefined ? published || config.use_tf_gamma : options.gammas === "tensorflow";
    const sizes: EnformerSizes = {
      inputLength: request.length,
      channels: channelsOf(request, config),
      depth: config.depth,
      heads: config.heads,
      keyWidth: config.attn_dim_key,
      targetBins: config.target_length,
      gammaScale: scaled ? "distances" : "features",
      tracks,
    };
    checkSizes(sizes, config, file);
    centralBins(binOf(sizes), sizes.targetBins);
    return {
      sizes: { ...sizes, channels: sizes.channels.join() },
      ignored: [/^_heads\./, BATCH_COUNTERS],
      graph: (x) => enformerGraph(sizes, x, { head, track }),
    };
  },
};

/** Bases per bin. */
const binOf = ({ channels }: Pick<EnformerSizes, "channels">): number => 2 ** channels.length;

/** Channels of the stem and of the tower's blocks, from the shapes of their convolutions. */
function channelsOf(
  { checkpoint: { arrays } }: TrackRequest,
  { num_downsamples: blocks, dim }: Config,
): readonly number[] {
  const outOf = (...names: readonly string[]) =>
    names.flatMap((name) => arrays.get(name)?.shape[0] ?? [])[0] ?? dim;
  return Array.from({ length: blocks }, (_, i) =>
    i === 0
      ? outOf("stem.0.weight", "_trunk.1.0.weight")
      : outOf(`conv_tower.${i - 1}.0.2.weight`, `_trunk.2.${i - 1}.0.2.weight`),
  );
}

function checkSizes(sizes: EnformerSizes, { dim }: Config, file: string): void {
  const { channels, heads, inputLength, targetBins } = sizes;
  const bins = inputLength / binOf(sizes);
  checkFits(file, [
    [channels.at(-1) === dim, `the tower ends with ${channels.at(-1)} channels, but dim is ${dim}`],
    [dim % (6 * heads) === 0, `dim ${dim} is no multiple of 6 times ${heads} heads`],
    [
      Number.isInteger(bins) && bins % 2 === 0 && bins >= targetBins && targetBins % 2 === 0,
      `${inputLength} bases make ${bins} bins of ${binOf(sizes)} bases; expected an even number, at least the target length of ${targetBins}`,
    ],
  ]);
}

/**
 * Parameters under the names of the port, which stores the trunk's modules twice: `stem.0` is also
 * `_trunk.1.0`.
 */
class EnformerTable extends ParameterTable {
  override tensor(name: string, shape: readonly number[], more: Partial<DeclaredTensor> = {}): Sym {
    const stored = MODULES_IN_TRUNK.find(([module]) => name.startsWith(`${module}.`));
    const aliases = stored === undefined ? [] : [name.replace(stored[0], stored[1])];
    return super.tensor(name, shape, { ...more, aliases });
  }
}

/** Names of modules → their second names. */
const MODULES_IN_TRUNK = [
  ["stem", "_trunk.1"],
  ["conv_tower", "_trunk.2"],
  ["transformer", "_trunk.4"],
  ["final_pointwise", "_trunk.6"],
] as const;

/**
 * Enformer in evaluation mode: a convolutional tower with attention pooling, transformer layers with relative
 * positions, and a head, of which one track is computed in the central bins.
 *
 * @param x      one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @param head   "human"
 * @param track  0-based track of the head
 * @see Avsec et al. 2021, doi:10.1038/s41592-021-01252-x; names and constants as in the package
 *   enformer-pytorch
 */
export function enformerGraph(
  sizes: EnformerSizes,
  x: Sym,
  { head, track }: { readonly head: string; readonly track: number },
): TrackGraph {
  const table = new EnformerTable();
  const { channels, depth, heads, keyWidth } = sizes;
  let state = swapLast(x); // [b, c, l], l halves in each block
  channels.forEach((out, i) => {
    const at = i === 0 ? "stem" : `conv_tower.${i - 1}`;
    state =
      i === 0
        ? sameConvolution(declareConvolution(table, "stem.0", out, 4, 15), state)
        : convBlock(table, `${at}.0`, state, { out, kernel: 5 });
    state = add(state, convBlock(table, `${at}.1.fn`, state, { out, kernel: 1 }));
    state = attentionPool(table.tensor(`${at}.2.to_attn_logits.weight`, [out, out, 1, 1]), state);
  });
  let bins = swapLast(state); // [b, n, d]
  const n = knownSize(bins.shape[1], "the number of bins");
  const width = channels[channels.length - 1];
  const positions = constant(relativePositionFeatures(n, width / heads, sizes.gammaScale));
  const attention = { heads, keyWidth, valueWidth: width / heads, positions };
  for (let layer = 0; layer < depth; layer++) {
    bins = transformerLayer(table, `transformer.${layer}`, bins, EPSILON, (at, rows) =>
      relativeAttention(table, at, rows, attention),
    );
  }
  const count = centralBins(binOf(sizes), sizes.targetBins);
  const start = (n - count) / 2;
  const central = swapLast(slice(bins, 1, start, start + count)); // [b, d, count]
  const wide = convBlock(table, "final_pointwise.1", central, { out: 2 * width, kernel: 1 });
  const { weight, bias } = table.linear(`_heads.${head}.0`, 2 * width, sizes.tracks);
  const ofTrack = { weight: slice(weight, 0, track, track + 1), bias: slice(bias!, 0, track, track + 1) };
  const predicted = softplus(linear(ofTrack, swapLast(gelu(wide)))); // [b, count, 1]
  return { table, signal: reduceSum(predicted, [1, 2]) };
}

const EPSILON = 1e-5;

/** Enformer's approximation of GELU. */
const gelu = ACTIVATIONS.quick_gelu;

/** Batch normalisation, GELU and a convolution that keeps the length.  x: [b, c, l] → [b, out, l] */
function convBlock(
  table: ParameterTable,
  at: string,
  x: Sym,
  { out, kernel }: { readonly out: number; readonly kernel: number },
): Sym {
  const channels = knownSize(x.shape[1], "a number of channels");
  const activated = gelu(batchNorm(table, `${at}.0`, x, EPSILON));
  return sameConvolution(declareConvolution(table, `${at}.2`, out, channels, kernel), activated);
}

/**
 * Attention pooling with stride 2: the mean of two neighbours, weighted by a softmax per channel.  x: [b, c,
 * l] → [b, c, l / 2]
 */
function attentionPool(weight: Sym, x: Sym): Sym {
  const [batch, channels, length] = x.shape;
  const pairs = [batch, channels, knownSize(length, "a length") / 2, 2];
  const logits = conv(x, reshape(weight, [channels, channels, 1]));
  return reduceSum(mul(reshape(x, pairs), softmax(reshape(logits, pairs))), [3]);
}
