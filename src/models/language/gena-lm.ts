import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { activationSchema, parseConfig } from "./architecture.ts";
import {
  type BertFamily,
  type BertParameters,
  bertArchitecture,
  bertSizes,
  classifierDropout,
  HEADS_FIT,
  preNormLayer,
} from "./blocks/bert.ts";
import {
  type BertEmbeddings,
  declareAttention,
  declareEmbeddings,
  declareFeedForward,
  declareHead,
  standardBert,
} from "./blocks/standard-bert.ts";
import type { LanguageModelCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { genaLmCheckpoints } from "./published-checkpoints/gena-lm.ts";

const schema = z
  .object({
    ...bertSizes,
    type_vocab_size: z.number().int().min(1).max(64),
    hidden_act: activationSchema("gelu"),
    position_embedding_type: z.literal("absolute").default("absolute"),
    pre_layer_norm: z.literal(true),
    last_layer_norm: z.boolean().default(true),
    classifier_dropout: classifierDropout(),
  })
  .refine(...HEADS_FIT);

type Config = z.output<typeof schema>;

interface Parameters extends BertParameters, BertEmbeddings {
  readonly lastNorm: Norm | undefined;
}

/** GENA-LM: BERT with pre-norm layers and, in most checkpoints, a norm after the last one. */
const family = (c: Config): BertFamily<Parameters> => ({
  ...standardBert(c),
  declare: (table) => declare(table, c),
  layer: preNormLayer,
  /** h = LN(xⁿ), or xⁿ where `last_layer_norm` is false */
  lastHidden: ({ lastNorm }, x) => (lastNorm === undefined ? x : layerNorm(lastNorm, x, c.layer_norm_eps)),
});

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const { embeddings, decoder } = declareEmbeddings(table, c);
  return {
    ...embeddings,
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `bert.encoder.layer.${i}`;
      return {
        attentionNorm: table.norm(`${at}.pre_attention_ln`, d),
        attention: declareAttention(table, at, d),
        feedForwardNorm: table.norm(`${at}.post_attention_ln`, d),
        feedForward: declareFeedForward(table, at, c),
      };
    }),
    lastNorm: c.last_layer_norm ? table.norm("bert.encoder.last_layer_ln", d) : undefined,
    head: declareHead(table, d, decoder),
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
