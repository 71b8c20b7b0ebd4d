import { z } from "zod";
import {
  add,
  constant,
  conv,
  div,
  expand,
  gelu,
  minimum,
  mul,
  reduceMax,
  reduceSum,
  relu,
  reshape,
  slice,
  softplus,
  sub,
  swapLast,
  unsqueeze,
} from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { ParameterTable } from "../language/parameters.ts";
import {
  batchNorm,
  declareConvolution,
  ROTATED,
  relativeAttention,
  rotaryAttention,
  sameConvolution,
  transformerLayer,
} from "./layers.ts";
import { centralMasks } from "./relative-positions.ts";
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

// axes: b batch · l bases · n bins · c channels · d width · t tokens of 128 bases

/** Sizes of a Borzoi. */
export interface BorzoiSizes {
  /** Bases of the input. */
  readonly inputLength: number;
  /** Channels of the first convolution, then of the five blocks of the convolutional tower. */
  readonly channels: readonly number[];
  /** Channels of the layer before the head. */
  readonly joined: number;
  /** d, the width of the transformer. */
  readonly width: number;
  /** Number of transformer layers. */
  readonly depth: number;
  readonly heads: number;
  /** Rotary positions and grouped-query attention (Flashzoi), or relative positions (Borzoi). */
  readonly positions: "rotary" | "relative";
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Number of central bins with predictions. */
  readonly targetBins: number;
  /** Number of tracks of the head. */
  readonly tracks: number;
}

/** Sizes of the published Borzoi (Linder et al. 2025), whose human head has 7,611 tracks. */
export const BORZOI_SIZES: BorzoiSizes = {
  inputLength: 524_288,
  channels: [512, 608, 736, 896, 1056, 1280],
  joined: 1920,
  width: 1536,
  depth: 8,
  heads: 8,
  positions: "relative",
  keyWidth: 64,
  valueWidth: 192,
  targetBins: 6144,
  tracks: 7611,
};

/** Bases per bin, and per token of the transformer. */
const BIN = 32;
const TOKEN = 128;

const size = z.int().min(1).max(1e5);
const schema = z.looseObject({
  model_type: z.literal("borzoi"),
  dim: size.default(BORZOI_SIZES.width),
  depth: size.default(BORZOI_SIZES.depth),
  heads: size.default(BORZOI_SIZES.heads),
  attn_dim_key: size.default(BORZOI_SIZES.keyWidth),
  attn_dim_value: size.default(BORZOI_SIZES.valueWidth),
  return_center_bins_only: z.boolean().default(true),
  bins_to_return: z.int().min(2).max(1e6).default(BORZOI_SIZES.targetBins),
  flashed: z.boolean().default(false),
});

type Config = z.output<typeof schema>;

/**
 * Borzoi, with relative positions, or Flashzoi, with rotary positions, in a checkpoint folder of the package
 * borzoi-pytorch.
 */
export const borzoi: TrackFamily = {
  name: "borzoi",
  title: "Borzoi",
  inputLength: BORZOI_SIZES.inputLength,
  /** DNase-seq: ENCODE experiments ENCSR000EMT, ENCSR000EMU, ENCSR000EOT, ENCSR149XIL and ENCSR477RTP. */
  cellLineTracks: { GM12878: 1345, H1ESC: 1346, K562: 1397, HEPG2: 1510, IMR90: 1681 },
  options: {},
  origin: "as `Borzoi.save_pretrained` of borzoi-pytorch writes it",
  network(given, request) {
    const config = parseTrackConfig(schema, given, request, "a Borzoi of borzoi-pytorch");
    const tracks = checkTrack(headsOf(request), request);
    const sizes = sizesOf(config, request, tracks);
    checkSizes(sizes, request.file);
    centralBins(BIN, sizes.targetBins);
    return {
      sizes: { ...sizes, channels: sizes.channels.join() },
      ignored: [/^(human|mouse)_head\./, /\.rotary_emb\.inv_freq$/, BATCH_COUNTERS],
      graph: (x) => borzoiGraph(sizes, x, request),
    };
  },
};

/** Output channels of the layer with this name; undefined without such a layer. */
const outOf = ({ checkpoint: { arrays } }: TrackRequest, at: string): number | undefined =>
  arrays.get(`${at}.weight`)?.shape[0];

/** Number of tracks of each head in the checkpoint. */
function headsOf(request: TrackRequest): Readonly<Record<string, number>> {
  const heads = ["human", "mouse"].map((head) => [head, outOf(request, `${head}_head`)] as const);
  return Object.fromEntries(
    heads.flatMap(([head, tracks]) => (tracks === undefined ? [] : [[head, tracks]])),
  );
}

/**
 * Sizes of the network. Those of convolutions are not in config.json and come from the shapes of the weights.
 */
