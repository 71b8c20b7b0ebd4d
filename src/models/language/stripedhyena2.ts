import { z } from "zod";
import { evoTokenizer } from "../../dna/tokenizers/one-letter.ts";
import { gelu, silu } from "../../net/graph/build.ts";
import { epsilonSchema, parseConfig, sizeSchema } from "./architecture.ts";
import { HEADS_FIT } from "./blocks/bert.ts";
import { HEADS_EVEN } from "./blocks/decoder.ts";
import type { FilterForm } from "./blocks/hyena-filters.ts";
import { type StripedHyenaConfig, stripedHyenaArchitecture } from "./blocks/striped-hyena.ts";
import { architectureCard, type LanguageModelCard } from "./card.ts";

const layers = () => z.array(z.number().int().min(0)).max(512);

/** Keys and defaults of the package vtx. */
const schema = z
  .object({
    vocab_size: z.literal(512, "expected 512, the vocabulary of Evo's bytes"),
    hidden_size: sizeSchema(1 << 16),
    num_layers: sizeSchema(512),
    num_attention_heads: sizeSchema(1024),
    attn_layer_idxs: layers(),
    hcl_layer_idxs: layers(),
    hcm_layer_idxs: layers(),
    hcs_layer_idxs: layers(),
    hcm_filter_length: sizeSchema(1 << 16),
    hcm_filter_groups: sizeSchema(1 << 16),
    hcs_filter_length: sizeSchema(1 << 16),
    hcs_filter_groups: sizeSchema(1 << 16),
    state_size: sizeSchema(4096),
    inner_mlp_size: sizeSchema(),
    mlp_activation: z.enum(["silu", "gelu"]).default("gelu"),
    evo2_style_activations: z.boolean().default(false),
    short_filter_length: sizeSchema(64),
    short_filter_bias: z.boolean(),
    interleave: z.literal(true),
    column_split: z.boolean().default(true),
    column_split_hyena: z.literal(false),
    hyena_flip_x1x2: z.literal(false).default(false),
    proj_groups: z.literal(1).default(1),
    qkv_proj_bias: z.boolean(),
    mha_out_proj_bias: z.boolean().default(true),
    hyena_out_proj_bias: z.boolean(),
    use_fp8_input_projections: z
      .literal(
        false,
        "expected false: projections are computed in float32, which serves the models of 7 B only",
      )
      .default(false),
    rotary_emb_base: z.number().positive().default(1_000_000),
    use_interpolated_rotary_pos_emb: z.boolean().default(false),
    rotary_emb_scaling_factor: z.number().positive().default(1),
    max_seqlen: sizeSchema(1 << 24),
    eps: epsilonSchema(),
    final_norm: z.literal(true).default(true),
    tie_embeddings: z.boolean(),
  })
  .refine(...HEADS_FIT)
  .refine(...HEADS_EVEN)
  .refine((c) => c.hidden_size % c.hcm_filter_groups === 0 && c.hidden_size % c.hcs_filter_groups === 0, {
    path: ["hcm_filter_groups"],
    error: "expected, like hcs_filter_groups, a divisor of hidden_size",
  })
  .refine((c) => mixersOf(c).length === c.num_layers, {
    path: ["num_layers"],
    error: "expected every layer once in attn_, hcl_, hcm_ or hcs_layer_idxs",
  });

type Config = z.output<typeof schema>;

interface Layers {
  readonly num_layers: number;
  readonly attn_layer_idxs: readonly number[];
  readonly hcl_layer_idxs: readonly number[];
  readonly hcm_layer_idxs: readonly number[];
  readonly hcs_layer_idxs: readonly number[];
  readonly hcm_filter_length: number;
  readonly hcm_filter_groups: number;
  readonly hcs_filter_length: number;
  readonly hcs_filter_groups: number;
  readonly state_size: number;
}

