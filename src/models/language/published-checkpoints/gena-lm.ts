import { type KnownCheckpoints, type PublicCheckpoint, sizeIn } from "../card.ts";
import { toyBytePairs } from "./toy-byte-pairs.ts";

const common = {
  architectures: ["BertForMaskedLM"],
  attention_probs_dropout_prob: 0.1,
  auto_map: { AutoModel: "modeling_bert.BertForMaskedLM" },
  hidden_act: "gelu",
  hidden_dropout_prob: 0.1,
  initializer_range: 0.02,
  max_position_embeddings: 512,
  model_type: "bert",
  pad_token_id: 3,
  position_embedding_type: "absolute",
  pre_layer_norm: true,
  type_vocab_size: 2,
  vocab_size: 32_000,
};

const base = {
  ...common,
  hidden_size: 768,
  intermediate_size: 3072,
  layer_norm_eps: 1e-12,
  num_attention_heads: 12,
  num_hidden_layers: 12,
};

function published(
  preset: string,
  config: PublicCheckpoint["config"],
  revision: string,
  more: Partial<PublicCheckpoint> = {},
): PublicCheckpoint {
  return { preset, repo: `AIRI-Institute/gena-lm-bert-${preset}`, revision, config, ...more };
}

const toyTokens = toyBytePairs(["-", "N"]);

export const genaLmCheckpoints: KnownCheckpoints = {
  tokenizerFiles: toyTokens.tokenizerFiles,
  checkpoints: [
    published("base-t2t", { ...base, last_layer_norm: false }, "4f1352bd4e820f1dba341047f54ad7795e083bf2"),
    published(
      "base-t2t-multi",
      { ...base, last_layer_norm: false },
      "4633e5a1ada905bb7afee6877d71cc12578a95a5",
      {
        sha256: { "pytorch_model.bin": "2f2400ba33d01df2bd58be5f8556f5b09bb69b70edb6f82eec31dc2247d90c1c" },
      },
    ),
    published("base-lastln-t2t", base, "3177322cb31140be33a692bfb968263cbd3ef89a"),
    published(
      "large-t2t",
      {
        ...common,
        hidden_size: 1024,
        intermediate_size: 4096,
        layer_norm_eps: 1e-5,
        num_attention_heads: 16,
        num_hidden_layers: 24,
      },
      "f997a8a7c1ba5feb6d11de46354a41c51ffe9660",
      {
        sha256: {
          "model.safetensors": "d91cc5aab8e72f01009f9884a98142a74c189733ddfad8d0f91544a784730fa4",
          "pytorch_model.bin": "6334b8cc62182a1db370a388e115d346d9fdb6eb6083cbbd969d82bdbaa2eb1e",
        },
        usedByDartEval: true,
      },
    ),
  ],
  facts: {
    tokensOf350: 58,
    context: ({ config }) => sizeIn(config, "max_position_embeddings"),
    trainedOn: ({ preset }) =>
      preset.endsWith("multi")
        ? "human T2T genome with variants of the 1000 Genomes Project, genomes of other species"
        : "human T2T genome with variants of the 1000 Genomes Project",
  },
  toys: {
    toy: {
      ...base,
      hidden_size: 32,
      intermediate_size: 96,
      num_attention_heads: 4,
      num_hidden_layers: 2,
      max_position_embeddings: 1024,
      vocab_size: toyTokens.vocabularySize,
    },
  },
  referenceOutputs: [
    {
      preset: "large-t2t",
      description: "ACGTNACGTNACGTN",
      ids: [1, 120, 5428, 120, 5428, 120, 5428, 2],
      tolerance: 2e-4,
      mean: {
        sum: -2.98034835,
        sumOfSquares: 64.6861957,
        first: [
          -0.534701586, 0.0335678607, 0.00555463601, -0.105255917, -0.0319662169, -0.188484803, 0.274284065,
          -0.220132545,
        ],
        last: [-0.0904158205, -0.126600489, 0.120881595, 0.370717049],
      },
    },
    {
      preset: "large-t2t",
      description: "ACGTNNNNNNNNNN",
      ids: [1, 120, 15, 5, 2],
      tolerance: 2e-4,
      mean: {
        sum: -4.43159186,
        sumOfSquares: 45.8394466,
        first: [
          -0.354956895, -0.00419037649, 0.213995337, -0.189439401, 0.123732053, -0.222740144, 0.025203323,
          -0.173247427,
        ],
        last: [-0.105883874, -0.120595455, 0.209809944, 0.0510779992],
      },
    },
    {
      // without a last norm the states are large: up to 2595 in one column
      preset: "base-t2t-multi",
      description: "ACGTNACGTNACGTN",
      ids: [1, 120, 5428, 120, 5428, 120, 5428, 2],
      tolerance: 5e-3,
      mean: {
        first: [
          7.8847127, 7.66608143, 12.2374201, -9.1604538, 13.4483433, -0.446458608, -1.24302649, -12.7734022,
        ],
        last: [8.91642475, -8.47024822, -10.3596458, -11.2446613],
      },
    },
  ],
};
