import { type KnownCheckpoints, type PublicCheckpoint, sizeIn } from "../card.ts";
import { BYTE_PAIRS_OF_350, toyBytePairs } from "./toy-byte-pairs.ts";

/** Width, inner width of an expert, layers, experts, experts per token, tokens seen in training. */
type Sizes = readonly [
  hidden: number,
  inner: number,
  layers: number,
  experts: number,
  perToken: number,
  context: number,
];

const config = ([hidden, inner, layers, experts, perToken, context]: Sizes) => ({
  architectures: ["MixtralForCausalLM"],
  attention_dropout: 0,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: "silu",
  hidden_size: hidden,
  initializer_range: 0.02,
  intermediate_size: inner,
  max_position_embeddings: context,
  model_type: "mixtral",
  num_attention_heads: 8,
  num_experts_per_tok: perToken,
  num_hidden_layers: layers,
  num_key_value_heads: 8,
  num_local_experts: experts,
  output_router_logits: false,
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
  router_aux_loss_coef: 0.02,
  sliding_window: null,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  vocab_size: 4096,
});

function published(
  parameters: string,
  sizes: Sizes,
  revision: string,
  more: Partial<PublicCheckpoint> = {},
): PublicCheckpoint {
  const repo = `RaphaelMourad/Mistral-DNA-v1-${parameters}-hg38`;
  return { preset: parameters.toLowerCase(), repo, revision, config: config(sizes), ...more };
}

const toyTokens = toyBytePairs([]);

export const mistralDnaCheckpoints: KnownCheckpoints = {
  tokenizerFiles: toyTokens.tokenizerFiles,
  checkpoints: [
    published("1M", [64, 64, 4, 8, 1, 256], "main"),
    published("17M", [256, 256, 8, 8, 1, 512], "a17c01a92323ef3702f7468de68d2e4e616be5c5"),
    published("138M", [768, 768, 8, 8, 1, 512], "9ed7b83ae8701094b28799258b32c2da53c731b2"),
    published("422M", [768, 2688, 8, 8, 1, 512], "511be50b9ca8c605bbb68496fc0c4c31e780f4bc"),
    published("1.6B", [768, 2688, 8, 32, 2, 512], "fb3040e9add3d4f5ae41b1a7d5ab310f1a32158e", {
      usedByDartEval: true,
    }),
  ],
  facts: {
    tokensOf350: BYTE_PAIRS_OF_350,
    context: ({ config }) => sizeIn(config, "max_position_embeddings"),
    trainedOn: () => "human genome",
  },
  toys: {
    toy: {
      ...config([32, 48, 2, 4, 1, 512]),
      num_attention_heads: 4,
      num_key_value_heads: 2,
      torch_dtype: "float32",
      vocab_size: toyTokens.vocabularySize,
    },
  },
  referenceOutputs: [
    {
      // a classifier fine-tuned from the 1M checkpoint, in the authors' repository:
      // data/models/Mistral-DNA-v1-1M-hg38-finetuned-tf0
      preset: "1m-finetuned-tf0",
      description: "ACGTAGCATCGGATCTATCTATCGACACTTGGTTATCGATCTACGAGCATCTCGTTAGC",
      ids: [1, 5, 194, 32, 757, 1239, 2092, 294, 24, 359, 88, 93, 32, 75, 77, 19, 2],
      tolerance: 2e-4,
      otherTokens: {
        1: [-0.053236, -0.062356, -0.59742, 0.42392],
        16: [-1.048358, -0.847273, 0.815973, 0.780717],
      },
    },
  ],
};
