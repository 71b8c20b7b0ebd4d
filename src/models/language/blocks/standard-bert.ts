import { add, range, slice } from "../../../net/graph/build.ts";
import type { Activation } from "../../../net/nn/activation.ts";
import { LOWEST, paddingBias } from "../../../net/nn/attention.ts";
import { type Embedding, embed, feedForward, type Linear, selectRows } from "../../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../../net/nn/norm.ts";
import type { ParameterTable } from "../parameters.ts";
import {
  type BertConfig,
  type BertFamily,
  type BertParameters,
  type MaskedHead,
  poolerClassifier,
  type SelfAttention,
} from "./bert.ts";

// axes: b batch · t tokens · d width

/** Embeddings of BERT: words, learned absolute positions, token types. */
export interface BertEmbeddings {
  readonly words: Embedding;
  readonly types: Embedding;
  readonly positions: Embedding;
  readonly embeddingNorm: Norm;
}

interface Config extends BertConfig {
  readonly type_vocab_size: number;
  readonly classifier_dropout?: number | null | undefined;
  /** The exact GELU if absent. */
  readonly hidden_act?: Activation;
  /** True (default) if the decoder of the head has the weights of the word embeddings. */
  readonly tie_word_embeddings?: boolean;
}

const isTied = (c: Config) => c.tie_word_embeddings ?? true;

/**
 * BERT in Transformers (Devlin et al. 2019, arXiv:1810.04805) without its layers and its last hidden state.
 */
export const standardBert = (c: Config) =>
  ({
    /** x⁰ = LN(E[ids] + T₀ + P[i]) for the token at position i, where padding has positions too */
    embed(p, { ids }, { tokens, drop }) {
      const positions = embed(p.positions, range(tokens)); // [t, d]
      const firstType = selectRows(p.types, (table) => slice(table, 0, 0, 1));
      const sum = add(add(embed(p.words, ids), firstType), positions);
      return drop.hidden(layerNorm(p.embeddingNorm, sum, c.layer_norm_eps));
    },
    attentionBias: (mask) => mask && paddingBias(mask, LOWEST),
    /** W₂·f(W₁·y) */
    feedForward: (p, y, drop) => drop.hidden(feedForward(p, y, c.hidden_act)),
    ...(c.hidden_act === undefined ? {} : { headActivation: c.hidden_act }),
    hiddenStates: "all",
    maxTokens: c.max_position_embeddings,
    // gena-lm-bert-base includes BERT's next-sentence head
    ignored: [
      /\.position_ids$/,
      /^bert\.pooler\./,
      /^cls\.seq_relationship\./,
      /^classifier\./,
      ...(isTied(c) ? [] : [/^cls\.predictions\.bias$/]),
    ],
    adaptedModules: ["bert.embeddings", "bert.encoder"],
    classifier: (labels) => poolerClassifier(c, labels),
  }) satisfies Partial<BertFamily<BertEmbeddings & BertParameters>>;

/**
 * Declares the embeddings and the decoder of the masked-language-model head. A tied decoder has the weights
 * of the word embeddings, which some checkpoints store twice.
 */
export function declareEmbeddings(
  table: ParameterTable,
  c: Config,
): { readonly embeddings: BertEmbeddings; readonly decoder: Linear } {
  const d = c.hidden_size;
  const tied = isTied(c);
  const decoder = "cls.predictions.decoder";
  const words = table.embedding("bert.embeddings.word_embeddings", c.vocab_size, d, {
    aliases: tied ? [`${decoder}.weight`] : [],
  });
  const stored = [`${decoder}.bias`, "cls.predictions.bias"] as const;
  // Transformers 5 stores both names for an untied decoder and uses `cls.predictions.decoder.bias`.
  const bias = tied
    ? table.tensor(stored[1], [c.vocab_size], { aliases: [stored[0]] })
    : table.tensor(stored[0], [c.vocab_size], { tiedTo: stored[1] });
  const types = table.embedding("bert.embeddings.token_type_embeddings", c.type_vocab_size, d);
  const positions = table.embedding("bert.embeddings.position_embeddings", c.max_position_embeddings, d);
  const embeddingNorm = table.norm("bert.embeddings.LayerNorm", d);
  const weight = tied ? words.weight : table.linear(decoder, d, c.vocab_size, { bias: false }).weight;
  return { embeddings: { words, types, positions, embeddingNorm }, decoder: { weight, bias } };
}

/** Declares the attention of a layer under BERT's names. */
export function declareAttention(table: ParameterTable, at: string, d: number): SelfAttention {
  const dense = (name: string) => table.linear(`${at}.attention.${name}`, d, d);
  return {
    query: dense("self.query"),
    key: dense("self.key"),
    value: dense("self.value"),
    output: dense("output.dense"),
  };
}

/** Declares the feed-forward network of a layer under BERT's names. */
export const declareFeedForward = (table: ParameterTable, at: string, c: Config) => ({
  inner: table.linear(`${at}.intermediate.dense`, c.hidden_size, c.intermediate_size),
  outer: table.linear(`${at}.output.dense`, c.intermediate_size, c.hidden_size),
});

/** Declares the masked-language-model head under BERT's names. */
export const declareHead = (
  table: ParameterTable,
  d: number,
  decoder: MaskedHead["decoder"],
): MaskedHead => ({
  dense: table.linear("cls.predictions.transform.dense", d, d),
  norm: table.norm("cls.predictions.transform.LayerNorm", d),
  decoder,
});
