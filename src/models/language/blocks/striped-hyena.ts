import type { NdArray } from "../../../net/arrays/array.ts";
import { add, div, mul, parameter, pow, reduceMean, reshape, split, sqrt } from "../../../net/graph/build.ts";
import { knownSize } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { attention, mergeHeads, splitHeads } from "../../../net/nn/attention.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import {
  type LongConvolution,
  longConvolution,
  longConvolutionBytes,
} from "../../../net/nn/long-convolution.ts";
import type { Norm } from "../../../net/nn/norm.ts";
import { applyRotary } from "../../../net/nn/position-encoding.ts";
import type { Architecture, InitialLaw, ReadTensor } from "../architecture.ts";
import type { LoraAdapters } from "../lora.ts";
import type { DeclaredTensor, ParameterTable } from "../parameters.ts";
import { type HyenaMixer, hyena } from "./hyena.ts";
import {
  type LayerForm,
  lastTokenClassifier,
  type TransformerFamily,
  transformerArchitecture,
} from "./transformer.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head · n modes of a filter

/** Sizes and choices of a StripedHyena. */
export interface StripedHyenaForm {
  readonly vocabulary: number;
  readonly width: number;
  readonly heads: number;
  /** Width of the feed-forward networks. */
  readonly inner: number;
  readonly maxTokens: number;
  readonly epsilon: number;
  /** Attention or a Hyena operator, layer by layer. */
  readonly mixers: readonly ("attention" | "hyena")[];
  readonly attention: {
    readonly bias: boolean;
    readonly outputBias: boolean;
    /** Base of the rotary frequencies. */
    readonly base: number;
    /** Divisor of the positions. */
    readonly divisor: number;
  };
  readonly hyena: {
    /** Taps of the short convolution. */
    readonly taps: number;
    /** Complex exponentials of a filter. */
    readonly modes: number;
    /** True if x₀, x₁ and v alternate head by head in the projection; blocks of rows otherwise. */
    readonly byHead: boolean;
  };
  activation(x: Sym): Sym;
  /** The embedding is also the head. */
  readonly tied: boolean;
}

interface Block {
  readonly mixerNorm: Norm;
  readonly mixer: AttentionMixer | ModalHyena;
  readonly feedForwardNorm: Norm;
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
}

interface AttentionMixer {
  /** d → 3d: queries, keys and values */
  readonly joint: Linear;
  readonly output: Linear;
}

interface ModalHyena extends HyenaMixer {
  /** Name of the filter, a derived tensor [t, d]. */
  readonly kernel: string;
}

/**
 * StripedHyena (Poli et al. 2023, github.com/togethercomputer/stripedhyena): Hyena operators whose filters
 * are sums of complex exponentials, and a few layers of attention with rotary positions.
 */
function family(form: StripedHyenaForm): TransformerFamily<Block> {
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
    attends: "before",
    declare: (table) => declare(table, form),
    positions: () => ({ rotary: { width: width / heads, base, divisor } }),
    /** a = x + mixer(rms₁(x)); a + W₃·(act(W₁·z) ⊙ W₂·z), z = rms₂(a) */
    layer(p, x, at) {
      const y = rms(p.mixerNorm, x, epsilon);
      const { mixer } = p;
      const mixed =
        "joint" in mixer ? attend(mixer, form, y, at) : convolve(mixer, form, y, at, convolutionOf);
      const a = add(at.at.queries.rowsOf(x), mixed);
      const z = rms(p.feedForwardNorm, a, epsilon);
      return add(a, linear(p.down, mul(form.activation(linear(p.gate, z)), linear(p.up, z))));
    },
    lastNorm: (p, x) => rms(p, x, epsilon),
    ignored: [/^score\./, /\.rotary_emb\.inv_freq$/],
    wrapped: "backbone",
    initialDeviation: 0.02,
    classifier: (labels) => lastTokenClassifier(width, labels),
  };
}

