import type { NdArray } from "../../../net/arrays/array.ts";
import {
  add,
  div,
  expand,
  mul,
  parameter,
  pow,
  reduceMean,
  reshape,
  split,
  sqrt,
} from "../../../net/graph/build.ts";
import { knownSize } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { attention, mergeHeads, splitHeads } from "../../../net/nn/attention.ts";
import { shortCausalConvolution } from "../../../net/nn/convolution.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import {
  type LongConvolution,
  longConvolution,
  longConvolutionBytes,
} from "../../../net/nn/long-convolution.ts";
import type { Norm } from "../../../net/nn/norm.ts";
import type { Architecture, Initializer, ReadTensor } from "../architecture.ts";
import type { LoraAdapters } from "../lora.ts";
import type { DeclaredTensor, ParameterTable } from "../parameters.ts";
import { gatedConvolution, type HyenaMixer, hyena, swapTokensAndChannels } from "./hyena.ts";
import { type FilterForm, isLong, longFilter, storedFilter } from "./hyena-filters.ts";
import {
  type LayerContext,
  lastTokenClassifier,
  rotated,
  type TransformerFamily,
  transformerArchitecture,
} from "./transformer.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head · n modes of a filter

/** Sizes and variants of a StripedHyena. */
export interface StripedHyenaConfig {
  /** Prefix of all tensor names: "backbone." or "". */
  readonly prefix: string;
  readonly vocabulary: number;
  readonly width: number;
  readonly heads: number;
  /** Width of the feed-forward networks. */
  readonly inner: number;
  readonly maxTokens: number;
  readonly epsilon: number;
  /** Mixer of each layer: attention, or a Hyena operator with these filters. */
  readonly mixers: readonly ("attention" | FilterForm)[];
  readonly attention: {
    readonly bias: boolean;
    readonly outputBias: boolean;
    /**
     * True if the projection's rows are ordered by head and then q, k, v; false for q, k, v and then head.
     */
    readonly byHead: boolean;
    /** Base of the rotary frequencies. */
    readonly base: number;
    /** Positions are divided by this number. */
    readonly divisor: number;
  };
  readonly hyena: {
    readonly bias: boolean;
    readonly outputBias: boolean;
    /** Taps of the short convolution. */
    readonly taps: number;
    /** True if the short convolution has a bias. */
    readonly shortBias: boolean;
    /**
     * Order of x₀, x₁ and v in the projection's rows: three blocks, or alternating head by head or channel by
     * channel.
     */
    readonly order: "blocks" | "heads" | "channels";
  };
  activation(x: Sym, layer: number): Sym;
  /** True if the head has the weights of the embedding. */
  readonly tied: boolean;
}

interface Block {
  readonly mixerNorm: Norm;
  readonly mixer: AttentionMixer | LongHyena | ShortHyena;
  readonly feedForwardNorm: Norm;
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
}

interface AttentionMixer {
  /** d → 3d: queries, keys and values */
  readonly projection: Linear;
  readonly output: Linear;
}

interface LongHyena extends HyenaMixer {
  /** Name of the derived tensor of the filters: [t, d] */
  readonly kernel: string;
}

interface ShortHyena extends Omit<HyenaMixer, "skip"> {
  /** [g, 1, taps] */
  readonly filter: Sym;
}

/**
 * StripedHyena (Poli et al. 2023, github.com/togethercomputer/stripedhyena) and StripedHyena 2 (Ku et al.
 * 2025, arXiv:2503.01868): layers of Hyena operators and a few of attention with rotary positions.
 */
function family(form: StripedHyenaConfig): TransformerFamily<Block> {
  const { width, heads, inner, epsilon } = form;
  const { base, divisor } = form.attention;
  let long: LongConvolution | undefined;
  const convolutionOf = (tokens: number) => {
    if (long?.length !== tokens) long = longConvolution(tokens);
    return long;
  };
  return {
    width,
    layers: form.mixers.length,
    vocabulary: form.vocabulary,
    maxTokens: form.maxTokens,
    liveValuesPerToken: 10 * width + 3 * inner,
    liveValuesPerPair: 2 * heads + 1,
    attention: "causal",
    declare: (table) => declare(table, form),
    positions: () => ({
      rotary: { width: width / heads, base, scaling: { kind: "linear", factor: divisor } },
    }),
    /** a = x + mixer(rms₁(x)); a + W_down·(f(W_gate·z) ⊙ W_up·z), z = rms₂(a) */
    layer(p, x, context) {
      const y = rms(p.mixerNorm, x, epsilon);
      const a = add(context.queries.select(x), mix(p.mixer, form, y, context, convolutionOf));
      const z = rms(p.feedForwardNorm, a, epsilon);
      const gate = form.activation(linear(p.gate, z), context.index);
      return add(a, linear(p.down, mul(gate, linear(p.up, z))));
    },
    lastNorm: (p, x) => rms(p, x, epsilon),
    ignored: [/^score\./, /\.rotary_emb\.inv_freq$/, /\._extra_state$/],
    adaptedModule: form.prefix === "" ? "blocks" : form.prefix.slice(0, -1),
    initializerRange: 0.02,
    classifier: (labels) => lastTokenClassifier(width, labels),
  };
}

