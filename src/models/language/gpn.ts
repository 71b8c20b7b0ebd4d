import { z } from "zod";
import { add, constant, conv, gather, gelu, reduceMean, transpose } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type Linear, linear, lowRankUpdate } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import {
  type Architecture,
  type ClassifierHead,
  dropoutRateSchema,
  type ForwardInput,
  type ForwardOutput,
  parseConfig,
  sizeSchema,
} from "./architecture.ts";
import { bertInitial } from "./blocks/bert.ts";
import { architectureCard, tokenizerFilesOfSize } from "./card.ts";
import type { LoraAdapters } from "./lora.ts";
import { ParameterTable } from "./parameters.ts";

// axes: b batch · t tokens · d width · v vocabulary

const dilations = {
  dilation_double_every: sizeSchema(512).default(1),
  dilation_max: sizeSchema(1 << 20).default(9999),
  dilation_cycle: sizeSchema(512).default(8),
  dilation_base: sizeSchema(64).default(2),
};
const oddKernel = () =>
  sizeSchema(511).refine((size) => size % 2 === 1, "expected an odd number, as symmetric padding needs");

/** The first generation, `ConvNet`: the published gpn-arabidopsis and gpn-brassicales. */
const first = z.object({
  ...dilations,
  model_type: z.literal("ConvNet"),
  vocab_size: sizeSchema(4096),
  hidden_size: sizeSchema(1 << 14),
  n_layers: sizeSchema(512).default(25),
  kernel_size: oddKernel().default(9),
  dilation_max: dilations.dilation_max.default(32),
  dilation_cycle: dilations.dilation_cycle.default(6),
  n_aux_features: z.literal(0).default(0),
  hidden_dropout_prob: dropoutRateSchema(),
  initializer_range: z.number().positive().max(10).default(0.02),
});

/** The second generation, `GPN` with a convolutional encoder. */
const second = z.object({
  ...dilations,
  model_type: z.literal("GPN"),
  vocab_size: sizeSchema(4096).default(7),
  hidden_size: sizeSchema(1 << 14).default(512),
  intermediate_size: sizeSchema().default(2048),
  num_hidden_layers: sizeSchema(512).default(25),
  encoder: z.literal("convnet").default("convnet"),
  embedding: z.literal("one_hot").default("one_hot"),
  first_kernel_size: oddKernel().default(9),
  rest_kernel_size: oddKernel().default(5),
  depthwise: z.boolean().default(false),
  bias: z.boolean().default(false),
  mlm_head_transform: z.literal(true).default(true),
  n_aux_features: z.literal(0).default(0),
  /**
   * The official code also applies this dropout in every layer, which is not supported; published checkpoints
   * have 0.
   */
  hidden_dropout_prob: z.literal(0).default(0),
  classification_head: z.literal("standard").default("standard"),
  tie_word_embeddings: z.literal(false).default(false),
  initializer_range: z.number().positive().max(10).default(0.02),
});

const schema = z
  .discriminatedUnion("model_type", [first, second])
  .refine((c) => c.vocab_size <= c.hidden_size, {
    path: ["vocab_size"],
    error: "expected at most hidden_size, the width of the one-hot embedding",
  });

type Config = z.output<typeof schema>;

/** PyTorch's default epsilon of `LayerNorm`. */
const EPSILON = 1e-5;

/**
 * Parameters of a layer. The second generation normalises inputs of the sublayers, the first their outputs.
 */
interface Layer {
  readonly dilation: number;
  readonly convolution: Convolution;
  readonly convolutionNorm: Norm;
  /** W, after the convolution; absent in the first generation. */
  readonly mix: Linear | undefined;
  readonly feedForwardNorm: Norm;
  /** W₁ */
  readonly inner: Linear;
  /** W₂; absent in the first generation. */
  readonly outer: Linear | undefined;
}

interface Convolution {
  /** [d, d / groups, kernel] */
  readonly weight: Sym;
  readonly bias: Sym | undefined;
  readonly groups: number;
}

interface Parameters {
  readonly layers: readonly Layer[];
  /** Absent in the first generation. */
  readonly lastNorm: Norm | undefined;
  readonly head: { readonly dense: Linear; readonly norm: Norm; readonly decoder: Linear };
}