/** x / (√mean(x²) + ε) · weight over the last axis: ε is outside the root. */
const rms = ({ weight }: Norm, x: Sym, epsilon: number) =>
  mul(div(x, add(sqrt(reduceMean(pow(x, 2), [-1], { keepDims: true })), epsilon)), weight);

/** W_o·softmax(R(q)·R(k)ᵀ / √c + bias)·v.  y: [b, t, d] → [b, q, d] */
function attend(
  { joint, output }: AttentionMixer,
  { width, heads: count }: StripedHyenaForm,
  y: Sym,
  { at, all }: LayerForm,
): Sym {
  const [q, k, v] = split(linear(joint, y), -1, [width, width, width]) as readonly [Sym, Sym, Sym];
  const heads = (x: Sym) => splitHeads(x, count);
  const turned = applyRotary(heads(at.queries.rowsOf(q)), at.angles!); // [b, h, q, c]
  return linear(output, mergeHeads(attention(turned, applyRotary(heads(k), all.angles!), heads(v), at.bias)));
}

/** The Hyena operator.  y: [b, t, d] → [b, q, d] */
function convolve(
  p: ModalHyena,
  form: StripedHyenaForm,
  y: Sym,
  { at }: LayerForm,
  convolutionOf: (tokens: number) => LongConvolution,
): Sym {
  const tokens = knownSize(y.shape[1], "the number of tokens");
  return hyena(p, y, parameter(p.kernel, [tokens, form.width]), convolutionOf(tokens), {
    ...(form.hyena.byHead ? { parts: (u: Sym) => partsByHead(u, form) } : {}),
    rowsOf: at.queries.rowsOf,
  });
}

/** x₀, x₁ and v, which alternate head by head.  [b, 3d, t] → three times [b, d, t] */
function partsByHead(u: Sym, { width, heads }: StripedHyenaForm): readonly Sym[] {
  const [batch, , tokens] = u.shape;
  const own = width / heads;
  const byHead = reshape(u, [batch!, heads, 3 * own, tokens!]);
  return split(byHead, 2, [own, own, own]).map((part) => reshape(part, [batch!, width, tokens!]));
}

/**
 * Dense layers have LoRA factors. The embedding and the convolutions have none: in the official code they are
 * not of the classes that minLoRA adapts.
 */
function declare(table: ParameterTable, form: StripedHyenaForm) {
  const { width: d, inner } = form;
  const plain = { bias: false };
  const words = {
    weight: table.tensor("backbone.embedding_layer.weight", [form.vocabulary, d], {
      aliases: form.tied ? ["backbone.unembed.weight"] : [],
    }),
  };
  const norm = (at: string): Norm => ({ weight: table.tensor(`${at}.scale`, [d]) });
  const mixer = (i: number): AttentionMixer | ModalHyena => {
    if (form.mixers[i] === "attention") {
      const at = `${blockName(i)}.inner_mha_cls`;
      return {
        joint: table.linear(`${at}.Wqkv`, d, 3 * d, { bias: form.attention.bias }),
        output: table.linear(`${at}.out_proj`, d, d, { bias: form.attention.outputBias }),
      };
    }
    const at = `${blockName(i)}.filter`;
    for (const name of ["poles", "residues"]) {
      table.tensor(`${at}.${name}`, [d, form.hyena.modes, 1, 2], { hostOnly: true });
    }
    return {
      kernel: kernelName(i),
      inProjection: table.linear(`${blockName(i)}.projections`, d, 3 * d),
      shortFilter: {
        weight: table.tensor(`${at}.short_filter_weight`, [3 * d, 1, form.hyena.taps]),
        bias: table.tensor(`${at}.short_filter_bias`, [3 * d]),
      },
      skip: table.tensor(`${at}.D`, [d]),
      outProjection: table.linear(`${blockName(i)}.out_filter_dense`, d, d),
    };
  };
  return {
    words,
    layers: form.mixers.map((_, i): Block => {
      const at = blockName(i);
      return {
        mixerNorm: norm(`${at}.pre_norm`),
        mixer: mixer(i),
        feedForwardNorm: norm(`${at}.post_norm`),
        gate: table.linear(`${at}.mlp.l1`, d, inner, plain),
        up: table.linear(`${at}.mlp.l2`, d, inner, plain),
        down: table.linear(`${at}.mlp.l3`, inner, d, plain),
      };
    }),
    lastNorm: norm("backbone.norm"),
    head: form.tied ? words : { weight: table.tensor("backbone.unembed.weight", [form.vocabulary, d]) },
  };
}

