import type { KnownCheckpoints, PublicCheckpoint } from "../card.ts";

const config = (rcps: boolean, d_model: number, n_layer: number) => ({
  architectures: ["CaduceusForMaskedLM"],
  model_type: "caduceus",
  rcps,
  d_model,
  n_layer,
  vocab_size: 16,
  pad_vocab_size_multiple: 8,
  norm_epsilon: 1e-5,
  rms_norm: true,
  fused_add_norm: true,
  residual_in_fp32: false,
  bidirectional: true,
  bidirectional_strategy: "add",
  bidirectional_weight_tie: true,
  complement_map: Object.fromEntries(Array.from({ length: 16 }, (_, id) => [id, COMPLEMENTS[id] ?? id])),
  initializer_cfg: { initializer_range: 0.02, n_residuals_per_layer: 1, rescale_prenorm_residual: true },
  ssm_cfg: {
    d_state: 16,
    d_conv: 4,
    expand: 2,
    dt_rank: "auto",
    dt_min: 0.001,
    dt_max: 0.1,
    dt_init: "random",
    dt_scale: 1,
    dt_init_floor: 1e-4,
    conv_bias: true,
    bias: false,
    use_fast_path: true,
  },
  torch_dtype: "float32",
});

/** Complements by token id: A and T, C and G. */
const COMPLEMENTS: Readonly<Record<number, number>> = { 7: 10, 8: 9, 9: 8, 10: 7 };

function published(
  preset: string,
  [width, layers, context]: readonly [number, number, string],
  more: Partial<PublicCheckpoint> = {},
): PublicCheckpoint {
  const kind = preset.slice(0, 2);
  const rate = context === "1k" ? "_lr-8e-3" : "";
  const repo = `kuleshov-group/caduceus-${kind}_seqlen-${context}_d_model-${width}_n_layer-${layers}${rate}`;
  return { preset, repo, revision: "main", config: config(kind === "ps", width, layers), ...more };
}

/** A short sequence with every base, three times. */
const PROBE = { description: "ACGTNACGTNACGTN", ids: [7, 8, 9, 10, 11, 7, 8, 9, 10, 11, 7, 8, 9, 10, 11] };

export const caduceusCheckpoints: KnownCheckpoints = {
  checkpoints: [
    published("ps-131k", [256, 16, "131k"], {
      revision: "d89eeb853136ea64da7feb3d0c8e909771b17ae6",
      sha256: { "model.safetensors": "a3e6976fe90460ff5d90d371b457d0263dc65e156ea5651b4a452e98228daef2" },
      usedByDartEval: true,
    }),
    published("ph-131k", [256, 16, "131k"], { revision: "b0477522ac5d044ad03578aa724ec8e4bdbd405b" }),
    published("ps-1k-d256", [256, 4, "1k"], { revision: "6a5edc5d5aadc6f9e10d0825eb9b2cf3a36bbe18" }),
    published("ph-1k-d256", [256, 4, "1k"], { revision: "9865108985311772704c2ece0bac082153a6167b" }),
    published("ps-1k-d118", [118, 4, "1k"]),
    published("ph-1k-d118", [118, 4, "1k"]),
  ],
  facts: {
    tokensOf350: 351,
    context: ({ preset }) => (preset.includes("131k") ? 131_072 : 1024),
    trainedOn: () => "human genome",
  },
  toys: { toy: config(true, 32, 4), "toy-ph": config(false, 32, 4) },
  referenceOutputs: [
    {
      preset: "ps-131k",
      ...PROBE,
      tolerance: 1e-5,
      mean: {
        sum: -5.59592034,
        sumOfSquares: 8.31882551,
        first: [
          0.00440638047, 0.00694452133, -0.00204931665, -1.23141108e-5, 0.000536100124, -0.00186194282,
          -0.00572566222, -0.00514588505, 0.0186043996, 0.00691357348, 0.00237309257, -0.0146088004,
          -0.0245263241, -0.000786698656, -0.00622446369, -0.00367861101,
        ],
        last: [
          -0.00426626904, -0.00600530952, -0.00186772505, 0.000589279109, -1.62419419e-5, -0.00216557737,
          0.00786610786, 0.0047193435,
        ],
      },
    },
    {
      preset: "ph-1k-d256",
      ...PROBE,
      tolerance: 1e-5,
      mean: {
        sum: -3.65167029,
        sumOfSquares: 13.0820277,
        first: [
          -0.00111011416, 8.89798903e-5, -0.0132200215, -0.000318706239, 0.00298913871, 0.00272858748,
          -0.00409760652, -0.000528503209,
        ],
      },
    },
  ],
};
