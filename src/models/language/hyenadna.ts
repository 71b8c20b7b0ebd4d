import { z } from "zod";
import { hyenadnaTokenizer } from "../../dna/tokenizers/one-letter.ts";
import { dataOf, type NdArray } from "../../net/arrays/array.ts";
import { add, gelu, parameter, slice, squeeze } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type Embedding, embed, type Linear, linear } from "../../net/nn/linear.ts";
import {
  type LongConvolution,
  longConvolution,
  longConvolutionBytes,
} from "../../net/nn/long-convolution.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import {
  type Architecture,
  type ClassifierHead,
  epsilonSchema,
  type Initializer,
  parseConfig,
  type ReadTensor,
  sizeSchema,
} from "./architecture.ts";
import {
  decayRates,
  type FilterNetwork,
  filterGraph,
  type HyenaMixer,
  hyena,
  implicitFilter,
  positionalFeatures,
} from "./blocks/hyena.ts";
import type { LanguageModelCard } from "./card.ts";
import type { LoraAdapters } from "./lora.ts";
import { type DeclaredTensor, ParameterTable } from "./parameters.ts";
import { hyenadnaCheckpoints } from "./published-checkpoints/hyenadna.ts";

// axes: b batch · t tokens · d width · v vocabulary
// M longest input · e positional features · f hidden units of the filter's network

const schema = z.object({
  d_model: sizeSchema(),
  n_layer: sizeSchema(512),
  d_inner: sizeSchema(),
  max_seq_len: sizeSchema(1 << 24),
  vocab_size: sizeSchema(),
  pad_vocab_size_multiple: sizeSchema(1024),
  emb_dim: sizeSchema(64).refine((e) => e >= 3 && e % 2 === 1, "expected an odd number from 3 up"),
  filter_order: sizeSchema(4096),
  short_filter_order: sizeSchema(64),
  hyena_order: z.literal(2),
  num_inner_mlps: z.literal(2),
  activation_freq: z.number().default(10),
  layer_norm_epsilon: epsilonSchema(),
  initializer_range: z.number().positive().max(10).default(0.02),
});

type Config = z.output<typeof schema>;

/**
 * PyTorch's default epsilon, of the norms in blocks: `layer_norm_epsilon` applies to the final norm alone.
 */
const BLOCK_EPSILON = 1e-5;

interface Block {
  readonly filter: FilterNetwork;
  readonly norm1: Norm;
  readonly mixer: HyenaMixer;
  readonly norm2: Norm;
  readonly fc1: Linear;
  readonly fc2: Linear;
}

interface Parameters {
  readonly embedding: Embedding;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  readonly head: Linear;
}

const layerName = (i: number) => `hyena.backbone.layers.${i}`;
const filterName = (i: number) => `${layerName(i)}.mixer.filter_fn`;
/** Name of the tensor that `kernels` derives: a block's filter. */
const kernelName = (i: number) => `${filterName(i)}.kernel`;

function declare(table: ParameterTable, c: Config, vocabulary: number): Parameters {
  const d = c.d_model;
  return {
    embedding: table.embedding("hyena.backbone.embeddings.word_embeddings", vocabulary, d),
    blocks: Array.from({ length: c.n_layer }, (_, i) => {
      const at = layerName(i);
      return {
        filter: declareFilter(table, c, i),
        norm1: table.norm(`${at}.norm1`, d),
        mixer: {
          inProjection: table.linear(`${at}.mixer.in_proj`, d, 3 * d),
          shortFilter: table.depthwise(`${at}.mixer.short_filter`, 3 * d, c.short_filter_order),
          skip: table.tensor(`${filterName(i)}.bias`, [d]),
          outProjection: table.linear(`${at}.mixer.out_proj`, d, d),
        },
        norm2: table.norm(`${at}.norm2`, d),
        fc1: table.linear(`${at}.mlp.fc1`, d, c.d_inner),
        fc2: table.linear(`${at}.mlp.fc2`, c.d_inner, d),
      };
    }),
    finalNorm: table.norm("hyena.backbone.ln_f", d),
    head: table.linear("lm_head", d, vocabulary, { bias: false }),
  };
}

