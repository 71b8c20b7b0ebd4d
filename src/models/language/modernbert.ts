import { z } from "zod";
import { add, div, mul, reduceSum, slice, squeeze, unsqueeze } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { attention, mergeHeads, splitHeads } from "../../net/nn/attention.ts";
import {
  embed,
  type FeedForward,
  gatedFeedForward,
  type Linear,
  linear,
  rowBlocks,
} from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import {
  activationSchema,
  type ClassifierHead,
  epsilonSchema,
  LAYER_TYPES_FIT,
  type LayerType,
  layerTypesSchema,
  parseConfig,
  sizeSchema,
} from "./architecture.ts";
import { HEADS_FIT } from "./blocks/bert.ts";
import { ropeSchema, rotaryForm } from "./blocks/rotary.ts";
import {
  type LayerContext,
  rotated,
  type TransformerFamily,
  type TransformerParameters,
  transformerArchitecture,
} from "./blocks/transformer.ts";
import { architectureCard } from "./card.ts";
import { ParameterTable } from "./parameters.ts";
import { toyBytePairs } from "./published-checkpoints/toy-byte-pairs.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head

const schema = z
  .object({
    vocab_size: sizeSchema(),
    hidden_size: sizeSchema(1 << 16),
    num_hidden_layers: sizeSchema(512),
    num_attention_heads: sizeSchema(1024),
    intermediate_size: sizeSchema(),
    max_position_embeddings: sizeSchema(1 << 24),
    hidden_activation: activationSchema("gelu"),
    classifier_activation: activationSchema("gelu"),
    classifier_pooling: z.enum(["cls", "mean"]).default("cls"),
    norm_eps: epsilonSchema().default(1e-5),
    norm_bias: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    classifier_bias: z.boolean().default(false),
    decoder_bias: z.boolean().default(true),
    attention_dropout: z.literal(0).default(0),
    embedding_dropout: z.literal(0).default(0),
    mlp_dropout: z.literal(0).default(0),
    classifier_dropout: z.literal(0).default(0),
    global_attn_every_n_layers: sizeSchema(512).default(3),
    local_attention: sizeSchema(1 << 24).default(128),
    global_rope_theta: z.number().positive().default(160_000),
    local_rope_theta: z.number().positive().nullable().default(10_000),
    layer_types: layerTypesSchema(),
    rope_parameters: z.object({ full_attention: ropeSchema(), sliding_attention: ropeSchema() }).nullish(),
    tie_word_embeddings: z.boolean().default(true),
    initializer_range: z.number().positive().max(10).default(0.02),
  })
  .refine(...HEADS_FIT)
  .refine(...LAYER_TYPES_FIT)
  .refine((c) => (c.hidden_size / c.num_attention_heads) % 2 === 0, {
    path: ["num_attention_heads"],
    error: "expected heads of even width, as rotary positions need",
  });

type Config = z.output<typeof schema>;

interface Layer {
  /** Absent from the first layer, which follows the norm of the embeddings. */
  readonly attentionNorm: Norm | undefined;
  /** d → 3d: queries, keys, values */
  readonly projection: Linear;
  readonly output: Linear;
  readonly feedForwardNorm: Norm;
  readonly feedForward: FeedForward;
}

interface Parameters extends TransformerParameters<Layer> {
  readonly embeddingNorm: Norm;
  readonly head: Linear;
  readonly headDense: Linear;
  readonly headNorm: Norm;
}

/**
 * ModernBERT (Warner et al. 2024, arXiv:2412.13663): pre-norm layers with GEGLU and rotary positions. Every
 * n-th layer attends to all tokens, the others to a window.
 */
const family = (c: Config): TransformerFamily<Layer, Parameters> => ({
  width: c.hidden_size,
  layers: c.num_hidden_layers,
  vocabulary: c.vocab_size,
  maxTokens: c.max_position_embeddings,
  liveValuesPerToken: 6 * c.hidden_size + 3 * c.intermediate_size,
  liveValuesPerPair: 2 * c.num_attention_heads + 1,
  attention: "bidirectional",
  declare: (table) => declare(table, c),
  /** x⁰ = LN(E[ids]) */
  embed: (p, { ids }) => layerNorm(p.embeddingNorm, embed(p.words, ids), c.norm_eps),
  positions(layer) {
    const type = c.layer_types?.[layer] ?? typeOf(layer, c);
    const isGlobal = type === "full_attention";
    const rotary = rotaryForm(c.rope_parameters?.[type], {
      headWidth: c.hidden_size / c.num_attention_heads,
      base: isGlobal ? c.global_rope_theta : (c.local_rope_theta ?? c.global_rope_theta),
      context: c.max_position_embeddings,
    });
    return isGlobal ? { rotary } : { rotary, window: Math.floor(c.local_attention / 2) };
  },
  /** a = x + attention(LN₁(x)); a + W₂·(f(g) ⊙ u) with (g, u) = W₁·LN₂(a) */
  layer(p, x, context) {
    const y = p.attentionNorm === undefined ? x : layerNorm(p.attentionNorm, x, c.norm_eps);
    const a = add(context.queries.select(x), attend(p, c, y, context));
    const z = layerNorm(p.feedForwardNorm, a, c.norm_eps);
    return add(a, gatedFeedForward(p.feedForward, z, c.hidden_activation));
  },
  lastNorm: (p, x) => layerNorm(p, x, c.norm_eps),
  statesBeforeNorm: true,
  /** decoder(LN(f(W·h))) */
  logits: (p, h) => linear(p.head, predictionHead(p, h, c)),
  ignored: [/^classifier\./],
  adaptedModule: "model",
  initializerRange: c.initializer_range,
  classifier: (labels) => classifier(c, labels),
});

