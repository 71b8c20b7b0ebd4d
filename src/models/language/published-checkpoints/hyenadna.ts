import { type KnownCheckpoints, type PublicCheckpoint, sizeIn } from "../card.ts";

const config = (d_model: number, n_layer: number, max_seq_len: number) => ({
  architectures: ["HyenaDNAForCausalLM"],
  model_type: "hyenadna",
  d_model,
  n_layer,
  d_inner: 4 * d_model,
  max_seq_len,
  vocab_size: 12,
  pad_vocab_size_multiple: 8,
  emb_dim: 5,
  filter_order: 64,
  hyena_order: 2,
  num_inner_mlps: 2,
  short_filter_order: 3,
  activation_freq: 10,
  train_freq: true,
  use_bias: true,
  embed_dropout: 0.1,
  hyena_dropout: 0,
  hyena_filter_dropout: 0,
  layer_norm_epsilon: 1e-5,
  initializer_range: 0.02,
  tie_word_embeddings: false,
  pad_token_id: 4,
  torch_dtype: "float32",
});

function published(
  preset: string,
  [width, layers, longest]: readonly [number, number, number],
  revision: string,
  more: Partial<PublicCheckpoint> = {},
): PublicCheckpoint {
  const repo = `LongSafari/hyenadna-${preset}-seqlen-hf`;
  return { preset, repo, revision, config: config(width, layers, longest), ...more };
}

export const hyenadnaCheckpoints: KnownCheckpoints = {
  checkpoints: [
    published("tiny-1k", [128, 2, 1026], "e8c1effa8673814e257e627d2e1eda9ea5a373f6"),
    {
      ...published("tiny-1k-d256", [256, 2, 1026], "6036d4e144922b44470294f510cbfd2539ba3b7e"),
      repo: "LongSafari/hyenadna-tiny-1k-seqlen-d256-hf",
    },
    {
      ...published("tiny-16k-d128", [128, 2, 16386], "d79fa37e2cd62dd338103c630f95be8f90812d46"),
      repo: "LongSafari/hyenadna-tiny-16k-seqlen-d128-hf",
    },
    published("small-32k", [256, 4, 32770], "8fe770c78eb13fe33bf81501612faeddf4d6f331"),
    published("medium-160k", [256, 8, 160002], "7ebf71773d22c0ede2cc55cb2be15ee8c289e1ce"),
    published("medium-450k", [256, 8, 450002], "42dedd4d374eac0fb8168549e546a3472fbd27ae"),
    published("large-1m", [256, 8, 1000002], "0a629abf9c7f85b4ec9aa6a1aefa3adcf1907446", {
      usedByDartEval: true,
      sha256: { "model.safetensors": "deafb53209bfafb314d14bd81108546a34d473c07ed7ab7a355674376b56ad12" },
    }),
  ],
  facts: {
    tokensOf350: 351,
    context: ({ config }) => sizeIn(config, "max_seq_len") - 2,
    trainedOn: () => "human genome",
  },
  toys: { toy: { ...config(32, 2, 2120), d_inner: 64, filter_order: 16 } },
  referenceOutputs: [
    {
      preset: "large-1m",
      description: "ACGTNACGT",
      ids: [7, 8, 9, 10, 11, 7, 8, 9, 10],
      tolerance: 2e-4,
      mean: {
        sum: -0.177724064,
        sumOfSquares: 113.472714,
        first: [
          -0.184937418, -0.299467057, -0.476628363, -0.268518686, -0.597329378, -0.942917585, 0.484857678,
          -0.928697467, -0.439813793, 0.50270772, -1.15880489, 1.05430472, -0.0100858463, -0.592754245,
          -0.247034341, -0.137927949,
        ],
        last: [1.29536819, 0.428103387, 0.807457924, -0.328060061],
      },
    },
    {
      preset: "large-1m",
      description: "TGCA",
      ids: [10, 9, 8, 7],
      tolerance: 2e-4,
      mean: {
        first: [
          -0.243590236, -0.427209854, -0.531023026, -0.134316608, -0.570607424, -1.07121968, 0.561774313,
          -0.911707222,
        ],
      },
    },
    {
      preset: "medium-160k",
      description: "ACGTNACGT",
      ids: [7, 8, 9, 10, 11, 7, 8, 9, 10],
      tolerance: 2e-4,
      mean: {
        sum: -0.620593969,
        sumOfSquares: 199.119592,
        first: [
          0.28749451, -0.380262494, -0.318015069, -0.435355306, -0.389102638, -1.10696065, 0.913166165,
          -0.867712259,
        ],
      },
    },
  ],
};
