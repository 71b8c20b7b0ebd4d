import { z } from "zod";
import { add, mul } from "../../net/graph/build.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../net/nn/norm.ts";
import {
  activationSchema,
  epsilonSchema,
  LAYER_TYPES_FIT,
  type LayerType,
  layerTypesSchema,
  parseConfig,
  sizeSchema,
} from "./architecture.ts";
import {
  declareGroupedAttention,
  decoderSizes,
  GROUPS_FIT,
  type GroupedAttention,
  groupedAttention,
  HEADS_EVEN,
  headWidth,
} from "./blocks/decoder.ts";
import { ropeSchema, rotaryForm } from "./blocks/rotary.ts";
import {
  lastTokenClassifier,
  type TransformerFamily,
  transformerArchitecture,
} from "./blocks/transformer.ts";
import { architectureCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { toyBytePairs } from "./published-checkpoints/toy-byte-pairs.ts";

// axes: b batch · t tokens · q queries · d width

const schema = z
  .object({
    ...decoderSizes,
    model_type: z.enum(["llama", "mistral", "qwen2", "qwen3"]),
    num_key_value_heads: sizeSchema(1024).nullish(),
    max_position_embeddings: sizeSchema(1 << 24),
    rms_norm_eps: epsilonSchema().default(1e-6),
    rope_theta: z.number().positive().default(10_000),
    rope_scaling: ropeSchema(),
    rope_parameters: ropeSchema(),
    layer_types: layerTypesSchema(),
    hidden_act: activationSchema("silu"),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    use_sliding_window: z.boolean().default(false),
    max_window_layers: z.number().int().min(0).default(28),
    tie_word_embeddings: z.boolean().default(false),
  })
  .transform((c) => ({ ...c, num_key_value_heads: c.num_key_value_heads ?? c.num_attention_heads }))
  .refine(...LAYER_TYPES_FIT)
  .refine(...GROUPS_FIT)
  .refine(...HEADS_EVEN);

type Config = z.output<typeof schema>;

/** Differences between Llama, Mistral, Qwen2 and Qwen3. */
interface Variant {
  /** True if the projections of queries, keys and values have biases. */
  readonly bias: boolean;
  /** True if the output projection of attention has a bias. */
  readonly outputBias: boolean;
  /** True if the queries and keys of each head are normalised. */
  readonly norms: boolean;
  /** Tokens of a layer's sliding window; undefined for no window. */
  window(layer: number): number | undefined;
}

function variantOf(c: Config): Variant {
  const noWindow = () => undefined;
  const windowFrom = (layer: number) =>
    c.use_sliding_window && layer >= c.max_window_layers ? (c.sliding_window ?? undefined) : undefined;
  return {
    llama: { bias: c.attention_bias, outputBias: c.attention_bias, norms: false, window: noWindow },
    mistral: {
      bias: false,
      outputBias: false,
      norms: false,
      window: () => (c.sliding_window === undefined ? MISTRAL_WINDOW : (c.sliding_window ?? undefined)),
    },
    qwen2: { bias: true, outputBias: false, norms: false, window: windowFrom },
    qwen3: { bias: c.attention_bias, outputBias: c.attention_bias, norms: true, window: windowFrom },
  }[c.model_type];
}

/** Sliding window of a Mistral whose config.json lacks `sliding_window`; null in the file means no window. */
const MISTRAL_WINDOW = 4096;

interface Layer {
  readonly attentionNorm: Norm;
  readonly attention: GroupedAttention;
  readonly feedForwardNorm: Norm;
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
}

/**
 * Dense decoders with RMS norms, rotary positions and SwiGLU: Llama (Touvron et al. 2023, arXiv:2302.13971),
 * Mistral (Jiang et al. 2023, arXiv:2310.06825), Qwen2 (arXiv:2407.10671) and Qwen3 (arXiv:2505.09388).
 */
function family(c: Config): TransformerFamily<Layer> {
  const variant = variantOf(c);
  const rotary = rotaryForm(c.rope_parameters ?? c.rope_scaling, {
    headWidth: headWidth(c),
    base: c.rope_theta,
    context: c.max_position_embeddings,
  });
  const windowOf = (layer: number) =>
    c.layer_types ? windowByType(c, c.layer_types[layer]) : variant.window(layer);
  return {
    width: c.hidden_size,
    layers: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    maxTokens: c.max_position_embeddings,
    liveValuesPerToken: 6 * c.hidden_size + 3 * c.intermediate_size,
    liveValuesPerPair: 2 * c.num_attention_heads + 1,
    attention: "causal",
    declare: (table) => declare(table, c, variant),
    positions: (layer) => ({ rotary, window: windowOf(layer) }),
    /** a = x + attention(rms₁(x)); a + W_down·(f(W_gate·z) ⊙ W_up·z), z = rms₂(a) */
    layer(p, x, context) {
      const y = rmsNorm(p.attentionNorm, x, c.rms_norm_eps);
      const a = add(context.queries.select(x), groupedAttention(p.attention, c, y, context));
      const z = rmsNorm(p.feedForwardNorm, a, c.rms_norm_eps);
      return add(a, linear(p.down, mul(c.hidden_act(linear(p.gate, z)), linear(p.up, z))));
    },
    lastNorm: (p, x) => rmsNorm(p, x, c.rms_norm_eps),
    ignored: [/^score\./, /\.rotary_emb\.inv_freq$/],
    adaptedModule: "model",
    initializerRange: c.initializer_range,
    classifier: (labels) => lastTokenClassifier(c.hidden_size, labels),
  };
}

const windowByType = ({ sliding_window }: Config, type: LayerType | undefined) =>
  type === "sliding_attention" ? (sliding_window ?? undefined) : undefined;

function declare(table: ParameterTable, c: Config, variant: Variant) {
  const d = c.hidden_size;
  const plain = { bias: false };
  const words = table.embedding("model.embed_tokens", c.vocab_size, d, {
    aliases: c.tie_word_embeddings ? ["lm_head.weight"] : [],
  });
  return {
    words,
    layers: Array.from({ length: c.num_hidden_layers }, (_, i): Layer => {
      const at = `model.layers.${i}`;
      const bias = { bias: c.mlp_bias };
      return {
        attentionNorm: table.norm(`${at}.input_layernorm`, d, plain),
        attention: declareGroupedAttention(table, `${at}.self_attn`, c, variant),
        feedForwardNorm: table.norm(`${at}.post_attention_layernorm`, d, plain),
        gate: table.linear(`${at}.mlp.gate_proj`, d, c.intermediate_size, bias),
        up: table.linear(`${at}.mlp.up_proj`, d, c.intermediate_size, bias),
        down: table.linear(`${at}.mlp.down_proj`, c.intermediate_size, d, bias),
      };
    }),
    lastNorm: table.norm("model.norm", d, plain),
    head: c.architectures.some((name) => name.endsWith("ForSequenceClassification"))
      ? undefined
      : c.tie_word_embeddings
        ? { weight: words.weight }
        : table.linear("lm_head", d, c.vocab_size, plain),
  };
}

const architecture = (config: unknown, file: string) =>
  transformerArchitecture(family(parseConfig(schema, config, file)));

const MODELS = ["llama", "mistral", "qwen2", "qwen3"];
const toyTokens = toyBytePairs([]);

export const llama = architectureCard({
  name: "llama",
  title: "Llama, Mistral and Qwen decoders",
  kind: "causal",
  cite: "Touvron et al. 2023, arXiv:2302.13971",
  modelTypes: MODELS,
  architecture,
  tokenizerFiles: toyTokens.tokenizerFiles,
  toy: {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: 32,
    intermediate_size: 48,
    max_position_embeddings: 4096,
    num_attention_heads: 4,
    num_hidden_layers: 2,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    vocab_size: toyTokens.vocabularySize,
  },
});
