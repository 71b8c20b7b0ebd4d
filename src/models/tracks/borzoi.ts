import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import {
  add,
  cast,
  concat,
  constant,
  conv,
  div,
  expand,
  gelu,
  minimum,
  mul,
  range,
  reduceMax,
  reduceSum,
  relu,
  reshape,
  slice,
  softplus,
  split,
  sub,
  swapLast,
  unsqueeze,
} from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { attention, mergeHeads, repeatHeads, splitHeads } from "../../net/nn/attention.ts";
import { linear } from "../../net/nn/linear.ts";
import { applyRotary, rotaryAnglesAt, rotaryFrequencies } from "../../net/nn/position-encoding.ts";
import { ParameterTable } from "../language/parameters.ts";
import {
  batchNorm,
  declareConvolution,
  relativeAttention,
  sameConvolution,
  transformerLayer,
} from "./layers.ts";
import { centralMasks } from "./relative-positions.ts";
import {
  BATCH_COUNTERS,
  centralBins,
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
  /** Channels of the first convolution, then of the five blocks of the tower, up to bins of 32 bases. */
  readonly channels: readonly number[];
  /** Channels of the layer before the head. */
  readonly joined: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Rotary positions and shared keys (Flashzoi), or relative positions. */
  readonly positions: "rotary" | "relative";
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Bins in the centre that have predictions. */
  readonly targetBins: number;
  /** Tracks of the head. */
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

/** Bases of a bin, and of a token of the transformer. */
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
 * Borzoi in a checkpoint folder of its PyTorch port, the package borzoi-pytorch: with relative positions as
 * published, or Flashzoi with rotary positions.
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

const outOf = ({ checkpoint: { arrays } }: TrackRequest, at: string): number | undefined =>
  arrays.get(`${at}.weight`)?.shape[0];

function headsOf(request: TrackRequest): Readonly<Record<string, number>> {
  const heads = ["human", "mouse"].map((head) => [head, outOf(request, `${head}_head`)] as const);
  return Object.fromEntries(
    heads.flatMap(([head, tracks]) => (tracks === undefined ? [] : [[head, tracks]])),
  );
}

/** Widths of the convolutions are not in the config: they come from the shapes of the weights. */
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

/** Bins of a checkpoint that predicts all but 16 at either end of the published input. */
const ALL_BINS = 16_352;

function checkSizes({ width, heads, positions, inputLength, targetBins }: BorzoiSizes, file: string) {
  const bins = inputLength / BIN;
  const fits: readonly (readonly [boolean, string])[] = [
    [
      positions === "relative" || (width % heads === 0 && heads % 2 === 0 && width / heads >= ROTATED),
      `dim ${width} makes ${heads} heads of ${width / heads}; expected an even number of heads of at least ${ROTATED}`,
    ],
    [
      inputLength % TOKEN === 0 && bins >= targetBins && targetBins % 2 === 0,
      `${inputLength} bases make ${bins} bins of ${BIN} bases; expected a multiple of 4, at least the ${targetBins} predicted bins`,
    ],
  ];
  const wrong = fits.find(([fit]) => !fit);
  if (wrong !== undefined) throw new FormatError({ file }, wrong[1], "length=BASES sets the input length");
}

/**
 * Borzoi: convolutions and max pooling down to tokens of 128 bases, transformer layers, two steps of
 * upsampling to bins of 32 bases that add the tower's own states, and a head of which one track is read in
 * the central bins. The upsampling is computed for these bins and one token at either side, as far as its
 * convolutions see. Dropout is left out, batch normalisation uses the stored statistics.
 *
 * @param x      one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @param head   "human"
 * @param track  0-based track of the head
 * @see Linder et al. 2025, doi:10.1038/s41588-024-02053-6; Hingerl et al. 2024,
 *   doi:10.1101/2024.12.18.629121 (Flashzoi); names and constants as in the package borzoi-pytorch
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

  const { from, to, count, within } = window(sizes);
  const part = (y: Sym, perToken: number) => slice(y, 2, perToken * from, perToken * to);
  const up = (y: Sym, level: number, beside: Sym) =>
    separable(
      table,
      `separable${level}`,
      add(
        upsample(block(`upsampling_unet${level}.0`, y, width, 1)),
        block(`horizontal_conv${level}`, beside, width, 1),
      ),
    );
  const upsampled = up(up(part(tokens, 1), 1, part(pairs, 2)), 0, part(bins, 4));
  const central = slice(upsampled, 2, within, within + count); // [b, d, count]
  const joined = gelu(block("final_joined_convs.0", central, sizes.joined, 1), "tanh");
  const { weight, bias } = declareConvolution(table, `${head}_head`, sizes.tracks, sizes.joined, 1);
  const ofTrack = (all: Sym) => slice(all, 0, track, track + 1);
  const predicted = softplus(conv(joined, ofTrack(weight), ofTrack(bias!))); // [b, 1, count]
  return { table, signal: reduceSum(asCoverage(predicted, unitsOf(sizes.tracks, track)), [1, 2]) };
}

/** Tokens [from, to) that the central bins need, and these bins within their bins. */
function window({ inputLength, targetBins }: BorzoiSizes) {
  const count = centralBins(BIN, targetBins);
  const perToken = TOKEN / BIN;
  const first = (inputLength / BIN - count) / 2;
  const from = Math.max(0, Math.floor(first / perToken) - 1);
  const to = Math.min(inputLength / TOKEN, Math.ceil((first + count) / perToken) + 1);
  return { from, to, count, within: first - perToken * from };
}

const EPSILON = 1e-3;

/** Batch normalisation, GELU and a convolution that keeps the length. */
function convBlock(
  table: ParameterTable,
  at: string,
  x: Sym,
  { out, kernel }: { readonly out: number; readonly kernel: number },
): Sym {
  const before = knownSize(x.shape[1], "a number of channels");
  const normal = gelu(batchNorm(table, `${at}.norm`, x, EPSILON), "tanh");
  return sameConvolution(declareConvolution(table, `${at}.conv_layer`, out, before, kernel), normal);
}

/** A kernel of 3 within each channel, then a mix of the channels. */
function separable(table: ParameterTable, at: string, x: Sym): Sym {
  const width = knownSize(x.shape[1], "a number of channels");
  const kernel = table.tensor(`${at}.conv_layer.0.weight`, [width, 1, 3]);
  const within = conv(x, kernel, undefined, { group: width, pads: [1, 1] });
  return sameConvolution(declareConvolution(table, `${at}.conv_layer.1`, width, width, 1), within);
}

/** Maximum of each two neighbours.  [b, c, l] → [b, c, l / 2] */
function maxPool(x: Sym): Sym {
  const [batch, channels, length] = x.shape;
  return reduceMax(reshape(x, [batch, channels, knownSize(length, "a length") / 2, 2]), [3]);
}

/** Every position twice.  [b, c, l] → [b, c, 2l] */
function upsample(x: Sym): Sym {
  const [batch, channels, length] = x.shape;
  const twice = expand(unsqueeze(x, 3), [batch, channels, length, 2]);
  return reshape(twice, [batch, channels, 2 * knownSize(length, "a length")]);
}

/** [b, t, d] → the same */
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

/** Features of a distance between tokens. */
const POSITION_FEATURES = 32;
/** Columns of a head that are rotated, and the base of their frequencies. */
const ROTATED = 128;
const ROTARY_BASE = 20_000;

/** Flashzoi's attention: rotary positions in part of each head, each two heads share keys and values. */
function rotaryAttention(table: ParameterTable, at: string, x: Sym, heads: number): Sym {
  const [, tokens, wide] = x.shape;
  const width = knownSize(wide, "a width");
  const shared = heads / 2;
  const perHead = width / heads;
  const all = linear(table.linear(`${at}.Wqkv`, width, (heads + 2 * shared) * perHead), x);
  const [q, k, v] = split(
    all,
    -1,
    [heads, shared, shared].map((each) => each * perHead),
  ) as [Sym, Sym, Sym];
  const frequencies = rotaryFrequencies(ROTATED, ROTARY_BASE);
  const angles = rotaryAnglesAt(
    unsqueeze(cast(range(tokens!), "float32"), 0),
    constant({ dtype: "float32", shape: [ROTATED / 2], data: frequencies }),
  );
  const rotated = (y: Sym) =>
    perHead === ROTATED
      ? applyRotary(y, angles)
      : concat([applyRotary(slice(y, 3, 0, ROTATED), angles), slice(y, 3, ROTATED)], 3);
  const queries = rotated(splitHeads(q, heads));
  const keys = repeatHeads(rotated(splitHeads(k, shared)), heads / shared);
  const values = repeatHeads(splitHeads(v, shared), heads / shared);
  return linear(table.linear(`${at}.out_proj`, width, width), mergeHeads(attention(queries, keys, values)));
}

/** Transform of a track's coverage before training: scale · softly clipped (mean or sum of a bin). */
interface Units {
  readonly scale: number;
  /** Larger values v become this + √(v − this). */
  readonly softClip: number;
  /** Bases that a bin's value is a mean of. */
  readonly meanOf: number;
}

/** Tracks of DNase-seq and ATAC-seq in the published human head (the package's targets.txt). */
const PUBLISHED_UNITS: readonly (Units & { readonly first: number; readonly last: number })[] = [
  { first: 1276, last: 1949, scale: 2, softClip: 32, meanOf: BIN },
  { first: 1950, last: 1959, scale: 1, softClip: 64, meanOf: 1 },
  { first: 1960, last: 2181, scale: 0.01, softClip: 96, meanOf: 1 },
];

/** Units of a track of a human head; undefined for other heads and other assays. */
export const unitsOf = (tracks: number, track: number): Units | undefined =>
  tracks === BORZOI_SIZES.tracks
    ? PUBLISHED_UNITS.find(({ first, last }) => first <= track && track <= last)
    : undefined;

/** Coverage of each bin, from the values that the track was trained on; unchanged without units. */
export function asCoverage(predicted: Sym, units: Units | undefined): Sym {
  if (units === undefined) return predicted;
  const { scale, softClip, meanOf } = units;
  const clipped = div(predicted, scale);
  const above = relu(sub(clipped, softClip));
  return mul(add(minimum(clipped, softClip), mul(above, above)), meanOf);
}