const layerCount = (c: Config) => (c.model_type === "GPN" ? c.num_hidden_layers : c.n_layers);

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const bias = { bias: c.model_type === "ConvNet" || c.bias };
  const convolution = (at: string, kernel: number, groups: number): Convolution => {
    const shape = [d, d / groups, kernel];
    const weight = table.tensor(`${at}.weight`, shape, { layer: "convolution" });
    const adapter = table.adapter(`${at}.weight`, shape, "convolution");
    return {
      weight: adapter === undefined ? weight : add(weight, lowRankUpdate(adapter, shape)),
      bias: bias.bias ? table.tensor(`${at}.bias`, [d]) : undefined,
      groups,
    };
  };
  const layer = (i: number): Layer => {
    const step = Math.floor((i % c.dilation_cycle) / c.dilation_double_every);
    const dilation = Math.min(c.dilation_max, c.dilation_base ** step);
    if (c.model_type === "ConvNet") {
      const at = `model.encoder.${i}`;
      return {
        dilation,
        convolution: convolution(`${at}.conv.1`, c.kernel_size, 1),
        convolutionNorm: table.norm(`${at}.conv.4`, d),
        mix: undefined,
        feedForwardNorm: table.norm(`${at}.ffn.2`, d),
        inner: table.linear(`${at}.ffn.0`, d, d),
        outer: undefined,
      };
    }
    const at = `model.encoder.layer.${i}`;
    const kernel = i === 0 ? c.first_kernel_size : c.rest_kernel_size;
    return {
      dilation,
      convolutionNorm: table.norm(`${at}.conv.0`, d, bias),
      convolution: convolution(`${at}.conv.2`, kernel, c.depthwise && i > 0 ? d : 1),
      mix: table.linear(`${at}.conv.5`, d, d, bias),
      feedForwardNorm: table.norm(`${at}.ffn.0`, d, bias),
      inner: table.linear(`${at}.ffn.1`, d, c.intermediate_size, bias),
      outer: table.linear(`${at}.ffn.3`, c.intermediate_size, d, bias),
    };
  };
  const names =
    c.model_type === "GPN"
      ? { dense: "cls.transform.0", norm: "cls.transform.2", decoder: "cls.decoder" }
      : { dense: "cls.decoder.0", norm: "cls.decoder.2", decoder: "cls.decoder.3" };
  return {
    layers: Array.from({ length: layerCount(c) }, (_, i) => layer(i)),
    lastNorm: c.model_type === "GPN" ? table.norm("model.ln_f", d, bias) : undefined,
    head: {
      dense: table.linear(names.dense, d, d, bias),
      norm: table.norm(names.norm, d, bias),
      decoder: table.linear(names.decoder, d, c.vocab_size, bias),
    },
  };
}

/** Convolution that keeps the length, with zero padding.  x: [b, t, d] → the same */
function convolve({ weight, bias, groups }: Convolution, x: Sym, dilation: number): Sym {
  const padding = (dilation * (knownSize(weight.shape[2], "a kernel") - 1)) / 2;
  const y = conv(transpose(x, [0, 2, 1]), weight, bias, {
    group: groups,
    pads: [padding, padding],
    dilation,
  });
  return transpose(y, [0, 2, 1]);
}

/**
 * One layer.  x: [b, t, d] → the same
 *
 *     second generation: a = x + W·gelu(conv(LN₁(x)));  a + W₂·gelu(W₁·LN₂(a))
 *     first generation:  a = x + LN₁(gelu(conv(x)));    a + LN₂(gelu(W₁·a))
 */
function applyLayer(p: Layer, x: Sym): Sym {
  if (p.mix === undefined || p.outer === undefined) {
    const a = add(x, layerNorm(p.convolutionNorm, gelu(convolve(p.convolution, x, p.dilation)), EPSILON));
    return add(a, layerNorm(p.feedForwardNorm, gelu(linear(p.inner, a)), EPSILON));
  }
  const y = convolve(p.convolution, layerNorm(p.convolutionNorm, x, EPSILON), p.dilation);
  const a = add(x, linear(p.mix, gelu(y)));
  return add(a, linear(p.outer, gelu(linear(p.inner, layerNorm(p.feedForwardNorm, a, EPSILON)))));
}

