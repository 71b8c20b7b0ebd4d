import { z } from "zod";
import { evoTokenizer } from "../../dna/tokenizers/one-letter.ts";
import { gelu, silu } from "../../net/graph/build.ts";
import { epsilonSchema, parseConfig, sizeSchema } from "./architecture.ts";
import { HEADS_FIT } from "./blocks/bert.ts";
import { HEADS_EVEN } from "./blocks/decoder.ts";
import { type StripedHyenaConfig, stripedHyenaArchitecture } from "./blocks/striped-hyena.ts";
import { architectureCard, type LanguageModelCard } from "./card.ts";

/** Defaults are those of the configuration class in the published repositories. */
const schema = z
  .object({
    vocab_size: z.literal(512, "expected 512, the vocabulary of Evo's bytes"),
    hidden_size: sizeSchema(1 << 16),
    num_layers: sizeSchema(512),
    num_attention_heads: sizeSchema(1024),
    attn_layer_idxs: z.array(z.number().int().min(0)).max(512),
    hyena_layer_idxs: z.array(z.number().int().min(0)).max(512),
    inner_mlp_size: sizeSchema().nullish(),
    inner_size_multiple_of: sizeSchema(4096).default(64),
    mlp_activation: z.enum(["silu", "gelu"]).default("silu"),
    short_filter_length: sizeSchema(64).default(3),
    short_filter_bias: z.literal(true).default(true),
    state_size: sizeSchema(4096).default(2),
    hyena_filter_groups: z.literal(1).default(1),
    column_split_hyena: z.boolean().default(true),
    proj_groups: z.literal(1),
    qkv_proj_bias: z.boolean().default(false),
    mha_out_proj_bias: z.boolean().default(false),
    rotary_emb_base: z.number().positive().default(500_000),
    use_interpolated_rotary_pos_emb: z.boolean().default(false),
    rotary_emb_scaling_factor: z.number().positive().default(1),
    max_seqlen: sizeSchema(1 << 24).default(32_768),
    eps: epsilonSchema().default(1e-5),
    final_norm: z.literal(true).default(true),
    tie_embeddings: z.boolean().default(false),
    model_parallel_size: z.literal(1).default(1),
  })
  .refine(...HEADS_FIT)
  .refine(...HEADS_EVEN)
  .refine((c) => String(layersIn(c)) === String(Array.from({ length: c.num_layers }, (_, i) => i)), {
    path: ["hyena_layer_idxs"],
    error: "expected every layer once, here or in attn_layer_idxs",
  });

type Config = z.output<typeof schema>;

interface LayerKinds {
  readonly attn_layer_idxs: readonly number[];
  readonly hyena_layer_idxs: readonly number[];
}

/** Layers of both kinds in ascending order. */
const layersIn = (c: LayerKinds): readonly number[] =>
  [...c.attn_layer_idxs, ...c.hyena_layer_idxs].sort((a, b) => a - b);

const formOf = (c: Config): StripedHyenaConfig => ({
  prefix: "backbone.",
  vocabulary: c.vocab_size,
  width: c.hidden_size,
  heads: c.num_attention_heads,
  inner: innerSize(c),
  maxTokens: c.max_seqlen,
  epsilon: c.eps,
  mixers: layersIn(c).map((i) =>
    c.attn_layer_idxs.includes(i) ? "attention" : { kind: "complex", modes: c.state_size },
  ),
  attention: {
    bias: c.qkv_proj_bias,
    outputBias: c.mha_out_proj_bias,
    byHead: false,
    base: c.rotary_emb_base,
    divisor: c.use_interpolated_rotary_pos_emb ? c.rotary_emb_scaling_factor : 1,
  },
  hyena: {
    bias: true,
    outputBias: true,
    taps: c.short_filter_length,
    shortBias: true,
    order: c.column_split_hyena ? "heads" : "blocks",
  },
  activation: c.mlp_activation === "gelu" ? (x) => gelu(x) : silu,
  tied: c.tie_embeddings,
});

/** Width of the feed-forward network: 8/3 of the model's, rounded up, where the configuration has none. */
const innerSize = ({ hidden_size, inner_mlp_size, inner_size_multiple_of }: Config) =>
  inner_mlp_size ??
  Math.ceil(Math.floor((8 * hidden_size) / 3) / inner_size_multiple_of) * inner_size_multiple_of;

const architecture = (config: unknown, file: string) =>
  stripedHyenaArchitecture(formOf(parseConfig(schema, config, file)));

export const stripedhyena: LanguageModelCard = {
  ...architectureCard({
    name: "stripedhyena",
    title: "StripedHyena",
    kind: "causal",
    cite: "Nguyen et al. 2024, doi:10.1126/science.ado9336",
    modelTypes: ["stripedhyena"],
    architecture,
    toy: {
      architectures: ["StripedHyenaModelForCausalLM"],
      model_type: "stripedhyena",
      attn_layer_idxs: [1],
      column_split_hyena: true,
      eps: 1e-6,
      final_norm: true,
      hidden_size: 32,
      hyena_filter_groups: 1,
      hyena_layer_idxs: [0, 2],
      inner_mlp_size: 48,
      max_seqlen: 4096,
      mha_out_proj_bias: true,
      mlp_activation: "gelu",
      num_attention_heads: 4,
      num_layers: 3,
      proj_groups: 1,
      qkv_proj_bias: true,
      rotary_emb_base: 10_000,
      short_filter_bias: true,
      short_filter_length: 3,
      state_size: 4,
      tie_embeddings: true,
      vocab_size: 512,
    },
  }),
  tokens: "one-letter",
  note: "Evo 1: `--model hf:togethercomputer/evo-1-131k-base@1.1_fix`, the revision in which the authors corrected the order of some projections. The forward pass is tested with small random weights against the package stripedhyena 0.2.2; no published weights were tried. Rows of different lengths run one length at a time, and only dense layers have LoRA factors.",
  tokenizer: async () => evoTokenizer({ start: true }),
};