function sizesOf(config: Config, request: TrackRequest, tracks: number): BorzoiSizes {
  const channels = BORZOI_SIZES.channels.map(
    (published, i) =>
      outOf(request, i === 0 ? "conv_dna.conv_layer" : `res_tower.${2 * (i - 1)}.conv_layer`) ?? published,
  );
  return {
    inputLength: request.length,
    channels,
    joined: outOf(request, "final_joined_convs.0.conv_layer") ?? BORZOI_SIZES.joined,
    width: config.dim,
    depth: config.depth,
    heads: config.heads,
    positions: config.flashed ? "rotary" : "relative",
    keyWidth: config.attn_dim_key,
    valueWidth: config.attn_dim_value,
    targetBins: config.return_center_bins_only ? config.bins_to_return : ALL_BINS,
    tracks,
  };
}

/** Predicted bins without `return_center_bins_only`: all of the published input but 16 at either end. */
const ALL_BINS = 16_352;

function checkSizes({ width, heads, positions, inputLength, targetBins }: BorzoiSizes, file: string) {
  const bins = inputLength / BIN;
  checkFits(file, [
    [
      positions === "relative" || (width % heads === 0 && heads % 2 === 0 && width / heads >= ROTATED),
      `dim ${width} makes ${heads} heads of ${width / heads}; expected an even number of heads of at least ${ROTATED}`,
    ],
    [
      inputLength % TOKEN === 0 && bins >= targetBins && targetBins % 2 === 0,
      `${inputLength} bases make ${bins} bins of ${BIN} bases; expected a multiple of 4, at least the ${targetBins} predicted bins`,
    ],
  ]);
}

/**
 * Borzoi in evaluation mode: convolutions and max pooling down to tokens of 128 bases, transformer layers,
 * two U-Net steps that upsample to bins of 32 bases and add the states before pooling, and a head. One track
 * of the head is computed, in the central bins. Upsampling is limited to these bins and one token on either
 * side, which is the reach of its convolutions.
 *
 * @param x      one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @param head   "human"
 * @param track  0-based track of the head
 * @see Linder et al. 2025, doi:10.1038/s41588-024-02053-6; Hingerl et al. 2024, doi:10.1101/2024.12.18.629121
 *   (Flashzoi); names and constants as in the package borzoi-pytorch
 */
export function borzoiGraph(
  sizes: BorzoiSizes,
  x: Sym,
  { head, track }: { readonly head: string; readonly track: number },
): TrackGraph {
  const table = new ParameterTable();
  const { channels, width } = sizes;
  const block = (at: string, y: Sym, out: number, kernel: number) => convBlock(table, at, y, { out, kernel });
  let state = sameConvolution(
    declareConvolution(table, "conv_dna.conv_layer", channels[0], 4, 15),
    swapLast(x),
  );
  channels.slice(1).forEach((out, i) => {
    state = block(`res_tower.${2 * i}`, maxPool(state), out, 5);
  });
  const bins = state; // [b, c, n]
  const pairs = block("unet1.1", maxPool(bins), width, 5); // [b, d, n / 2]
  const tokens = swapLast(transformer(table, swapLast(maxPool(pairs)), sizes)); // [b, d, n / 4]

  const { from, to, count, offset } = centralWindow(sizes);
  const crop = (y: Sym, perToken: number) => slice(y, 2, perToken * from, perToken * to);
  const unetStep = (y: Sym, level: number, skip: Sym) => {
    const upsampled = upsample(block(`upsampling_unet${level}.0`, y, width, 1));
    return separable(
      table,
      `separable${level}`,
      add(upsampled, block(`horizontal_conv${level}`, skip, width, 1)),
    );
  };
  const upsampledPairs = unetStep(crop(tokens, 1), 1, crop(pairs, 2)); // bins of 64 bases
  const upsampledBins = unetStep(upsampledPairs, 0, crop(bins, 4)); // bins of 32 bases
  const central = slice(upsampledBins, 2, offset, offset + count); // [b, d, count]
  const joined = gelu(block("final_joined_convs.0", central, sizes.joined, 1), "tanh");
  const { weight, bias } = declareConvolution(table, `${head}_head`, sizes.tracks, sizes.joined, 1);
  const ofTrack = (all: Sym) => slice(all, 0, track, track + 1);
  const predicted = softplus(conv(joined, ofTrack(weight), ofTrack(bias!))); // [b, 1, count]
  return { table, signal: reduceSum(asCoverage(predicted, unitsOf(sizes.tracks, track)), [1, 2]) };
}

/**
 * Tokens [from, to) from which the `count` central bins are computed, and the first of these bins, counted
 * from the first bin of token `from`.
 */