/** x / (√mean(x²) + ε) · weight over the last axis: unlike in `rmsNorm`, ε is outside the root. */
const rms = ({ weight }: Norm, x: Sym, epsilon: number) =>
  mul(div(x, add(sqrt(reduceMean(pow(x, 2), [-1], { keepDims: true })), epsilon)), weight);

/** Attention or the Hyena operator.  y: [b, t, d] → [b, q, d] */
function mix(
  p: Block["mixer"],
  form: StripedHyenaConfig,
  y: Sym,
  context: LayerContext,
  convolutionOf: (tokens: number) => LongConvolution,
): Sym {
  if ("projection" in p) return attend(p, form, y, context);
  const { width } = form;
  const splitProjections = {
    blocks: undefined,
    heads: (u: Sym) => splitByHead(u, form),
    channels: (u: Sym) => splitByHead(u, { width, heads: width }),
  }[form.hyena.order];
  const options = { splitProjections, selectQueries: context.queries.select };
  if ("filter" in p) return gatedConvolution(p, y, (z) => convolveShort(p.filter, z), options);
  const tokens = knownSize(y.shape[1], "the number of tokens");
  return hyena(p, y, parameter(p.kernel, [tokens, width]), convolutionOf(tokens), options);
}

/** W_o·softmax(R(q)·R(k)ᵀ / √c + bias)·v.  y: [b, t, d] → [b, q, d] */
function attend(
  { projection, output }: AttentionMixer,
  form: StripedHyenaConfig,
  y: Sym,
  { queries, keys }: LayerContext,
): Sym {
  const { width, heads: count } = form;
  const projected = linear(projection, y); // [b, t, 3d]
  const [q, k, v] = form.attention.byHead
    ? splitByHead(swapTokensAndChannels(projected), form).map(swapTokensAndChannels)
    : split(projected, -1, [width, width, width]);
  const heads = (x: Sym) => splitHeads(x, count);
  const rotatedQ = rotated(heads(queries.select(q)), queries); // [b, h, q, c]
  const rotatedK = rotated(heads(k), keys); // [b, h, t, c]
  return linear(output, mergeHeads(attention(rotatedQ, rotatedK, heads(v), queries.bias)));
}

/** Splits channels that are ordered by head and then by part.  [b, 3d, t] → three times [b, d, t] */
function splitByHead(u: Sym, { width, heads }: Pick<StripedHyenaConfig, "width" | "heads">): readonly Sym[] {
  const [batch, , tokens] = u.shape;
  const perHead = width / heads;
  const byHead = reshape(u, [batch, heads, 3 * perHead, tokens]);
  return split(byHead, 2, [perHead, perHead, perHead]).map((part) => reshape(part, [batch, width, tokens]));
}

/** Causal convolution with one filter per group of consecutive channels.  z: [b, d, t] → [b, t, d] */
function convolveShort(filter: Sym, z: Sym): Sym {
  const [groups, , taps] = filter.shape.map((size) => knownSize(size, "a filter"));
  const width = knownSize(z.shape[1], "the channels");
  const weight = reshape(expand(filter, [groups, width / groups, taps]), [width, 1, taps]);
  return swapTokensAndChannels(shortCausalConvolution({ weight }, z));
}

/**
 * Declares all parameters. Only dense layers have LoRA factors: minLoRA does not adapt the classes that the
 * official code uses for the embedding and the convolutions.
 */