const blockName = (i: number) => `backbone.blocks.${i}`;
const kernelName = (i: number) => `${blockName(i)}.filter.kernel`;

/** A StripedHyena with filters that are computed when a program is opened. */
export function stripedHyenaArchitecture(form: StripedHyenaForm, lora?: LoraAdapters): Architecture {
  return {
    ...transformerArchitecture(family(form), lora),
    takesMask: false,
    fixedLength: true,
    derive: (tokens, read) => kernels(form, tokens, read),
    derivedBytes(tokens) {
      const { matrices, perLayer } = longConvolutionBytes(tokens, form.width);
      return matrices + hyenaLayers(form).length * perLayer;
    },
    adapted: (factors) => stripedHyenaArchitecture(form, factors),
    initial,
  };
}

const hyenaLayers = ({ mixers }: StripedHyenaForm): readonly number[] =>
  [...mixers.keys()].filter((i) => mixers[i] === "hyena");

/** Filters of all Hyena layers for inputs of `tokens` tokens. */
async function kernels(
  form: StripedHyenaForm,
  tokens: number,
  read: ReadTensor,
): Promise<ReadonlyMap<string, NdArray>> {
  const derived = new Map<string, NdArray>();
  for (const i of hyenaLayers(form)) {
    const values = async (name: string) =>
      (await read(`${blockName(i)}.filter.${name}`)).data as Float32Array;
    const data = modalFilter(await values("poles"), await values("residues"), form.hyena.modes, tokens);
    derived.set(kernelName(i), { dtype: "float32", shape: [tokens, form.width], data });
  }
  return derived;
}

/**
 * k[τ, d] = Σₙ Re(r[d, n] · p[d, n]^τ) in float64 (Massaroli et al. 2023, arXiv:2310.18780). In float32, as
 * the official code computes it, the phase of a pole is off by up to 0.001 after 8,192 positions.
 *
 * @param poles     p, [d, n, 2], real and imaginary part
 * @param residues  r, [d, n, 2]
 * @param modes     n
 * @param length    t
 * @returns         [t, d], row-major
 */
function modalFilter(
  poles: Float32Array,
  residues: Float32Array,
  modes: number,
  length: number,
): Float32Array {
  const width = poles.length / (2 * modes);
  const filter = new Float32Array(length * width);
  const channel = new Float64Array(length);
  for (let d = 0; d < width; d++) {
    channel.fill(0);
    for (let at = 2 * modes * d; at < 2 * modes * (d + 1); at += 2) {
      const [pr, pi] = [poles[at], poles[at + 1]];
      let [re, im] = [residues[at], residues[at + 1]];
      for (let position = 0; position < length; position++) {
        channel[position] += re;
        const next = re * pr - im * pi;
        im = re * pi + im * pr;
        re = next;
      }
    }
    for (let position = 0; position < length; position++) filter[position * width + d] = channel[position];
  }
  return filter;
}

/**
 * The official code is for inference and initialises nothing for training. Dense weights and embeddings are
 * N(0, 0.02²), as in other decoders; poles are inside the unit circle.
 */
function initial({ name, shape }: DeclaredTensor): InitialLaw {
  if (name.endsWith(".scale")) return { kind: "constant", value: 1 };
  if (name.endsWith(".poles")) return { kind: "uniform", bound: 0.7 };
  if (name.endsWith(".residues")) return { kind: "normal", deviation: 1 / Math.sqrt(shape[1]) };
  if (name.endsWith(".short_filter_weight")) return { kind: "uniform", bound: 1 / Math.sqrt(shape[2]) };
  return shape.length === 1 ? { kind: "constant", value: 0 } : { kind: "normal", deviation: 0.02 };
}
