import { z } from "zod";
import { nucleotideTransformerVocabulary } from "../../dna/tokenizers/k-mer.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import {
  add,
  cast,
  cumSum,
  div,
  equal,
  fill,
  mul,
  not,
  reduceSum,
  silu,
  sub,
  unsqueeze,
  where,
} from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { LOWEST, paddingBias } from "../../net/nn/attention.ts";
import type { Embedding } from "../../net/nn/embedding.ts";
import { embed } from "../../net/nn/embedding.ts";
import { feedForward, gatedFeedForward } from "../../net/nn/feed-forward.ts";
import type { Norm } from "../../net/nn/norm.ts";
import { layerNorm } from "../../net/nn/norm.ts";
import type { Queries } from "../../net/nn/queries.ts";
import { everyToken, oneToken } from "../../net/nn/queries.ts";
import { rotaryFrequencies } from "../../net/nn/rotary.ts";
import type {
  Architecture,
  ClassifierHead,
  ForwardInput,
  ForwardOutput,
  InitialLaw,
} from "../architecture.ts";
import type { LanguageModelCard, PublicCheckpoint } from "../card.ts";
import { parseConfig } from "../config.ts";
import type { LoraFactors } from "../lora.ts";
import type { DeclaredTensor } from "../parameters.ts";
import { ParameterTable } from "../parameters.ts";
import type { BertDropout, Layer, LayerForm, MaskedHead } from "./blocks/bert.ts";
import {
  bertDropout,
  bertInitial,
  bertSizes,
  encoderStates,
  firstTokenClassifier,
  HEADS_FIT,
  headsFit,
  liveValues,
  maskedHead,
  preNormLayer,
  selfAttention,
} from "./blocks/bert.ts";

// axes: b batch · t tokens · q queries · d width · h heads · v vocabulary

const either = {
  ...bertSizes,
  emb_layer_norm_before: z.literal(false),
  tie_word_embeddings: z.literal(false),
  pad_token_id: z.number().int().min(0),
  mask_token_id: z.number().int().min(0),
};
/** The second generation: places turn queries and keys, the feed-forward layer is gated. */
const second = z.object({
  ...either,
  position_embedding_type: z.literal("rotary"),
  token_dropout: z.literal(false),
  add_bias_fnn: z.literal(false),
});
/** The first: places have embeddings, the feed-forward layer is plain. */
const first = z.object({
  ...either,
  position_embedding_type: z.literal("absolute"),
  token_dropout: z.literal(true),
});

const schema = z
  .discriminatedUnion("position_embedding_type", [first, second])
  .refine(headsFit, HEADS_FIT)
  .refine(
    (c) => c.position_embedding_type === "absolute" || (c.hidden_size / c.num_attention_heads) % 2 === 0,
    {
      path: ["num_attention_heads"],
      error: "expected heads of even width, whose columns are turned in pairs",
    },
  );

type Config = z.output<typeof schema>;

const isFirst = (c: Config) => c.position_embedding_type === "absolute";

interface Parameters {
  readonly words: Embedding;
  readonly positions: Embedding;
  readonly layers: readonly Layer[];
  readonly lastNorm: Norm;
  readonly head: MaskedHead;
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const inner = c.intermediate_size;
  const bias = isFirst(c);
  const words = table.embedding("esm.embeddings.word_embeddings", c.vocab_size, d);
  // the second generation keeps a table of places, and both a head for contacts, that nothing reads
  const positions = table.embedding("esm.embeddings.position_embeddings", c.max_position_embeddings, d);
  table.linear("esm.contact_head.regression", c.num_hidden_layers * c.num_attention_heads, 1);
  return {
    words,
    positions,
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `esm.encoder.layer.${i}`;
      const dense = (name: string) => table.linear(`${at}.attention.${name}`, d, d);
      return {
        attentionNorm: table.norm(`${at}.attention.LayerNorm`, d),
        attention: {
          query: dense("self.query"),
          key: dense("self.key"),
          value: dense("self.value"),
          output: dense("output.dense"),
          frequencies: isFirst(c)
            ? undefined
            : table.tensor(`${at}.attention.self.${FREQUENCIES}`, [d / c.num_attention_heads / 2], {
                buffer: true,
              }),
        },
        feedForwardNorm: table.norm(`${at}.LayerNorm`, d),
        feedForward: {
          inner: table.linear(`${at}.intermediate.dense`, d, isFirst(c) ? inner : 2 * inner, { bias }),
          outer: table.linear(`${at}.output.dense`, inner, d, { bias }),
        },
      };
    }),
    lastNorm: table.norm("esm.encoder.emb_layer_norm_after", d),
    head: {
      dense: table.linear("lm_head.dense", d, d),
      norm: table.norm("lm_head.layer_norm", d),
      decoder: {
        weight: table.linear("lm_head.decoder", d, c.vocab_size, { bias: false }).weight,
        bias: table.tensor("lm_head.bias", [c.vocab_size]),
      },
    },
  };
}

const FREQUENCIES = "rotary_embeddings.inv_freq";

