import { type KnownCheckpoints, sizeIn } from "../card.ts";
import { BYTE_PAIRS_OF_350, toyBytePairs } from "./toy-byte-pairs.ts";

const published = {
  _name_or_path: "zhihan1996/DNABERT-2-117M",
  alibi_starting_size: 512,
  attention_probs_dropout_prob: 0,
  classifier_dropout: null,
  hidden_act: "gelu",
  hidden_dropout_prob: 0.1,
  hidden_size: 768,
  initializer_range: 0.02,
  intermediate_size: 3072,
  layer_norm_eps: 1e-12,
  max_position_embeddings: 512,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  position_embedding_type: "absolute",
  torch_dtype: "float32",
  type_vocab_size: 2,
  vocab_size: 4096,
};

const toyTokens = toyBytePairs([]);

export const dnabert2Checkpoints: KnownCheckpoints = {
  tokenizerFiles: toyTokens.tokenizerFiles,
  checkpoints: [
    {
      preset: "117m",
      repo: "zhihan1996/DNABERT-2-117M",
      revision: "7bce263b15377fc15361f52cfab88f8b586abda0",
      sha256: { "pytorch_model.bin": "7ff39ec77a484dd01070a41bfd6e95cdd7247bec80fe357ab43a4be33687aeba" },
      config: published,
      usedByDartEval: true,
    },
  ],
  facts: {
    tokensOf350: BYTE_PAIRS_OF_350,
    context: ({ config }) => sizeIn(config, "max_position_embeddings"),
    trainedOn: () => "genomes of 135 species",
  },
  toys: {
    toy: {
      ...published,
      _name_or_path: "toy",
      hidden_size: 48,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      intermediate_size: 96,
      vocab_size: toyTokens.vocabularySize,
    },
  },
  referenceOutputs: [
    {
      preset: "117m",
      description: "ACGTNACGTNACGTN",
      ids: [1, 5, 6, 1049, 0, 5, 6, 1049, 0, 5, 6, 1049, 0, 2],
      tolerance: 2e-4,
      mean: {
        sum: 1.4757872,
        sumOfSquares: 22.2864791,
        first: [
          -0.0585790761, 0.0440874174, 0.180750802, -0.140868917, -0.176665917, -0.0520466305, -0.1384224,
          -0.0999690667,
        ],
        last: [0.0521921627, 0.200336084, 0.178020731, 0.00766196568],
      },
      firstToken: [
        -0.09099764, 0.11101955, 0.20347267, -0.187399, -0.06179409, -0.16749252, -0.2816923, -0.08533625,
      ],
    },
    {
      preset: "117m",
      description: "AAAACCCCGGGGTTTTACGTNACGTNNNNACGTTGCAACGTACGT",
      ids: [1, 39, 102, 92, 69, 6, 1049, 0, 5, 6, 1049, 0, 0, 0, 0, 5, 134, 66, 194, 6, 1049, 2],
      tolerance: 2e-4,
      mean: {
        sum: 3.17530348,
        sumOfSquares: 10.5429335,
        first: [
          -0.158318743, 0.0287651792, 0.173381254, -0.22307612, -0.223933741, 0.0182469748, -0.0285781678,
          -0.0822219178,
        ],
        last: [-0.0446636118, 0.0813948885, 0.212817103, 0.0515330806],
      },
      firstToken: [
        -0.12781328, 0.31639588, 0.46516201, -0.21065611, -0.11169342, -0.0817242, -0.04126954, -0.18689162,
      ],
    },
  ],
};