function centralWindow({ inputLength, targetBins }: BorzoiSizes) {
  const count = centralBins(BIN, targetBins);
  const perToken = TOKEN / BIN;
  const first = (inputLength / BIN - count) / 2;
  const from = Math.max(0, Math.floor(first / perToken) - 1);
  const to = Math.min(inputLength / TOKEN, Math.ceil((first + count) / perToken) + 1);
  return { from, to, count, offset: first - perToken * from };
}

const EPSILON = 1e-3;

/** Batch normalisation, GELU and a convolution that keeps the length.  x: [b, c, l] → [b, out, l] */
function convBlock(
  table: ParameterTable,
  at: string,
  x: Sym,
  { out, kernel }: { readonly out: number; readonly kernel: number },
): Sym {
  const channels = knownSize(x.shape[1], "a number of channels");
  const activated = gelu(batchNorm(table, `${at}.norm`, x, EPSILON), "tanh");
  return sameConvolution(declareConvolution(table, `${at}.conv_layer`, out, channels, kernel), activated);
}

/**
 * Depthwise-separable convolution: a kernel of 3 per channel, then a kernel of 1.  x: [b, d, l] → the same
 */
function separable(table: ParameterTable, at: string, x: Sym): Sym {
  const width = knownSize(x.shape[1], "a number of channels");
  const kernel = table.tensor(`${at}.conv_layer.0.weight`, [width, 1, 3]);
  const depthwise = conv(x, kernel, undefined, { group: width, pads: [1, 1] });
  return sameConvolution(declareConvolution(table, `${at}.conv_layer.1`, width, width, 1), depthwise);
}

/** Max pooling with kernel and stride 2.  [b, c, l] → [b, c, l / 2] */
function maxPool(x: Sym): Sym {
  const [batch, channels, length] = x.shape;
  return reduceMax(reshape(x, [batch, channels, knownSize(length, "a length") / 2, 2]), [3]);
}

/** Nearest-neighbour upsampling by 2.  [b, c, l] → [b, c, 2l] */
function upsample(x: Sym): Sym {
  const [batch, channels, length] = x.shape;
  const twice = expand(unsqueeze(x, 3), [batch, channels, length, 2]);
  return reshape(twice, [batch, channels, 2 * knownSize(length, "a length")]);
}

/** The transformer layers.  x: [b, t, d] → the same */
function transformer(table: ParameterTable, x: Sym, sizes: BorzoiSizes): Sym {
  const { heads, keyWidth, valueWidth, depth } = sizes;
  const tokens = knownSize(x.shape[1], "the number of tokens");
  const positions = constant(centralMasks(tokens, POSITION_FEATURES));
  const attend = (at: string, rows: Sym) =>
    sizes.positions === "rotary"
      ? rotaryAttention(table, `${at}.mha`, rows, heads)
      : relativeAttention(table, at, rows, { heads, keyWidth, valueWidth, positions });
  let state = x;
  for (let layer = 0; layer < depth; layer++) {
    state = transformerLayer(table, `transformer.${layer}`, state, EPSILON, attend);
  }
  return state;
}

/** Number of features of a distance between tokens. */
const POSITION_FEATURES = 32;
/** Transformation of a track's coverage before training: scale · softClip(mean or sum over a bin). */
interface Units {
  readonly scale: number;
  /** Threshold: larger values v become softClip + √(v − softClip). */
  readonly softClip: number;
  /** Bases of the bin over which a mean was taken; 1 for a sum. */
  readonly meanOf: number;
}

/** Units of the DNase-seq and ATAC-seq tracks of the published human head (targets.txt of the package). */
const PUBLISHED_UNITS: readonly (Units & { readonly first: number; readonly last: number })[] = [
  { first: 1276, last: 1949, scale: 2, softClip: 32, meanOf: BIN },
  { first: 1950, last: 1959, scale: 1, softClip: 64, meanOf: 1 },
  { first: 1960, last: 2181, scale: 0.01, softClip: 96, meanOf: 1 },
];

/** Units of a track of the published human head; undefined for other heads and other assays. */
export const unitsOf = (tracks: number, track: number): Units | undefined =>
  tracks === BORZOI_SIZES.tracks
    ? PUBLISHED_UNITS.find(({ first, last }) => first <= track && track <= last)
    : undefined;

/**
 * Inverts the transformation of a track: predicted values → coverage of each bin. The identity without units.
 */
export function asCoverage(predicted: Sym, units: Units | undefined): Sym {
  if (units === undefined) return predicted;
  const { scale, softClip, meanOf } = units;
  const clipped = div(predicted, scale);
  const excess = relu(sub(clipped, softClip));
  return mul(add(minimum(clipped, softClip), mul(excess, excess)), meanOf);
}
