import { z } from "zod";
import { add, concat, reshape, split, transpose } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { attention, mergeHeads } from "../../net/nn/attention.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { applyRotary } from "../../net/nn/position-encoding.ts";
import { activationSchema, epsilonSchema, parseConfig, sizeSchema } from "./architecture.ts";
import { HEADS_FIT } from "./blocks/bert.ts";
import { ropeSchema, rotaryForm } from "./blocks/rotary.ts";
import {
  anglesOf,
  type LayerContext,
  lastTokenClassifier,
  type QueryContext,
  type TransformerFamily,
  transformerArchitecture,
} from "./blocks/transformer.ts";
import { architectureCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { toyBytePairs } from "./published-checkpoints/toy-byte-pairs.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head

const keys = z.object({
  architectures: z.array(z.string()).default([]),
  vocab_size: sizeSchema(),
  hidden_size: sizeSchema(1 << 16),
  num_hidden_layers: sizeSchema(512),
  num_attention_heads: sizeSchema(1024),
  intermediate_size: sizeSchema(),
  max_position_embeddings: sizeSchema(1 << 24),
  hidden_act: activationSchema("gelu"),
  layer_norm_eps: epsilonSchema().default(1e-5),
  rotary_pct: z.number().positive().max(1).default(0.25),
  partial_rotary_factor: z.number().positive().max(1).optional(),
  rotary_emb_base: z.number().positive().default(10_000),
  rope_theta: z.number().positive().optional(),
  rope_scaling: ropeSchema(),
  rope_parameters: ropeSchema(),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  attention_dropout: z.literal(0).default(0),
  hidden_dropout: z.literal(0).default(0),
  tie_word_embeddings: z.boolean().default(false),
  initializer_range: z.number().positive().max(10).default(0.02),
});

const schema = keys.refine(...HEADS_FIT).refine((c) => rotaryOf(c).width % 2 === 0, {
  path: ["num_attention_heads"],
  error: "expected heads with an even number of rotated columns",
});

type Config = z.output<typeof schema>;

/** Rotary positions, which rotate the first `rotary_pct` of a head's columns. */
const rotaryOf = (c: z.output<typeof keys>) =>
  rotaryForm(c.rope_parameters ?? c.rope_scaling, {
    headWidth: c.hidden_size / c.num_attention_heads,
    base: c.rope_theta ?? c.rotary_emb_base,
    context: c.max_position_embeddings,
    share: c.partial_rotary_factor ?? c.rotary_pct,
  });

interface Layer {
  readonly attentionNorm: Norm;
  /** d → h·3c: queries, keys and values, head by head */
  readonly projection: Linear;
  readonly output: Linear;
  readonly feedForwardNorm: Norm;
  readonly inner: Linear;
  readonly outer: Linear;
}

/** GPT-NeoX (Black et al. 2022, arXiv:2204.06745). */
const family = (c: Config): TransformerFamily<Layer> => ({
  width: c.hidden_size,
  layers: c.num_hidden_layers,
  vocabulary: c.vocab_size,
  maxTokens: c.max_position_embeddings,
  liveValuesPerToken: 6 * c.hidden_size + 2 * c.intermediate_size,
  liveValuesPerPair: 2 * c.num_attention_heads + 1,
  attention: "causal",
  declare: (table) => declare(table, c),
  positions: () => ({ rotary: rotaryOf(c) }),
  /** a = x + attention(LN₁(x)); a + W₂·f(W₁·LN₂(x)) with parallel residuals, else a + W₂·f(W₁·LN₂(a)) */
  layer(p, x, context) {
    const residual = context.queries.select(x); // [b, q, d]
    const y = layerNorm(p.attentionNorm, x, c.layer_norm_eps);
    const a = add(residual, attend(p, c, y, context));
    const z = layerNorm(p.feedForwardNorm, c.use_parallel_residual ? residual : a, c.layer_norm_eps);
    const inner = linear(p.inner, z);
    return add(a, linear(p.outer, c.hidden_act(inner)));
  },
  lastNorm: (p, x) => layerNorm(p, x, c.layer_norm_eps),
  ignored: [/^score\./, /\.attention\.(masked_)?bias$/, /\.rotary_emb\.inv_freq$/],
  adaptedModule: "gpt_neox",
  initializerRange: c.initializer_range,
  classifier: (labels) => lastTokenClassifier(c.hidden_size, labels),
});

/** W_o·softmax(R(q)·R(k)ᵀ / √c + bias)·v.  y: [b, t, d] → [b, q, d] */
function attend(p: Layer, c: Config, y: Sym, { queries, keys }: LayerContext): Sym {
  const width = c.hidden_size / c.num_attention_heads;
  const heads = (rows: Sym) => {
    const [batch, tokens] = rows.shape;
    return transpose(reshape(rows, [batch, tokens, c.num_attention_heads, 3 * width]), [0, 2, 1, 3]);
  };
  const joint = linear(p.projection, y); // [b, t, h·3c]
  const [, k, v] = split(heads(joint), -1, [width, width, width]);
  const [q] = split(heads(queries.select(joint)), -1, [width, 2 * width]);
  return linear(p.output, mergeHeads(attention(rotate(q, queries), rotate(k, keys), v, queries.bias)));
}

/** R: rotates the first columns of each head and keeps the others.  x: [b, h, t, c] → the same */
function rotate(x: Sym, context: QueryContext): Sym {
  const angles = anglesOf(context);
  const rotated = 2 * knownSize(angles.cos.shape[3], "the rotated columns");
  const kept = knownSize(x.shape[3], "the columns of a head") - rotated;
  if (kept === 0) return applyRotary(x, angles);
  const [first, rest] = split(x, -1, [rotated, kept]);
  return concat([applyRotary(first, angles), rest], -1);
}

const HEAD = "embed_out.weight";
/** Name of the head in a state dict of Transformers 5, which `save_pretrained` translates. */
const HEAD_IN_MEMORY = "lm_head.weight";

function declare(table: ParameterTable, c: Config) {
  const d = c.hidden_size;
  const bias = { bias: c.attention_bias };
  const words = table.embedding("gpt_neox.embed_in", c.vocab_size, d, {
    aliases: c.tie_word_embeddings ? [HEAD, HEAD_IN_MEMORY] : [],
  });
  return {
    words,
    layers: Array.from({ length: c.num_hidden_layers }, (_, i): Layer => {
      const at = `gpt_neox.layers.${i}`;
      return {
        attentionNorm: table.norm(`${at}.input_layernorm`, d),
        projection: table.linear(`${at}.attention.query_key_value`, d, 3 * d, bias),
        output: table.linear(`${at}.attention.dense`, d, d, bias),
        feedForwardNorm: table.norm(`${at}.post_attention_layernorm`, d),
        inner: table.linear(`${at}.mlp.dense_h_to_4h`, d, c.intermediate_size),
        outer: table.linear(`${at}.mlp.dense_4h_to_h`, c.intermediate_size, d),
      };
    }),
    lastNorm: table.norm("gpt_neox.final_layer_norm", d),
    head: c.architectures.includes("GPTNeoXForSequenceClassification")
      ? undefined
      : c.tie_word_embeddings
        ? { weight: words.weight }
        : { weight: table.tensor(HEAD, [c.vocab_size, d], { aliases: [HEAD_IN_MEMORY], layer: "linear" }) },
  };
}

const architecture = (config: unknown, file: string) =>
  transformerArchitecture(family(parseConfig(schema, config, file)));

const toyTokens = toyBytePairs([]);

export const gptNeox = architectureCard({
  name: "gpt-neox",
  title: "GPT-NeoX",
  kind: "causal",
  cite: "Black et al. 2022, arXiv:2204.06745",
  modelTypes: ["gpt_neox"],
  architecture,
  tokenizerFiles: toyTokens.tokenizerFiles,
  toy: {
    architectures: ["GPTNeoXForCausalLM"],
    model_type: "gpt_neox",
    hidden_act: "gelu",
    hidden_size: 32,
    intermediate_size: 64,
    layer_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    num_attention_heads: 4,
    num_hidden_layers: 2,
    rotary_emb_base: 10_000,
    rotary_pct: 0.25,
    use_parallel_residual: true,
    vocab_size: toyTokens.vocabularySize,
  },
});