/** x⁰ = embeddings, padding 0; x ← layer(x); h = LN(xⁿ). */
function forward(p: Parameters, c: Config, input: ForwardInput, tokens: Dim, asked: Queries): ForwardOutput {
  const epsilon = c.layer_norm_eps;
  const { mask } = input;
  const drop = bertDropout(input, c);
  const embedded = isFirst(c) ? placedEmbeddings(p, c, input) : embed(p.words, input.ids);
  const x = mask === undefined ? embedded : mul(embedded, unsqueeze(mask, 2));
  const states = encoderStates(p.layers, x, preNormLayer, {
    all: layerForm(c, everyToken(tokens), mask, drop),
    last: layerForm(c, asked, mask, drop),
  });
  const lastHidden = layerNorm(p.lastNorm, states.at(-1)!, epsilon);
  return {
    hiddenStates: [...states.slice(0, -1), lastHidden],
    lastHidden,
    logits: maskedHead(p.head, lastHidden, epsilon),
  };
}

/** The share of tokens that were masked in training: 15 %, of which 80 % by the mask token. */
const MASKED_IN_TRAINING = 0.15 * 0.8;

/**
 * (1 − 0.12) / (1 − r) · E[ids] + P[place], where a masked token's E is 0 and r is the share of masked tokens in the row.
 * So the states keep the size they had in training, also in a row without masks. A place counts tokens from
 * pad + 1; padding, known by its id, has the place pad.
 */
function placedEmbeddings(p: Parameters, c: Config, { ids, mask }: ForwardInput): Sym {
  const masked = equal(ids, c.mask_token_id); // [b, t]
  const tokens = reduceSum(mask ?? fill(ids.shape, 1), [1], { keepDims: true });
  const ratio = div(reduceSum(cast(masked, "float32"), [1], { keepDims: true }), tokens); // [b, 1]
  const scale = unsqueeze(div(1 - MASKED_IN_TRAINING, sub(1, ratio)), 2);
  const words = where(unsqueeze(masked, 2), 0, embed(p.words, ids));
  const real = cast(not(equal(ids, c.pad_token_id)), "int32");
  const places = add(mul(cumSum(real, 1), real), c.pad_token_id);
  return add(mul(words, scale), embed(p.positions, places));
}

function layerForm(c: Config, queries: Queries, mask: Sym | undefined, drop: BertDropout): LayerForm {
  const bias = mask && paddingBias(mask, LOWEST);
  return {
    attend: (p, y) => selfAttention(p, y, queries, { heads: c.num_attention_heads, bias, drop }),
    feed: (p, y) => drop.hidden(isFirst(c) ? feedForward(p, y) : gatedFeedForward(p, y, silu)),
    queries,
    epsilon: c.layer_norm_eps,
  };
}

const architecture = (config: unknown, file: string) => build(parseConfig(schema, config, file));

function build(c: Config, lora?: LoraFactors): Architecture {
  const table = new ParameterTable(lora);
  const p = declare(table, c);
  return {
    width: c.hidden_size,
    layers: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    maxTokens: isFirst(c) ? c.max_position_embeddings - c.pad_token_id - 1 : Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/\.position_ids$/, /^esm\.pooler\./, /^classifier\./],
    takesMask: true,
    fixedLength: false,
    ...liveValues(c),
    forward: (input, tokens) => forward(p, c, input, tokens, everyToken(tokens)),
    forwardAt: (input, positions, tokens) => forward(p, c, input, tokens, oneToken(positions)),
    classifier: (labels) => classifier(c, labels),
    wrapped: ["esm"],
    adapted: (factors) => build(c, factors),
    initial: (tensor) => initial(tensor, c),
  };
}

function classifier(c: Config, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const dense = table.linear("classifier.dense", c.hidden_size, c.hidden_size);
  const dropout = c.hidden_dropout_prob;
  return firstTokenClassifier(table, dense, table.linear("classifier.out_proj", c.hidden_size, labels), {
    dropout,
    before: dropout,
  });
}

function initial(tensor: DeclaredTensor, c: Config): InitialLaw {
  if (!tensor.name.endsWith(FREQUENCIES)) return bertInitial(tensor, c.initializer_range);
  return { kind: "values", values: () => rotaryFrequencies(c.hidden_size / c.num_attention_heads) };
}

/** What beside the k-mers is in the vocabulary: special tokens and single letters. */
const BESIDE_KMERS = { 1: 9, 2: 11 };

/** A vocabulary follows from its size, by rule. */
function tokenizerFiles({ vocab_size, position_embedding_type }: Readonly<Record<string, unknown>>) {
  const generation = position_embedding_type === "absolute" ? 1 : 2;
  const k = Math.log2((vocab_size as number) - BESIDE_KMERS[generation]) / 2;
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

export const nucleotideTransformer: LanguageModelCard = {
  name: "nucleotide-transformer",
  title: "Nucleotide Transformer",
  kind: "masked",
  tokens: "k-mer",
  cite: "Dalla-Torre et al. 2025, doi:10.1038/s41592-024-02523-z",
  licence: "CC-BY-NC-SA-4.0",
  recognises: (config) =>
    config.add_bias_fnn === false ||
    (config.model_type === "esm" &&
      config.position_embedding_type === "absolute" &&
      config.token_dropout === true),
  architecture,
  tokenizer: openTokenizer,
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
  anchors: [
    {
      preset: "v2-50m-multi-species",
      of: "ATTCCGATTCCGATTCCG",
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
      of: "ATTCCGATTCCGATTCCG",
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
      of: "ATTCCGATTCCGATTCCG",
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
      of: "AAAACCCCGGGGTTTTACGTNACGTNNNNACGTTGCAACGTACGT",
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
