import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { add, range, slice } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { LOWEST, paddingBias } from "../../net/nn/attention.ts";
import type { Embedding } from "../../net/nn/embedding.ts";
import { embed, rowsOf } from "../../net/nn/embedding.ts";
import { feedForward } from "../../net/nn/feed-forward.ts";
import type { Norm } from "../../net/nn/norm.ts";
import { layerNorm } from "../../net/nn/norm.ts";
import type { Queries } from "../../net/nn/queries.ts";
import { everyToken, oneToken } from "../../net/nn/queries.ts";
import type { Architecture, ClassifierHead, ForwardInput, ForwardOutput } from "../architecture.ts";
import type { LanguageModelCard, PublicCheckpoint } from "../card.ts";
import { parseConfig } from "../config.ts";
import type { LoraFactors } from "../lora.ts";
import { ParameterTable } from "../parameters.ts";
import type { BertDropout, Layer, LayerForm, MaskedHead } from "./blocks/bert.ts";
import {
  bertDropout,
  bertInitial,
  bertSizes,
  classifierDropout,
  encoderStates,
  firstTokenClassifier,
  HEADS_FIT,
  headsFit,
  liveValues,
  maskedHead,
  preNormLayer,
  selfAttention,
} from "./blocks/bert.ts";
import { toyBytePairs } from "./toy-byte-pairs.ts";

// axes: b batch · t tokens · q queries · d width · v vocabulary

const schema = z
  .object({
    ...bertSizes,
    type_vocab_size: z.number().int().min(1).max(64),
    hidden_act: z.literal("gelu"),
    position_embedding_type: z.literal("absolute").default("absolute"),
    pre_layer_norm: z.literal(true),
    last_layer_norm: z.boolean().default(true),
    classifier_dropout: classifierDropout(),
  })
  .refine(headsFit, HEADS_FIT);

type Config = z.output<typeof schema>;

interface Parameters {
  readonly words: Embedding;
  readonly types: Embedding;
  readonly positions: Embedding;
  readonly embeddingNorm: Norm;
  readonly layers: readonly Layer[];
  readonly lastNorm: Norm | undefined;
  readonly head: MaskedHead;
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  // stored twice, for the embedding and for the head, with the same values
  const words = table.embedding("bert.embeddings.word_embeddings", c.vocab_size, d, {
    aliases: ["cls.predictions.decoder.weight"],
  });
  const bias = table.tensor("cls.predictions.bias", [c.vocab_size], {
    aliases: ["cls.predictions.decoder.bias"],
  });
  return {
    words,
    types: table.embedding("bert.embeddings.token_type_embeddings", c.type_vocab_size, d),
    positions: table.embedding("bert.embeddings.position_embeddings", c.max_position_embeddings, d),
    embeddingNorm: table.norm("bert.embeddings.LayerNorm", d),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `bert.encoder.layer.${i}`;
      const dense = (name: string) => table.linear(`${at}.attention.${name}`, d, d);
      return {
        attentionNorm: table.norm(`${at}.pre_attention_ln`, d),
        attention: {
          query: dense("self.query"),
          key: dense("self.key"),
          value: dense("self.value"),
          output: dense("output.dense"),
        },
        feedForwardNorm: table.norm(`${at}.post_attention_ln`, d),
        feedForward: {
          inner: table.linear(`${at}.intermediate.dense`, d, c.intermediate_size),
          outer: table.linear(`${at}.output.dense`, c.intermediate_size, d),
        },
      };
    }),
    lastNorm: c.last_layer_norm ? table.norm("bert.encoder.last_layer_ln", d) : undefined,
    head: {
      dense: table.linear("cls.predictions.transform.dense", d, d),
      norm: table.norm("cls.predictions.transform.LayerNorm", d),
      decoder: { weight: words.weight, bias },
    },
  };
}

/** x⁰ = LN(E[ids] + T₀ + P); x ← layer(x); h = LN_last(xⁿ), or xⁿ as it is.  A place counts padding too. */
function forward(p: Parameters, c: Config, input: ForwardInput, tokens: Dim, asked: Queries): ForwardOutput {
  const { ids, mask } = input;
  const epsilon = c.layer_norm_eps;
  const drop = bertDropout(input, c);
  const places = embed(p.positions, range(tokens)); // [t, d]
  const ofFirstType = rowsOf(p.types, (table) => slice(table, 0, 0, 1));
  const embedded = add(add(embed(p.words, ids), ofFirstType), places);
  const x = drop.hidden(layerNorm(p.embeddingNorm, embedded, epsilon));
  const states = encoderStates(p.layers, x, preNormLayer, {
    all: layerForm(c, everyToken(tokens), mask, drop),
    last: layerForm(c, asked, mask, drop),
  });
  const last = states.at(-1)!;
  const lastHidden = p.lastNorm === undefined ? last : layerNorm(p.lastNorm, last, epsilon);
  return {
    hiddenStates: [...states.slice(0, -1), lastHidden],
    lastHidden,
    logits: maskedHead(p.head, lastHidden, epsilon),
  };
}

function layerForm(c: Config, queries: Queries, mask: Sym | undefined, drop: BertDropout): LayerForm {
  const bias = mask && paddingBias(mask, LOWEST);
  return {
    attend: (p, y) => selfAttention(p, y, queries, { heads: c.num_attention_heads, bias, drop }),
    feed: (p, y) => drop.hidden(feedForward(p, y)),
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
    maxTokens: c.max_position_embeddings,
    tensors: [...table.tensors.values()],
    // gena-lm-bert-base, the first generation, keeps the head that tells whether two sentences follow each other
    ignored: [/\.position_ids$/, /^bert\.pooler\./, /^cls\.seq_relationship\./, /^classifier\./],
    takesMask: true,
    fixedLength: false,
    ...liveValues(c),
    forward: (input, tokens) => forward(p, c, input, tokens, everyToken(tokens)),
    forwardAt: (input, positions, tokens) => forward(p, c, input, tokens, oneToken(positions)),
    classifier: (labels) => classifier(c, labels),
    wrapped: ["bert.embeddings", "bert.encoder"],
    adapted: (factors) => build(c, factors),
    initial: (tensor) => bertInitial(tensor, c.initializer_range),
  };
}

function classifier(c: Config, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const pooler = table.linear("bert.pooler.dense", c.hidden_size, c.hidden_size);
  return firstTokenClassifier(table, pooler, table.linear("classifier", c.hidden_size, labels), {
    dropout: c.classifier_dropout ?? c.hidden_dropout_prob,
  });
}

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

export const genaLm: LanguageModelCard = {
  name: "gena-lm",
  title: "GENA-LM",
  kind: "masked",
  tokens: "bpe",
  cite: "Fishman et al. 2025, doi:10.1093/nar/gkae1310",
  licence: "MIT",
  recognises: ({ model_type, pre_layer_norm }) => model_type === "bert" && pre_layer_norm !== undefined,
  architecture,
  tokenizer: openTokenizer,
  tokenizerFiles: ({ vocab_size }) =>
    vocab_size === toyTokens.vocabularySize ? { "tokenizer.json": toyTokens.json } : {},
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
  anchors: [
    {
      preset: "large-t2t",
      of: "ACGTNACGTNACGTN",
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
      of: "ACGTNNNNNNNNNN",
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
      // without a norm at the end the states are large: up to 2595 in one column
      preset: "base-t2t-multi",
      of: "ACGTNACGTNACGTN",
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