/** The mixer of every layer; empty unless each layer is in exactly one list. */
function mixersOf(c: Layers): readonly ("attention" | FilterForm)[] {
  const kinds: readonly (readonly [readonly number[], "attention" | FilterForm])[] = [
    [c.attn_layer_idxs, "attention"],
    [c.hcl_layer_idxs, { kind: "real", modes: c.state_size }],
    [c.hcm_layer_idxs, { kind: "taps", taps: c.hcm_filter_length, groups: c.hcm_filter_groups }],
    [c.hcs_layer_idxs, { kind: "taps", taps: c.hcs_filter_length, groups: c.hcs_filter_groups }],
  ];
  const placed = kinds.flatMap(([indices, mixer]) => indices.map((index) => ({ index, mixer })));
  placed.sort((a, b) => a.index - b.index);
  return placed.every(({ index }, i) => index === i) ? placed.map(({ mixer }) => mixer) : [];
}

const formOf = (c: Config): StripedHyenaConfig => ({
  prefix: "",
  vocabulary: c.vocab_size,
  width: c.hidden_size,
  heads: c.num_attention_heads,
  inner: c.inner_mlp_size,
  maxTokens: c.max_seqlen,
  epsilon: c.eps,
  mixers: mixersOf(c),
  attention: {
    bias: c.qkv_proj_bias,
    outputBias: c.mha_out_proj_bias,
    byHead: c.column_split,
    base: c.rotary_emb_base,
    divisor: c.use_interpolated_rotary_pos_emb ? c.rotary_emb_scaling_factor : 1,
  },
  hyena: {
    bias: c.qkv_proj_bias,
    outputBias: c.hyena_out_proj_bias,
    taps: c.short_filter_length,
    shortBias: c.short_filter_bias,
    order: "channels",
  },
  activation(x, layer) {
    if (c.evo2_style_activations && layer > 0) return x;
    return c.mlp_activation === "gelu" ? gelu(x) : silu(x);
  },
  tied: c.tie_embeddings,
});

const architecture = (config: unknown, file: string) =>
  stripedHyenaArchitecture(formOf(parseConfig(schema, config, file)));

export const stripedhyena2: LanguageModelCard = {
  ...architectureCard({
    name: "stripedhyena2",
    title: "StripedHyena 2",
    kind: "causal",
    cite: "Brixi et al. 2025, doi:10.1101/2025.02.18.638918",
    modelTypes: [],
    architecture,
    toy: {
      attn_layer_idxs: [3],
      column_split: true,
      column_split_hyena: false,
      eps: 1e-6,
      evo2_style_activations: true,
      hcl_layer_idxs: [2],
      hcm_filter_groups: 8,
      hcm_filter_length: 128,
      hcm_layer_idxs: [1],
      hcs_filter_groups: 8,
      hcs_filter_length: 7,
      hcs_layer_idxs: [0],
      hidden_size: 32,
      hyena_out_proj_bias: true,
      inner_mlp_size: 48,
      interleave: true,
      max_seqlen: 4096,
      mha_out_proj_bias: true,
      mlp_activation: "gelu",
      num_attention_heads: 4,
      num_layers: 4,
      proj_groups: 1,
      qkv_proj_bias: false,
      rotary_emb_base: 10_000,
      short_filter_bias: false,
      short_filter_length: 3,
      state_size: 4,
      tie_embeddings: true,
      use_fp8_input_projections: false,
      vocab_size: 512,
    },
  }),
  tokens: "one-letter",
  note: "A folder for Evo 2 has the keys of a YAML file of the package evo2 in config.json, with `use_fp8_input_projections` false, and the tensors of the state dict without `_extra_state` in model.safetensors. Projections are computed in float32; the models of 1 B, 20 B and 40 B need FP8 and are evaluated by [an adapter](adapters.md). The forward pass is tested with small random weights against the package vtx 1.1.0; no published weights were tried.",
  recognises: (config) => Array.isArray(config.hcl_layer_idxs) && config.model_type === undefined,
  tokenizer: async () => evoTokenizer({ start: false }),
};
