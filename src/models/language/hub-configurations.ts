// Values of config.json that determine the sizes of public checkpoints. Where a number of parameters is
// stated elsewhere, test/report/model-tables.test.ts compares it.

/** DNABERT. */
export const bertBase = (vocab_size: number, tokensOf350: number) => ({
  config: {
    model_type: "bert",
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    vocab_size,
    layer_norm_eps: 1e-12,
  },
  tokensOf350,
});

/** GENERator. */
export const generatorSizes = (
  hidden_size: number,
  num_hidden_layers: number,
  intermediate_size: number,
) => ({
  config: {
    model_type: "llama",
    hidden_size,
    num_hidden_layers,
    intermediate_size,
    vocab_size: 4128,
    num_attention_heads: 32,
    num_key_value_heads: 4,
    max_position_embeddings: 16_384,
    hidden_act: "silu",
  },
  tokensOf350: 61,
});

export const agroNt = {
  config: {
    model_type: "esm",
    position_embedding_type: "absolute",
    vocab_size: 4105,
    hidden_size: 1500,
    num_hidden_layers: 40,
    num_attention_heads: 20,
    intermediate_size: 5120,
    max_position_embeddings: 1026,
    pad_token_id: 1,
    mask_token_id: 2,
    emb_layer_norm_before: false,
    tie_word_embeddings: false,
    layer_norm_eps: 1e-12,
  },
  tokensOf350: 61,
};

export const plantCaduceusSizes = (d_model: number, n_layer: number) => ({
  config: {
    model_type: "caduceus",
    d_model,
    n_layer,
    vocab_size: 7,
    pad_vocab_size_multiple: 8,
    rcps: true,
    norm_epsilon: 1e-5,
    rms_norm: true,
    fused_add_norm: true,
    bidirectional: true,
    bidirectional_strategy: "add",
    bidirectional_weight_tie: true,
    complement_map: { 0: 0, 1: 1, 2: 2, 3: 6, 4: 5, 5: 4, 6: 3, 7: 7 },
  },
  tokensOf350: 350,
});

/**
 * Evo 1.
 * @param interpolation  divisor of the positions in attention
 */
export function evo1(interpolation: number) {
  const attention = [8, 16, 24];
  return {
    config: {
      model_type: "stripedhyena",
      vocab_size: 512,
      hidden_size: 4096,
      num_layers: 32,
      num_attention_heads: 32,
      proj_groups: 1,
      qkv_proj_bias: true,
      mha_out_proj_bias: true,
      inner_mlp_size: 10_928,
      mlp_activation: "gelu",
      state_size: 8,
      tie_embeddings: true,
      eps: 1e-6,
      rotary_emb_base: 10_000,
      use_interpolated_rotary_pos_emb: interpolation > 1,
      rotary_emb_scaling_factor: interpolation,
      attn_layer_idxs: attention,
      hyena_layer_idxs: Array.from({ length: 32 }, (_, i) => i).filter((i) => !attention.includes(i)),
    },
    parameters: 6_452_781_056,
    tokensOf350: 351,
  };
}
