import { nucleotideTransformerVocabulary } from "../../../dna/tokenizers/k-mer.ts";
import type { KnownCheckpoints, PublicCheckpoint } from "../card.ts";

/** Tokens in addition to k-mers: special tokens and single bases. */
const BESIDE_KMERS = { 1: 9, 2: 11 };

/** Vocabulary of a given size. */
function tokenizerFiles(config: Readonly<Record<string, unknown>>) {
  const generation = config.position_embedding_type === "absolute" ? 1 : 2;
  const k = Math.log2(Number(config.vocab_size) - BESIDE_KMERS[generation]) / 2;
  if (!Number.isInteger(k)) return {};
  return { "vocab.txt": nucleotideTransformerVocabulary(generation, k).join("\n") };
}

type Sizes = readonly [width: number, layers: number, heads: number, inner: number];

const common = ([hidden_size, num_hidden_layers, num_attention_heads, intermediate_size]: Sizes) => ({
  architectures: ["EsmForMaskedLM"],
  attention_probs_dropout_prob: 0,
  emb_layer_norm_before: false,
  esmfold_config: null,
  hidden_dropout_prob: 0,
  hidden_size,
  initializer_range: 0.02,
  intermediate_size,
  is_folding_model: false,
  layer_norm_eps: 1e-12,
  mask_token_id: 2,
  num_attention_heads,
  num_hidden_layers,
  pad_token_id: 1,
  tie_word_embeddings: false,
  torch_dtype: "float32",
  use_cache: false,
  vocab_list: null,
});

const firstConfig = (sizes: Sizes) => ({
  ...common(sizes),
  max_position_embeddings: 1002,
  model_type: "esm",
  position_embedding_type: "absolute",
  token_dropout: true,
  vocab_size: 4105,
});

const secondConfig = (sizes: Sizes) => ({
  ...common(sizes),
  add_bias_fnn: false,
  auto_map: {
    AutoConfig: "esm_config.EsmConfig",
    AutoModelForMaskedLM: "modeling_esm.EsmForMaskedLM",
    AutoModelForTokenClassification: "modeling_esm.EsmForTokenClassification",
    AutoModelForSequenceClassification: "modeling_esm.EsmForSequenceClassification",
  },
  max_position_embeddings: 2050,
  position_embedding_type: "rotary",
  token_dropout: false,
  vocab_size: 4107,
});

function published(
  preset: string,
  config: PublicCheckpoint["config"],
  revision: string,
  more: Partial<PublicCheckpoint> = {},
): PublicCheckpoint {
  return { preset, repo: `InstaDeepAI/nucleotide-transformer-${preset}`, revision, config, ...more };
}

const SMALL_FIRST = firstConfig([1280, 24, 20, 5120]);
const LARGE_FIRST = firstConfig([2560, 32, 20, 10240]);

