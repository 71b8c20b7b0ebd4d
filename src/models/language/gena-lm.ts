import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
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
  preNormLayer,
} from "./blocks/bert.ts";
import type { LanguageModelCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { genaLmCheckpoints } from "./published-checkpoints/gena-lm.ts";

// axes: b batch · t tokens · d width

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

interface Parameters extends BertParameters {
  readonly words: Embedding;
  readonly types: Embedding;
  readonly positions: Embedding;
  readonly embeddingNorm: Norm;
  readonly lastNorm: Norm | undefined;
}

/** GENA-LM: BERT with pre-norm layers and, in most checkpoints, a norm after the last one. */
const family = (c: Config): BertFamily<Parameters> => ({
  declare: (table) => declare(table, c),
  /** x⁰ = LN(E[ids] + T₀ + P[i]) at position i, padding counted */
  embed(p, { ids }, { tokens, drop }) {
    const positions = embed(p.positions, range(tokens)); // [t, d]
    const firstType = rowsOf(p.types, (table) => slice(table, 0, 0, 1));
    const sum = add(add(embed(p.words, ids), firstType), positions);
    return drop.hidden(layerNorm(p.embeddingNorm, sum, c.layer_norm_eps));
  },
  layer: preNormLayer,
  attentionBias: (mask) => mask && paddingBias(mask, LOWEST),
  /** W₂·gelu(W₁·y) */
  feed: (p, y, drop) => drop.hidden(feedForward(p, y)),
  /** h = LN(xⁿ), or xⁿ where `last_layer_norm` is false */
  lastHidden: ({ lastNorm }, x) => (lastNorm === undefined ? x : layerNorm(lastNorm, x, c.layer_norm_eps)),
  hiddenStates: "all",
  maxTokens: c.max_position_embeddings,
  // gena-lm-bert-base, of the first generation, includes BERT's next-sentence head
  ignored: [/\.position_ids$/, /^bert\.pooler\./, /^cls\.seq_relationship\./, /^classifier\./],
  wrapped: ["bert.embeddings", "bert.encoder"],
  classifier: (labels) => poolerClassifier(c, labels),
});

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

function architecture(config: unknown, file: string) {
  const c = parseConfig(schema, config, file);
  return bertArchitecture(c, family(c));
}

export const genaLm: LanguageModelCard = {
  name: "gena-lm",
  title: "GENA-LM",
  publishedAs: "GENA-LM",
  kind: "masked",
  tokens: "bpe",
  toy: true,
  cite: "Fishman et al. 2025, doi:10.1093/nar/gkae1310",
  licence: "MIT",
  recognises: ({ model_type, pre_layer_norm }) => model_type === "bert" && pre_layer_norm !== undefined,
  architecture,
  tokenizer: openTokenizer,
  ...genaLmCheckpoints,
};
