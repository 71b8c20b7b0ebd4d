import { z } from "zod";
import { overlappingKMerVocabulary } from "../../dna/tokenizers/overlapping-k-mer.ts";
import { activationSchema, parseConfig } from "./architecture.ts";
import {
  type BertFamily,
  type BertParameters,
  bertArchitecture,
  bertSizes,
  classifierDropout,
  HEADS_FIT,
  postNormLayer,
} from "./blocks/bert.ts";
import {
  type BertEmbeddings,
  declareAttention,
  declareEmbeddings,
  declareFeedForward,
  declareHead,
  standardBert,
} from "./blocks/standard-bert.ts";
import { architectureCard, tokenizerFilesOfSize } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";

const schema = z
  .object({
    ...bertSizes,
    layer_norm_eps: bertSizes.layer_norm_eps.default(1e-12),
    type_vocab_size: z.number().int().min(1).max(64).default(2),
    hidden_act: activationSchema("gelu"),
    position_embedding_type: z.literal("absolute").default("absolute"),
    tie_word_embeddings: z.boolean().default(true),
    classifier_dropout: classifierDropout(),
  })
  .refine(...HEADS_FIT);

type Config = z.output<typeof schema>;

/** BERT as published: post-norm layers, learned absolute positions (Devlin et al. 2019). */
const family = (c: Config): BertFamily<BertParameters & BertEmbeddings> => ({
  ...standardBert(c),
  declare: (table) => declare(table, c),
  layer: postNormLayer,
  lastHidden: (_, x) => x,
});

function declare(table: ParameterTable, c: Config): BertParameters & BertEmbeddings {
  const d = c.hidden_size;
  const { embeddings, decoder } = declareEmbeddings(table, c);
  return {
    ...embeddings,
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `bert.encoder.layer.${i}`;
      return {
        attention: declareAttention(table, at, d),
        attentionNorm: table.norm(`${at}.attention.output.LayerNorm`, d),
        feedForward: declareFeedForward(table, at, c),
        feedForwardNorm: table.norm(`${at}.output.LayerNorm`, d),
      };
    }),
    head: declareHead(table, d, decoder),
  };
}

function architecture(config: unknown, file: string) {
  const c = parseConfig(schema, config, file);
  return bertArchitecture(c, family(c));
}

const toyTokens = overlappingKMerVocabulary(3);

export const bert = architectureCard({
  name: "bert",
  title: "BERT",
  kind: "masked",
  cite: "Devlin et al. 2019, arXiv:1810.04805; Ji et al. 2021, doi:10.1093/bioinformatics/btab083",
  modelTypes: ["bert"],
  architecture,
  tokenizerFiles: tokenizerFilesOfSize(toyTokens.length, { "vocab.txt": `${toyTokens.join("\n")}\n` }),
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
});
