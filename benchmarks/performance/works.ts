import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { languageModelCard, publicCheckpoint } from "../../src/models/language/catalogue.ts";

/** A language model with random weights, and its batch. */
export interface MeasuredModel {
  /** Name of the published checkpoint, or of the family and its size. */
  readonly name: string;
  readonly card: LanguageModelCard;
  readonly config: Readonly<Record<string, unknown>>;
  /** Sequences of 350 bases in a batch. */
  readonly rows: number;
  /** Tokens of a sequence, special ones included; byte pairs as for random bases. */
  readonly tokens: number;
  /** Ids that the batch is drawn from: from the first to before the second. */
  readonly ids: readonly [number, number];
}

/** Widths of the published GPN of Brassicales. */
const GPN = { model_type: "GPN", vocab_size: 7, hidden_size: 512, intermediate_size: 2048 };
/** Sizes of the architectures, of which no checkpoint is measured: 12 layers of width 768, 4,096 byte pairs. */
const COMMON = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, vocab_size: 4096 };
const LONG = { max_position_embeddings: 1024 };
const BYTE_PAIRS = { rows: 8, tokens: 77, ids: [5, 4000] } as const;
/** For recurrences that PyTorch computes in a loop. */
const FEW_BYTE_PAIRS = { ...BYTE_PAIRS, rows: 2 } as const;
const BASES = { tokens: 351, ids: [7, 11] } as const;
/** Bytes, of which bases are some. */
const BYTES = { rows: 2, tokens: 351, ids: [65, 85] } as const;
/** Sizes of both generations of StripedHyena, next to the width and the layers. */
const STRIPED_HYENA = {
  ...COMMON,
  num_layers: 12,
  num_filters: 768,
  vocab_size: 512,
  inner_mlp_size: 2048,
  max_seqlen: 1024,
  eps: 1e-6,
  final_norm: true,
  tie_embeddings: true,
  proj_groups: 1,
  hyena_filter_groups: 1,
  short_filter_length: 3,
  mlp_activation: "gelu",
  rotary_emb_base: 10_000,
  mha_out_proj_bias: true,
  model_parallel_size: 1,
};

/** All measured models, the published ones first. */
export const MODELS: readonly MeasuredModel[] = [
  published("dnabert2/117m", BYTE_PAIRS),
  published("nucleotide-transformer/v2-100m-multi-species", { rows: 8, tokens: 61, ids: [5, 4000] }),
  published("gena-lm/base-t2t", BYTE_PAIRS),
  published("hyenadna/large-1m", { rows: 8, ...BASES }),
  published("caduceus/ps-1k-d118", { rows: 2, ...BASES }),
  published("mistral-dna/138m", BYTE_PAIRS),
  architecture(
    "bert",
    "12 × 768, 6-mers",
    { rows: 2, tokens: 347, ids: [5, 4000] },
    {
      ...COMMON,
      model_type: "bert",
      vocab_size: 4101,
      intermediate_size: 3072,
      hidden_dropout_prob: 0.1,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      initializer_range: 0.02,
    },
  ),
  architecture("modernbert", "12 × 768", BYTE_PAIRS, {
    ...COMMON,
    ...LONG,
    model_type: "modernbert",
    intermediate_size: 1152,
  }),
  architecture("llama", "12 × 768", BYTE_PAIRS, {
    ...COMMON,
    ...LONG,
    model_type: "llama",
    intermediate_size: 2048,
    num_key_value_heads: 12,
    hidden_act: "silu",
    rms_norm_eps: 1e-6,
  }),
  architecture("gpt2", "12 × 768", BYTE_PAIRS, {
    model_type: "gpt2",
    n_embd: 768,
    n_layer: 12,
    n_head: 12,
    n_positions: 1024,
    vocab_size: 4096,
  }),
  architecture("gpt-neox", "12 × 768", BYTE_PAIRS, {
    ...COMMON,
    ...LONG,
    model_type: "gpt_neox",
    intermediate_size: 3072,
    hidden_act: "gelu",
  }),
  architecture(
    "gpn",
    "25 × 512",
    { rows: 2, tokens: 350, ids: [3, 7] },
    {
      ...GPN,
      num_hidden_layers: 25,
      encoder: "convnet",
      embedding: "one_hot",
    },
  ),
  architecture("mamba", "12 × 768", FEW_BYTE_PAIRS, { ...COMMON, model_type: "mamba", state_size: 16 }),
  architecture("mamba2", "12 × 768", FEW_BYTE_PAIRS, {
    ...COMMON,
    model_type: "mamba2",
    state_size: 128,
    num_heads: 24,
    head_dim: 64,
    n_groups: 1,
  }),
  architecture("stripedhyena", "12 × 768", BYTES, {
    ...STRIPED_HYENA,
    model_type: "stripedhyena",
    state_size: 8,
    column_split_hyena: true,
    attn_layer_idxs: [4, 8],
    hyena_layer_idxs: [0, 1, 2, 3, 5, 6, 7, 9, 10, 11],
    short_filter_bias: true,
    qkv_proj_bias: true,
  }),
  architecture("stripedhyena2", "12 × 768", BYTES, {
    ...STRIPED_HYENA,
    state_size: 16,
    column_split_hyena: false,
    column_split: false,
    interleave: true,
    hcs_layer_idxs: [0, 4, 7, 11],
    hcm_layer_idxs: [1, 5, 8],
    hcl_layer_idxs: [2, 6, 9],
    attn_layer_idxs: [3, 10],
    hcs_filter_length: 7,
    hcs_filter_groups: 48,
    hcm_filter_length: 128,
    hcm_filter_groups: 48,
    hcl_filter_groups: 768,
    short_filter_bias: false,
    qkv_proj_bias: false,
    hyena_out_proj_bias: true,
    hyena_flip_x1x2: false,
    evo2_style_activations: true,
    use_fp8_input_projections: false,
  }),
];