function declareFilter(table: ParameterTable, c: Config, i: number): FilterNetwork {
  const at = filterName(i);
  const network = `${at}.implicit_filter`;
  const f = c.filter_order;
  table.tensor(`${at}.pos_emb.z`, [1, c.max_seq_len, c.emb_dim], { hostOnly: true, buffer: true });
  table.tensor(`${at}.pos_emb.t`, [1, c.max_seq_len, 1], { hostOnly: true, buffer: true });
  const first = table.linear(`${network}.0`, c.emb_dim, f);
  // One module that is used three times: checkpoints store it under any of the three names.
  const frequency = table.tensor(`${network}.1.freq`, [1, f], {
    aliases: [`${network}.3.freq`, `${network}.5.freq`],
  });
  return {
    frequency,
    hidden: [first, table.linear(`${network}.2`, f, f), table.linear(`${network}.4`, f, f)],
    output: table.linear(`${network}.6`, f, c.d_model, { bias: false }),
    decay: table.tensor(`${at}.modulation.deltas`, [1, 1, c.d_model], { buffer: true }),
  };
}

/** a = x + hyena(LN₁(x)); a + fc₂(gelu(fc₁(LN₂(a)))).  x: [b, t, d] → the same */
function block(p: Block, x: Sym, kernel: Sym, long: LongConvolution): Sym {
  const a = add(x, hyena(p.mixer, layerNorm(p.norm1, x, BLOCK_EPSILON), kernel, long));
  const inner = gelu(linear(p.fc1, layerNorm(p.norm2, a, BLOCK_EPSILON)), "tanh");
  return add(a, linear(p.fc2, inner));
}

const architecture = (config: unknown, file: string) => build(parseConfig(schema, config, file));

function build(c: Config, lora?: LoraAdapters): Architecture {
  const vocabulary = Math.ceil(c.vocab_size / c.pad_vocab_size_multiple) * c.pad_vocab_size_multiple;
  const table = new ParameterTable(lora);
  const p = declare(table, c, vocabulary);
  return {
    width: c.d_model,
    layers: c.n_layer,
    vocabulary,
    maxTokens: c.max_seq_len,
    tensors: [...table.tensors.values()],
    ignored: [/\.implicit_filter\.[35]\.freq$/, /^score\./],
    takesMask: false,
    fixedLength: true,
    liveValuesPerToken: 8 * c.d_model + 2 * c.d_inner,
    classifier: (labels) => classifier(c, labels),
    initializer: (tensor) => initial(tensor, c),
    adaptedModules: ["hyena"],
    withLora: (factors) => build(c, factors),
    derive: (tokens, read) => (lora === undefined ? kernels : features)(c, tokens, read),
    derivedBytes(tokens) {
      const { matrices, perLayer } = longConvolutionBytes(tokens, c.d_model);
      return matrices + c.n_layer * perLayer;
    },
    forward({ ids }, symbolic) {
      const tokens = knownSize(symbolic, "the number of tokens");
      const long = longConvolution(tokens);
      const hiddenStates = [embed(p.embedding, ids)];
      p.blocks.forEach((each, i) => {
        const kernel =
          lora === undefined
            ? parameter(kernelName(i), [tokens, c.d_model])
            : filterGraph(each.filter, featuresOf(c, i, tokens));
        hiddenStates.push(block(each, hiddenStates[i], kernel, long));
      });
      const lastHidden = layerNorm(p.finalNorm, hiddenStates[p.blocks.length], c.layer_norm_epsilon);
      return { hiddenStates: [...hiddenStates, lastHidden], lastHidden, logits: linear(p.head, lastHidden) };
    },
  };
}

/** The dense layer `score` on the state of the last token, [SEP]. Rows have equal length. */
function classifier(c: Config, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const score = table.linear("score", c.d_model, labels, { bias: false });
  return {
    tensors: [...table.tensors.values()],
    logits: ({ lastHidden }) => linear(score, squeeze(slice(lastHidden, 1, -1), 1)),
  };
}

