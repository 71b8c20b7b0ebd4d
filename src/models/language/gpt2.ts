import { z } from "zod";
import { add, cast, mul, split } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { attention, mergeHeads, splitHeads } from "../../net/nn/attention.ts";
import { type Embedding, embed, type Linear, linear } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import {
  activationSchema,
  dropoutRateSchema,
  epsilonSchema,
  type ForwardInput,
  parseConfig,
  sizeSchema,
} from "./architecture.ts";
import {
  type LayerContext,
  lastTokenClassifier,
  type TransformerFamily,
  type TransformerParameters,
  transformerArchitecture,
} from "./blocks/transformer.ts";
import { architectureCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { toyBytePairs } from "./published-checkpoints/toy-byte-pairs.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head

const schema = z
  .object({
    architectures: z.array(z.string()).default([]),
    vocab_size: sizeSchema(),
    n_embd: sizeSchema(1 << 16),
    n_layer: sizeSchema(512),
    n_head: sizeSchema(1024),
    n_positions: sizeSchema(1 << 24),
    n_inner: sizeSchema().nullish(),
    activation_function: activationSchema("gelu_new"),
    layer_norm_epsilon: epsilonSchema().default(1e-5),
    initializer_range: z.number().positive().max(10).default(0.02),
    resid_pdrop: dropoutRateSchema(),
    embd_pdrop: dropoutRateSchema(),
    attn_pdrop: dropoutRateSchema(),
    scale_attn_weights: z.boolean().default(true),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine((c) => c.n_embd % c.n_head === 0, { path: ["n_head"], error: "expected a divisor of n_embd" });

type Config = z.output<typeof schema>;

interface Layer {
  readonly attentionNorm: Norm;
  /** d → 3d: queries, keys, values */
  readonly projection: Linear;
  readonly output: Linear;
  readonly feedForwardNorm: Norm;
  readonly inner: Linear;
  readonly outer: Linear;
}

interface Parameters extends TransformerParameters<Layer> {
  readonly positions: Embedding;
}

const drop = ({ dropout }: ForwardInput, x: Sym, rate: number) => dropout?.apply(x, rate) ?? x;

/** GPT-2 (Radford et al. 2019): pre-norm layers, learned absolute positions. */
const family = (c: Config): TransformerFamily<Layer, Parameters> => ({
  width: c.n_embd,
  layers: c.n_layer,
  vocabulary: c.vocab_size,
  maxTokens: c.n_positions,
  liveValuesPerToken: 6 * c.n_embd + 2 * innerWidth(c),
  liveValuesPerPair: 2 * c.n_head + 1,
  attention: "causal",
  declare: (table) => declare(table, c),
  /** x⁰ = E[ids] + P[i] for the token at position i */
  embed: (p, input, { positions }) =>
    drop(input, add(embed(p.words, input.ids), embed(p.positions, cast(positions, "int32"))), c.embd_pdrop),
  positions: () => ({}),
  /** a = x + attention(LN₁(x)); a + W₂·f(W₁·LN₂(a)) */
  layer(p, x, context) {
    const { input } = context;
    const y = layerNorm(p.attentionNorm, x, c.layer_norm_epsilon);
    const a = add(context.queries.select(x), drop(input, attend(p, c, y, context), c.resid_pdrop));
    const z = layerNorm(p.feedForwardNorm, a, c.layer_norm_epsilon);
    const inner = c.activation_function(linear(p.inner, z));
    return add(a, drop(input, linear(p.outer, inner), c.resid_pdrop));
  },
  lastNorm: (p, x) => layerNorm(p, x, c.layer_norm_epsilon),
  ignored: [/^score\./, /\.attn\.(masked_)?bias$/],
  adaptedModule: "transformer",
  initializerRange: c.initializer_range,
  classifier: (labels) => lastTokenClassifier(c.n_embd, labels),
});

const innerWidth = ({ n_inner, n_embd }: Config) => n_inner ?? 4 * n_embd;

/**
 * W_o·softmax(s·q·kᵀ + bias)·v with (q, k, v) = W·y, where s is 1/√c in most checkpoints.  y: [b, t, d] →
 * [b, q, d]
 */
function attend(p: Layer, c: Config, y: Sym, { queries, input, index }: LayerContext): Sym {
  const d = c.n_embd;
  const [q, k, v] = split(linear(p.projection, y), -1, [d, d, d]);
  const heads = (x: Sym) => splitHeads(x, c.n_head);
  const dropWeights = (weights: Sym) => drop(input, weights, c.attn_pdrop);
  const scaled = heads(scaleQueries(queries.select(q), c, index)); // [b, h, q, c]
  const attended = attention(scaled, heads(k), heads(v), queries.bias, dropWeights); // [b, h, q, c]
  return linear(p.output, mergeHeads(attended));
}

/** s·√c·q: `attention` divides by √c. */
function scaleQueries(q: Sym, c: Config, layer: number): Sym {
  const byLayer = c.scale_attn_by_inverse_layer_idx ? layer + 1 : 1;
  const factor = (c.scale_attn_weights ? 1 : Math.sqrt(c.n_embd / c.n_head)) / byLayer;
  return factor === 1 ? q : mul(q, factor);
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.n_embd;
  const words = table.embedding("transformer.wte", c.vocab_size, d, {
    aliases: c.tie_word_embeddings ? ["lm_head.weight"] : [],
  });
  return {
    words,
    positions: table.embedding("transformer.wpe", c.n_positions, d),
    layers: Array.from({ length: c.n_layer }, (_, i): Layer => {
      const at = `transformer.h.${i}`;
      return {
        attentionNorm: table.norm(`${at}.ln_1`, d),
        projection: table.linearInputsFirst(`${at}.attn.c_attn`, d, 3 * d),
        output: table.linearInputsFirst(`${at}.attn.c_proj`, d, d),
        feedForwardNorm: table.norm(`${at}.ln_2`, d),
        inner: table.linearInputsFirst(`${at}.mlp.c_fc`, d, innerWidth(c)),
        outer: table.linearInputsFirst(`${at}.mlp.c_proj`, innerWidth(c), d),
      };
    }),
    lastNorm: table.norm("transformer.ln_f", d),
    head: c.architectures.includes("GPT2ForSequenceClassification")
      ? undefined
      : c.tie_word_embeddings
        ? { weight: words.weight }
        : table.linear("lm_head", d, c.vocab_size, { bias: false }),
  };
}

const architecture = (config: unknown, file: string) =>
  transformerArchitecture(family(parseConfig(schema, config, file)));

const toyTokens = toyBytePairs([]);

export const gpt2 = architectureCard({
  name: "gpt2",
  title: "GPT-2",
  kind: "causal",
  cite: "Radford et al. 2019, Language models are unsupervised multitask learners",
  modelTypes: ["gpt2"],
  architecture,
  tokenizerFiles: toyTokens.tokenizerFiles,
  toy: {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: "gelu_new",
    layer_norm_epsilon: 1e-5,
    n_embd: 32,
    n_head: 4,
    n_layer: 2,
    n_positions: 1024,
    vocab_size: toyTokens.vocabularySize,
  },
});