/**
 * x⁰ = one-hot ids, in the first v of d columns; xⁱ = layerᵢ(xⁱ⁻¹), i = 1 … n; h = LN(xⁿ), in the first
 * generation xⁿ; logits = decoder(LN(gelu(W·h))).
 */
function forward(p: Parameters, c: Config, { ids }: ForwardInput): ForwardOutput {
  const [v, d] = [c.vocab_size, c.hidden_size];
  const data = Float32Array.from({ length: v * d }, (_, at) => Number(at % d === Math.floor(at / d)));
  const states = [gather(constant({ dtype: "float32", shape: [v, d], data }), ids)];
  for (const [i, layer] of p.layers.entries()) states.push(applyLayer(layer, states[i]));
  const last = states[p.layers.length];
  const lastHidden = p.lastNorm === undefined ? last : layerNorm(p.lastNorm, last, EPSILON);
  const { dense, norm, decoder } = p.head;
  return {
    hiddenStates: [lastHidden],
    lastHidden,
    logits: linear(decoder, layerNorm(norm, gelu(linear(dense, lastHidden)), EPSILON)),
  };
}

function build(c: Config, lora?: LoraAdapters): Architecture {
  const table = new ParameterTable(lora);
  const p = declare(table, c);
  const inner = c.model_type === "GPN" ? c.intermediate_size : c.hidden_size;
  return {
    width: c.hidden_size,
    layers: layerCount(c),
    vocabulary: c.vocab_size,
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/^classifier\./],
    takesMask: false,
    fixedLength: false,
    liveValuesPerToken: 4 * c.hidden_size + 2 * inner,
    forward: (input) => forward(p, c, input),
    classifier: (labels) => classifier(c, labels),
    adaptedModules: ["model"],
    withLora: (factors) => build(c, factors),
    initializer: (tensor) => bertInitial(tensor, c.initializer_range),
  };
}

/**
 * The official code's standard head: W₂·gelu(W₁·s), where s is the mean state, normalised in the second
 * generation.
 */
function classifier(c: Config, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const d = c.hidden_size;
  const bias = { bias: c.model_type === "ConvNet" || c.bias };
  const norm = c.model_type === "GPN" ? table.norm("classifier.ln", d, bias) : undefined;
  const dense = table.linear("classifier.dense", d, d, bias);
  const out = table.linear("classifier.out_proj", d, labels, bias);
  return {
    tensors: [...table.tensors.values()],
    logits({ lastHidden }, { dropout }) {
      const drop = (x: Sym) => dropout?.apply(x, c.hidden_dropout_prob) ?? x;
      const mean = reduceMean(lastHidden, [1]);
      const pooled = norm === undefined ? mean : layerNorm(norm, mean, EPSILON);
      return linear(out, drop(gelu(linear(dense, drop(pooled)))));
    },
  };
}

const architecture = (config: unknown, file: string) => build(parseConfig(schema, config, file));

/** Tokenizer of the published checkpoints: bases in lower case, no special tokens at the ends. */
const TOKENIZER = {
  version: "1.0",
  added_tokens: ["[PAD]", "[MASK]", "[UNK]"].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: "Lowercase" },
  pre_tokenizer: { type: "Whitespace" },
  post_processor: null,
  decoder: null,
  model: {
    type: "BPE",
    dropout: null,
    unk_token: "[UNK]",
    fuse_unk: false,
    vocab: { "[PAD]": 0, "[MASK]": 1, "[UNK]": 2, a: 3, c: 4, g: 5, t: 6 },
    merges: [],
  },
};

export const gpn = architectureCard({
  name: "gpn",
  title: "GPN",
  kind: "masked",
  cite: "Benegas, Batra & Song 2023, doi:10.1073/pnas.2311219120",
  modelTypes: ["GPN", "ConvNet"],
  architecture,
  tokenizerFiles: tokenizerFilesOfSize(7, { "tokenizer.json": `${JSON.stringify(TOKENIZER)}\n` }),
  toy: {
    architectures: ["GPNForMaskedLM"],
    model_type: "GPN",
    vocab_size: 7,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 3,
    encoder: "convnet",
    embedding: "one_hot",
    first_kernel_size: 9,
    rest_kernel_size: 5,
    bias: false,
  },
});