type Batch = Pick<MeasuredModel, "rows" | "tokens" | "ids">;

function published(name: string, batch: Batch): MeasuredModel {
  const found = publicCheckpoint(name);
  if (found === undefined) throw new Error(`there is no published checkpoint ${name}`);
  return { name, card: found.card, config: found.checkpoint.config, ...batch };
}

function architecture(family: string, sizes: string, batch: Batch, config: object): MeasuredModel {
  const card = languageModelCard(family);
  const architectures = [card.kind === "causal" ? "ForCausalLM" : "ForMaskedLM"];
  return { name: `${family}, ${sizes}`, card, config: { architectures, ...config }, ...batch };
}

/** The toy of each family that byte pairs or bases of any kind can be drawn for, with two rows of 24 tokens. */
export const tinyModels = (): readonly MeasuredModel[] =>
  MODELS.map(({ card }) => {
    const [config] = Object.values(card.toys);
    const { vocabulary } = card.architecture(config, "config.json");
    return {
      name: `${card.name} toy`,
      card,
      config,
      rows: 2,
      tokens: 24,
      ids: [Math.min(5, vocabulary - 2), vocabulary],
    };
  });

/** A network that a setting trains from scratch, and its batch. */
export interface MeasuredNetwork {
  readonly network: "probing-head" | "probing-head-like" | "chrombpnet-like";
  readonly examples: number;
  /** Bases of a sequence. */
  readonly length: number;
  /** Width and number of tokens of the embeddings, for the probing head. */
  readonly width?: number;
  readonly tokens?: number;
}

/** Networks that train on sequences. The probing head trains on embeddings of each model. */
export const NETWORKS: readonly MeasuredNetwork[] = [
  { network: "probing-head-like", examples: 128, length: 350 },
  { network: "chrombpnet-like", examples: 32, length: 500 },
  { network: "chrombpnet-like", examples: 8, length: 2114 },
];

/** A computation that a side runs, as its process receives it. */
export type Work =
  | {
      readonly work: "forward" | "embedding" | "causal" | "masked";
      readonly family: string;
      readonly folder: string;
      readonly kind: LanguageModelCard["kind"];
      readonly ids: readonly (readonly number[])[];
      /** Masked token of each row, and its id. */
      readonly positions?: readonly number[];
      readonly targets?: readonly number[];
    }
  | {
      readonly work: "lora";
      readonly family: string;
      readonly folder: string;
      /** File of the initial values of the factors and the classifier; our side writes it. */
      readonly adapter: string;
      readonly ids: readonly (readonly number[])[];
      readonly labels: readonly number[];
    }
  | ({
      readonly work: "network";
      /** File of the initial values and the inputs; our side writes it. */
      readonly start: string;
      readonly labels: readonly number[];
    } & MeasuredNetwork);