export const nucleotideTransformerCheckpoints: KnownCheckpoints = {
  tokenizerFiles,
  checkpoints: [
    published(
      "v2-50m-multi-species",
      secondConfig([512, 12, 16, 2048]),
      "81b29e5786726d891dbf929404ef20adca5b36f1",
      {
        sha256: {
          "model.safetensors": "17e75af297556ea56828716d8aa539e8f12b8b625547204b74171ab91aa33569",
          "pytorch_model.bin": "3b177d140664f3157ecd262825b5caca5855c10ae9c1ea43445c349f5e09c0b8",
        },
      },
    ),
    published(
      "v2-100m-multi-species",
      secondConfig([512, 22, 16, 2048]),
      "f34324c6fde36a4f635f0f1f06cac5d25acd6798",
      {
        sha256: {
          "model.safetensors": "60d5fe10281f7bf0436e990a55a3cf635eeabaf63b0e3ca4dc73838264d329b8",
          "pytorch_model.bin": "8b3053eea1b7139144922b5291831128d3bf510737cfad90895a083d444d1fb6",
        },
      },
    ),
    published(
      "v2-250m-multi-species",
      secondConfig([768, 24, 16, 3072]),
      "c0f0359229f36ff6bc3a021247eefe0a9c344bd1",
      {
        sha256: { "pytorch_model.bin": "ad9be6f4ca8c744dde5794a0cdc443eb2d76d776d9da2377f6d9fe4f4d96fcd9" },
      },
    ),
    published(
      "v2-500m-multi-species",
      secondConfig([1024, 29, 16, 4096]),
      "06615c1660c892fc199840c18123f8385b3542a8",
      { usedByDartEval: true },
    ),
    published("500m-human-ref", SMALL_FIRST, "main"),
    published("500m-1000g", SMALL_FIRST, "main"),
    published("2.5b-multi-species", LARGE_FIRST, "b746b125aacd1b0970c05a32fd71ba726754542e", {
      sha256: {
        "pytorch_model-00001-of-00002.bin":
          "9333a3ceaf85e027547e73068476ecb79b1ac4e5bae91abcdae7f7f7619d7092",
        "pytorch_model-00002-of-00002.bin":
          "d599e301221170496d93158cf46f8e5872621f31fc16e570bc947b27f9917979",
      },
    }),
    published("2.5b-1000g", LARGE_FIRST, "c13cfe481c2f6a2b1cabbb2b80e0ad1fbf32e45a"),
  ],
  facts: {
    tokensOf350: 61,
    context: ({ preset }) => (preset.startsWith("v2") ? 2048 : 1000),
    trainedOn: ({ preset }) =>
      preset.endsWith("multi-species")
        ? "genomes of 850 species"
        : preset.endsWith("1000g")
          ? "3,202 human genomes of the 1000 Genomes Project"
          : "human genome",
  },
  toys: {
    toy: {
      ...secondConfig([32, 3, 4, 64]),
      vocab_size: 4 ** 4 + BESIDE_KMERS[2],
      max_position_embeddings: 64,
    },
    "toy-v1": {
      ...firstConfig([32, 2, 4, 64]),
      vocab_size: 4 ** 4 + BESIDE_KMERS[1],
      max_position_embeddings: 768,
    },
  },
  referenceOutputs: [
    {
      preset: "v2-50m-multi-species",
      description: "ATTCCGATTCCGATTCCG",
      ids: [3, 369, 369, 369],
      tolerance: 2e-4,
      mean: {
        sum: -2.03978208,
        sumOfSquares: 184.718092,
        first: [
          0.0483452156, 0.201884359, 0.205003887, 0.0380354226, 0.283596039, -0.115143187, -0.0546833761,
          0.147107333,
        ],
        last: [0.109556422, -0.105578095, 0.536294103, -0.447452754],
      },
    },
    {
      preset: "v2-100m-multi-species",
      description: "ATTCCGATTCCGATTCCG",
      ids: [3, 369, 369, 369],
      tolerance: 2e-4,
      mean: {
        sum: 0.962547401,
        sumOfSquares: 163.114023,
        first: [
          -0.142808527, 0.198484272, 0.19470869, 0.0400452837, -0.245402604, -0.461831599, -0.619754374,
          -0.0574320592,
        ],
        last: [-0.140806168, 0.290699095, 0.256294549, 0.16594176],
      },
    },
    {
      preset: "v2-250m-multi-species",
      description: "ATTCCGATTCCGATTCCG",
      ids: [3, 369, 369, 369],
      tolerance: 2e-4,
      mean: {
        sum: 0.268477825,
        sumOfSquares: 242.592836,
        first: [
          0.117055945, 0.10427554, 1.11145163, 0.102949031, -0.139297962, -0.364463568, 0.419584274,
          -0.119673207,
        ],
        last: [0.265354216, 0.239973009, 0.0378956869, -0.315050751],
      },
    },
    {
      preset: "2.5b-multi-species",
      description: "AAAACCCCGGGGTTTTACGTNACGTNNNNACGTTGCAACGTACGT",
      ids: [
        3, 14, 2819, 1366, 4103, 4101, 4104, 4100, 4102, 4103, 4101, 4104, 4104, 4104, 4104, 731, 2097, 4100,
        4102, 4103, 4101,
      ],
      tolerance: 2e-4,
      mean: {
        first: [
          -0.462239027, 0.350004733, 0.244896233, -0.169836879, 0.388678372, -0.518406928, 0.0845085531,
          -1.31913579,
        ],
        last: [0.339409381, 0.296617299, 0.300714582, 0.879023075],
      },
    },
  ],
};