const bufferName = (i: number, buffer: "z" | "t") => `${filterName(i)}.pos_emb.${buffer}.first`;

/** The first t rows of a block's positional buffers: z [t, e] and time [t, 1]. */
const featuresOf = (c: Config, i: number, tokens: number) => ({
  features: parameter(bufferName(i, "z"), [tokens, c.emb_dim]),
  time: parameter(bufferName(i, "t"), [tokens, 1]),
});

/**
 * Positional features for filters with LoRA factors, which the graph computes because each step changes them.
 */
async function features(c: Config, tokens: number, read: ReadTensor): Promise<ReadonlyMap<string, NdArray>> {
  const derived = new Map<string, NdArray>();
  for (let i = 0; i < c.n_layer; i++) {
    for (const [buffer, width] of [
      ["z", c.emb_dim],
      ["t", 1],
    ] as const) {
      const { data } = await read(`${filterName(i)}.pos_emb.${buffer}`, [0, tokens]);
      derived.set(bufferName(i, buffer), { dtype: "float32", shape: [tokens, width], data });
    }
  }
  return derived;
}

/**
 * Filters of all blocks, each [t, d], for rows of `tokens` tokens. Reads only t rows of the positional
 * buffers.
 */
async function kernels(c: Config, tokens: number, read: ReadTensor): Promise<ReadonlyMap<string, NdArray>> {
  const derived = new Map<string, NdArray>();
  for (let i = 0; i < c.n_layer; i++) {
    const values = async (name: string, rows?: readonly [number, number]) =>
      dataOf(await read(`${filterName(i)}.${name}`, rows), "float32");
    const filter = implicitFilter({
      features: await values("pos_emb.z", [0, tokens]),
      time: await values("pos_emb.t", [0, tokens]),
      decay: await values("modulation.deltas"),
      frequency: await values("implicit_filter.1.freq"),
      hidden: await Promise.all(
        [0, 2, 4].map(async (at) => ({
          weight: await values(`implicit_filter.${at}.weight`),
          bias: await values(`implicit_filter.${at}.bias`),
        })),
      ),
      output: await values("implicit_filter.6.weight"),
    });
    derived.set(kernelName(i), { dtype: "float32", shape: [tokens, c.d_model], data: filter });
  }
  return derived;
}

/**
 * Initialisation as in the official code: dense weights and the embedding N(0, initializer_range²), dense
 * biases 0, everything else by PyTorch's defaults.
 */
function initial({ name, shape }: DeclaredTensor, c: Config): Initializer {
  if (name.endsWith("pos_emb.z")) {
    return { kind: "values", values: () => positionalFeatures(c.max_seq_len, c.emb_dim).z };
  }
  if (name.endsWith("pos_emb.t")) {
    return { kind: "values", values: () => positionalFeatures(c.max_seq_len, c.emb_dim).time };
  }
  if (name.endsWith("deltas")) return { kind: "values", values: () => decayRates(c.d_model) };
  if (name.endsWith("freq")) return { kind: "constant", value: c.activation_freq };
  if (name.includes("short_filter")) return { kind: "uniform", bound: 1 / Math.sqrt(c.short_filter_order) };
  if (name.endsWith("filter_fn.bias")) return { kind: "normal", std: 1 };
  if (/norm[12]\.weight$|ln_f\.weight$/.test(name)) return { kind: "constant", value: 1 };
  if (shape.length === 1) return { kind: "constant", value: 0 };
  return { kind: "normal", std: c.initializer_range };
}

export const hyenadna: LanguageModelCard = {
  name: "hyenadna",
  title: "HyenaDNA",
  publishedAs: "HyenaDNA",
  kind: "causal",
  tokens: "one-letter",
  toy: true,
  cite: "Nguyen et al. 2023, arXiv:2306.15794",
  licence: "BSD-3-Clause",
  recognises: ({ model_type }) => model_type === "hyenadna",
  architecture,
  tokenizer: async () => hyenadnaTokenizer(),
  ...hyenadnaCheckpoints,
};