function declare(table: ParameterTable, form: StripedHyenaConfig) {
  const { prefix, width: d, inner } = form;
  const plain = { bias: false };
  const words = {
    weight: table.tensor(`${prefix}embedding_layer.weight`, [form.vocabulary, d], {
      aliases: form.tied ? [`${prefix}unembed.weight`] : [],
    }),
  };
  const norm = (at: string): Norm => ({ weight: table.tensor(`${at}.scale`, [d]) });
  return {
    words,
    layers: form.mixers.map((mixer, i): Block => {
      const at = blockName(form, i);
      return {
        mixerNorm: norm(`${at}.pre_norm`),
        mixer:
          mixer === "attention" ? declareAttention(table, form, at) : declareHyena(table, form, at, mixer),
        feedForwardNorm: norm(`${at}.post_norm`),
        gate: table.linear(`${at}.mlp.l1`, d, inner, plain),
        up: table.linear(`${at}.mlp.l2`, d, inner, plain),
        down: table.linear(`${at}.mlp.l3`, inner, d, plain),
      };
    }),
    lastNorm: norm(`${prefix}norm`),
    head: form.tied ? words : { weight: table.tensor(`${prefix}unembed.weight`, [form.vocabulary, d]) },
  };
}

function declareAttention(table: ParameterTable, { width: d, attention }: StripedHyenaConfig, block: string) {
  const at = `${block}.inner_mha_cls`;
  return {
    projection: table.linear(`${at}.Wqkv`, d, 3 * d, { bias: attention.bias }),
    output: table.linear(`${at}.out_proj`, d, d, { bias: attention.outputBias }),
  };
}

function declareHyena(
  table: ParameterTable,
  { width: d, hyena }: StripedHyenaConfig,
  block: string,
  filter: FilterForm,
): LongHyena | ShortHyena {
  const at = `${block}.filter`;
  const mixer = {
    inProjection: table.linear(`${block}.projections`, d, 3 * d, { bias: hyena.bias }),
    shortFilter: {
      weight: table.tensor(`${at}.short_filter_weight`, [3 * d, 1, hyena.taps]),
      bias: hyena.shortBias ? table.tensor(`${at}.short_filter_bias`, [3 * d]) : undefined,
    },
    outProjection: table.linear(`${block}.out_filter_dense`, d, d, { bias: hyena.outputBias }),
  };
  const stored = storedFilter(filter, d).map(([name, shape]) =>
    table.tensor(`${at}.${name}`, shape, { hostOnly: isLong(filter) }),
  );
  return isLong(filter)
    ? { ...mixer, skip: table.tensor(`${at}.D`, [d]), kernel: kernelName(block) }
    : { ...mixer, filter: stored[0] };
}

const blockName = ({ prefix }: StripedHyenaConfig, i: number) => `${prefix}blocks.${i}`;
const kernelName = (block: string) => `${block}.filter.kernel`;

/** A StripedHyena, whose long filters are derived tensors. */
export function stripedHyenaArchitecture(form: StripedHyenaConfig, lora?: LoraAdapters): Architecture {
  return {
    ...transformerArchitecture(family(form), lora),
    takesMask: false,
    fixedLength: true,
    derive: (tokens, read) => kernels(form, tokens, read),
    derivedBytes(tokens) {
      const { matrices, perLayer } = longConvolutionBytes(tokens, form.width);
      return matrices + longFilters(form).length * perLayer;
    },
    withLora: (factors) => stripedHyenaArchitecture(form, factors),
    initializer: initial,
  };
}

const longFilters = (form: StripedHyenaConfig) =>
  form.mixers.flatMap((filter, i) =>
    filter === "attention" || !isLong(filter) ? [] : [{ filter, block: blockName(form, i) }],
  );

/** Long filters of all layers for inputs of `tokens` tokens, each [t, d]. */
async function kernels(
  form: StripedHyenaConfig,
  tokens: number,
  read: ReadTensor,
): Promise<ReadonlyMap<string, NdArray>> {
  const { width } = form;
  const derived = new Map<string, NdArray>();
  for (const { filter, block } of longFilters(form)) {
    const data = await longFilter(filter, { width, tokens }, (name) => read(`${block}.filter.${name}`));
    derived.set(kernelName(block), { dtype: "float32", shape: [tokens, width], data });
  }
  return derived;
}

/**
 * Initialisation of our own, as the official code has none: dense weights and embeddings N(0, 0.02²), as in
 * other decoders, and poles inside the unit circle.
 */
function initial({ name, shape }: DeclaredTensor): Initializer {
  if (name.endsWith(".scale")) return { kind: "constant", value: 1 };
  if (name.endsWith(".poles")) return { kind: "uniform", bound: 0.7 };
  if (name.endsWith(".log_poles")) return { kind: "quantile", quantile: (u) => -u };
  if (name.endsWith(".residues")) return { kind: "normal", std: 1 / Math.sqrt(shape[1]) };
  if (/\.(short_filter_weight|h)$/.test(name)) return { kind: "uniform", bound: 1 / Math.sqrt(shape[2]) };
  return shape.length === 1 ? { kind: "constant", value: 0 } : { kind: "normal", std: 0.02 };
}
