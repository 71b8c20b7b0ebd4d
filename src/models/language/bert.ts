import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { overlappingKMerVocabulary } from "../../dna/tokenizers/overlapping-k-mer.ts";
import { add, range, slice } from "../../net/graph/build.ts";
import { LOWEST, paddingBias } from "../../net/nn/attention.ts";
import { type Embedding, embed, rowsOf } from "../../net/nn/embedding.ts";
import { feedForward } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { parseConfig } from "./architecture.ts";
import {
  type BertFamily,
  type BertParameters,
  bertArchitecture,
  bertSizes,
  classifierDropout,
  HEADS_FIT,
  headsFit,
  poolerClassifier,
  postNormLayer,
} from "./blocks/bert.ts";
import type { LanguageModelCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";

// axes: b batch · t tokens · d width

const schema = z
  .object({
    ...bertSizes,
    layer_norm_eps: bertSizes.layer_norm_eps.default(1e-12),
    type_vocab_size: z.number().int().min(1).max(64).default(2),
    hidden_act: z.literal("gelu").default("gelu"),
    position_embedding_type: z.literal("absolute").default("absolute"),
    tie_word_embeddings: z.literal(true).default(true),
    is_decoder: z.literal(false).default(false),
    classifier_dropout: classifierDropout(),
  })
  .refine(headsFit, HEADS_FIT);

type Config = z.output<typeof schema>;

interface Parameters extends BertParameters {
  readonly words: Embedding;
  readonly types: Embedding;
  readonly positions: Embedding;
  readonly embeddingNorm: Norm;
}

/** BERT as published: post-norm layers, learned absolute positions (Devlin et al. 2019). */
const family = (c: Config): BertFamily<Parameters> => ({
  declare: (table) => declare(table, c),
  /** x⁰ = LN(E[ids] + T₀ + P[i]) at position i, padding counted */
  embed(p, { ids }, { tokens, drop }) {
    const positions = embed(p.positions, range(tokens)); // [t, d]
    const firstType = rowsOf(p.types, (table) => slice(table, 0, 0, 1));
    const sum = add(add(embed(p.words, ids), firstType), positions);
    return drop.hidden(layerNorm(p.embeddingNorm, sum, c.layer_norm_eps));
  },
  layer: postNormLayer,
  attentionBias: (mask) => mask && paddingBias(mask, LOWEST),
  /** W₂·gelu(W₁·y) */
  feed: (p, y, drop) => drop.hidden(feedForward(p, y)),
  lastHidden: (_, x) => x,
  hiddenStates: "all",
  maxTokens: c.max_position_embeddings,
  ignored: [/\.position_ids$/, /^bert\.pooler\./, /^cls\.seq_relationship\./, /^classifier\./],
  wrapped: ["bert.embeddings", "bert.encoder"],
  classifier: (labels) => poolerClassifier(c, labels),
});

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const words = table.embedding("bert.embeddings.word_embeddings", c.vocab_size, d, {
    aliases: ["cls.predictions.decoder.weight"],
  });
  const bias = table.tensor("cls.predictions.bias", [c.vocab_size], {
    aliases: ["cls.predictions.decoder.bias"],
  });
  return {
    words,
    positions: table.embedding("bert.embeddings.position_embeddings", c.max_position_embeddings, d),
    types: table.embedding("bert.embeddings.token_type_embeddings", c.type_vocab_size, d),
    embeddingNorm: table.norm("bert.embeddings.LayerNorm", d),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `bert.encoder.layer.${i}`;
      const dense = (name: string) => table.linear(`${at}.attention.${name}`, d, d);
      return {
        attention: {
          query: dense("self.query"),
          key: dense("self.key"),
          value: dense("self.value"),
          output: dense("output.dense"),
        },
        attentionNorm: table.norm(`${at}.attention.output.LayerNorm`, d),
        feedForward: {
          inner: table.linear(`${at}.intermediate.dense`, d, c.intermediate_size),
          outer: table.linear(`${at}.output.dense`, c.intermediate_size, d),
        },
        feedForwardNorm: table.norm(`${at}.output.LayerNorm`, d),
      };
    }),
    head: {
      dense: table.linear("cls.predictions.transform.dense", d, d),
      norm: table.norm("cls.predictions.transform.LayerNorm", d),
      decoder: { weight: words.weight, bias },
    },
  };
}

function architecture(config: unknown, file: string) {
  const c = parseConfig(schema, config, file);
  return bertArchitecture(c, family(c));
}

const toyTokens = overlappingKMerVocabulary(3);

export const bert: LanguageModelCard = {
  name: "bert",
  title: "BERT",
  kind: "masked",
  tokens: "any",
  cite: "Devlin et al. 2019, arXiv:1810.04805; Ji et al. 2021, doi:10.1093/bioinformatics/btab083",
  licence: "of each checkpoint",
  recognises: ({ model_type }) => model_type === "bert",
  architecture,
  tokenizer: openTokenizer,
  tokenizerFiles: ({ vocab_size }) =>
    vocab_size === toyTokens.length ? { "vocab.txt": `${toyTokens.join("\n")}\n` } : {},
  checkpoints: [],
  toys: {
    toy: {
      architectures: ["BertForMaskedLM"],
      model_type: "bert",
      attention_probs_dropout_prob: 0.1,
      hidden_act: "gelu",
      hidden_dropout_prob: 0.1,
      hidden_size: 32,
      initializer_range: 0.02,
      intermediate_size: 64,
      layer_norm_eps: 1e-12,
      max_position_embeddings: 512,
      num_attention_heads: 4,
      num_hidden_layers: 2,
      type_vocab_size: 2,
      vocab_size: toyTokens.length,
    },
  },
  anchors: [],
};