/** Layers 0, n, 2n, … attend to all tokens. */
const typeOf = (layer: number, c: Config): LayerType =>
  layer % c.global_attn_every_n_layers === 0 ? "full_attention" : "sliding_attention";

/** LN(f(W·h)) */
const predictionHead = (p: Pick<Parameters, "headDense" | "headNorm">, h: Sym, c: Config) =>
  layerNorm(p.headNorm, c.classifier_activation(linear(p.headDense, h)), c.norm_eps);

/** W_o·softmax(R(q)·R(k)ᵀ / √c + bias)·v.  y: [b, t, d] → [b, q, d] */
function attend(p: Layer, c: Config, y: Sym, { queries, keys }: LayerContext): Sym {
  const [query, key, value] = rowBlocks(p.projection, 3);
  const heads = (layer: Linear, x: Sym) => splitHeads(linear(layer, x), c.num_attention_heads);
  const q = rotated(heads(query, queries.select(y)), queries); // [b, h, q, c]
  const k = rotated(heads(key, y), keys); // [b, h, t, c]
  return linear(p.output, mergeHeads(attention(q, k, heads(value, y), queries.bias)));
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const norm = (at: string) => table.norm(at, d, { bias: c.norm_bias });
  const words = table.embedding("model.embeddings.tok_embeddings", c.vocab_size, d, {
    aliases: c.tie_word_embeddings ? ["decoder.weight"] : [],
  });
  return {
    words,
    embeddingNorm: norm("model.embeddings.norm"),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i): Layer => {
      const at = `model.layers.${i}`;
      return {
        attentionNorm: i === 0 ? undefined : norm(`${at}.attn_norm`),
        projection: table.linear(`${at}.attn.Wqkv`, d, 3 * d, { bias: c.attention_bias }),
        output: table.linear(`${at}.attn.Wo`, d, d, { bias: c.attention_bias }),
        feedForwardNorm: norm(`${at}.mlp_norm`),
        feedForward: {
          inner: table.linear(`${at}.mlp.Wi`, d, 2 * c.intermediate_size, { bias: c.mlp_bias }),
          outer: table.linear(`${at}.mlp.Wo`, c.intermediate_size, d, { bias: c.mlp_bias }),
        },
      };
    }),
    lastNorm: norm("model.final_norm"),
    headDense: table.linear("head.dense", d, d, { bias: c.classifier_bias }),
    headNorm: norm("head.norm"),
    head: {
      weight: c.tie_word_embeddings
        ? words.weight
        : table.linear("decoder", d, c.vocab_size, { bias: false }).weight,
      bias: c.decoder_bias ? table.tensor("decoder.bias", [c.vocab_size]) : undefined,
    },
  };
}

/**
 * The dense layer `classifier` on LN(f(W·s)), where s is the first token's state or the mean over all tokens.
 * W and the norm are those of the pretrained head.
 */
function classifier(c: Config, labels: number): ClassifierHead {
  const pretrained = new ParameterTable();
  const d = c.hidden_size;
  const headDense = pretrained.linear("head.dense", d, d, { bias: c.classifier_bias });
  const headNorm = pretrained.norm("head.norm", d, { bias: c.norm_bias });
  const table = new ParameterTable();
  const out = table.linear("classifier", d, labels);
  return {
    tensors: [...table.tensors.values()],
    logits({ lastHidden }, { mask }) {
      const first = squeeze(slice(lastHidden, 1, 0, 1), 1);
      const pooled = c.classifier_pooling === "cls" ? first : meanOfTokens(lastHidden, mask!);
      return linear(out, predictionHead({ headDense, headNorm }, pooled, c));
    },
  };
}

/** Mean of the states of tokens that are not padding: [b, t, d], [b, t] → [b, d] */
const meanOfTokens = (states: Sym, mask: Sym) =>
  div(reduceSum(mul(states, unsqueeze(mask, 2)), [1]), reduceSum(mask, [1], { keepDims: true }));

const architecture = (config: unknown, file: string) =>
  transformerArchitecture(family(parseConfig(schema, config, file)));

const toyTokens = toyBytePairs([]);

export const modernbert = architectureCard({
  name: "modernbert",
  title: "ModernBERT",
  kind: "masked",
  cite: "Warner et al. 2024, arXiv:2412.13663",
  modelTypes: ["modernbert"],
  architecture,
  tokenizerFiles: toyTokens.tokenizerFiles,
  toy: {
    architectures: ["ModernBertForMaskedLM"],
    model_type: "modernbert",
    global_attn_every_n_layers: 2,
    hidden_size: 32,
    intermediate_size: 48,
    local_attention: 128,
    max_position_embeddings: 2048,
    num_attention_heads: 4,
    num_hidden_layers: 2,
    vocab_size: toyTokens.vocabularySize,
  },
});
