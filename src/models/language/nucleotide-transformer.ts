import { z } from "zod";
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
import type { Sym } from "../../net/graph/sym.ts";
import { LOWEST, paddingBias } from "../../net/nn/attention.ts";
import { type Embedding, embed } from "../../net/nn/embedding.ts";
import { feedForward, gatedFeedForward } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { rotaryFrequencies } from "../../net/nn/position-encoding.ts";
import { type ClassifierHead, type ForwardInput, parseConfig } from "./architecture.ts";
import {
  type BertFamily,
  type BertParameters,
  bertArchitecture,
  bertSizes,
  firstTokenClassifier,
  HEADS_FIT,
  headsFit,
  preNormLayer,
} from "./blocks/bert.ts";
import type { LanguageModelCard } from "./card.ts";
import { ParameterTable } from "./parameters.ts";
import { nucleotideTransformerCheckpoints } from "./published-checkpoints/nucleotide-transformer.ts";

// axes: b batch · t tokens · d width

const common = {
  ...bertSizes,
  emb_layer_norm_before: z.literal(false),
  tie_word_embeddings: z.literal(false),
  pad_token_id: z.number().int().min(0),
  mask_token_id: z.number().int().min(0),
};
/** Second generation (v2): rotary positions, gated feed-forward layers. */
const second = z.object({
  ...common,
  position_embedding_type: z.literal("rotary"),
  token_dropout: z.literal(false),
  add_bias_fnn: z.literal(false),
});
/** First generation: learned absolute positions, plain feed-forward layers. */
const first = z.object({
  ...common,
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
      error: "expected heads of even width, as rotary positions need",
    },
  );

type Config = z.output<typeof schema>;

const isFirst = (c: Config) => c.position_embedding_type === "absolute";

interface Parameters extends BertParameters {
  readonly words: Embedding;
  readonly positions: Embedding;
  readonly lastNorm: Norm;
}

const FREQUENCIES = "rotary_embeddings.inv_freq";

/**
 * Nucleotide Transformer, an ESM: pre-norm layers, embeddings without a norm, a norm after the last layer.
 */
const family = (c: Config): BertFamily<Parameters> => ({
  declare: (table) => declare(table, c),
  /** x⁰ = mask ⊙ (E[ids], scaled and with positions in the first generation) */
  embed(p, input) {
    const x = isFirst(c) ? scaledEmbeddings(p, c, input) : embed(p.words, input.ids);
    return input.mask === undefined ? x : mul(x, unsqueeze(input.mask, 2));
  },
  layer: preNormLayer,
  attentionBias: (mask) => mask && paddingBias(mask, LOWEST),
  /** W₂·gelu(W₁·y), or W₂·(silu(a) ⊙ b) in the second generation */
  feed: (p, y, drop) => drop.hidden(isFirst(c) ? feedForward(p, y) : gatedFeedForward(p, y, silu)),
  /** h = LN(xⁿ) */
  lastHidden: ({ lastNorm }, x) => layerNorm(lastNorm, x, c.layer_norm_eps),
  hiddenStates: "all",
  maxTokens: isFirst(c) ? c.max_position_embeddings - c.pad_token_id - 1 : Number.POSITIVE_INFINITY,
  ignored: [/\.position_ids$/, /^esm\.pooler\./, /^classifier\./],
  wrapped: ["esm"],
  classifier: (labels) => classifier(c, labels),
  initial: ({ name }) =>
    name.endsWith(FREQUENCIES)
      ? { kind: "values", values: () => rotaryFrequencies(c.hidden_size / c.num_attention_heads) }
      : undefined,
});

/** Share of mask tokens in pretraining: 15 % of the tokens are selected, 80 % of these masked. */
const MASKED_IN_TRAINING = 0.15 * 0.8;

/**
 * (1 − 0.12) / (1 − r) · E[ids] + P[position], where a mask token's E is 0 and r is the share of mask tokens
 * in the row: ESM's token dropout, which keeps the scale of pretraining in rows with any number of masks.
 * Positions count tokens from pad + 1; padding, recognised by its id, has position pad.
 */
function scaledEmbeddings(p: Parameters, c: Config, { ids, mask }: ForwardInput): Sym {
  const masked = equal(ids, c.mask_token_id); // [b, t]
  const tokens = reduceSum(mask ?? fill(ids.shape, 1), [1], { keepDims: true });
  const ratio = div(reduceSum(cast(masked, "float32"), [1], { keepDims: true }), tokens); // [b, 1]
  const scale = unsqueeze(div(1 - MASKED_IN_TRAINING, sub(1, ratio)), 2);
  const words = where(unsqueeze(masked, 2), 0, embed(p.words, ids));
  const real = cast(not(equal(ids, c.pad_token_id)), "int32");
  const positions = add(mul(cumSum(real, 1), real), c.pad_token_id);
  return add(mul(words, scale), embed(p.positions, positions));
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const inner = c.intermediate_size;
  const bias = isFirst(c);
  const words = table.embedding("esm.embeddings.word_embeddings", c.vocab_size, d);
  // stored but unused: position embeddings in the second generation, the contact head in both
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

function classifier(c: Config, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const dense = table.linear("classifier.dense", c.hidden_size, c.hidden_size);
  const dropout = c.hidden_dropout_prob;
  return firstTokenClassifier(table, dense, table.linear("classifier.out_proj", c.hidden_size, labels), {
    dropout,
    before: dropout,
  });
}

function architecture(config: unknown, file: string) {
  const c = parseConfig(schema, config, file);
  return bertArchitecture(c, family(c));
}

export const nucleotideTransformer: LanguageModelCard = {
  name: "nucleotide-transformer",
  title: "Nucleotide Transformer",
  publishedAs: "NT",
  kind: "masked",
  tokens: "k-mer",
  toy: true,
  cite: "Dalla-Torre et al. 2025, doi:10.1038/s41592-024-02523-z",
  licence: "CC-BY-NC-SA-4.0",
  recognises: (config) =>
    config.add_bias_fnn === false ||
    (config.model_type === "esm" &&
      config.position_embedding_type === "absolute" &&
      config.token_dropout === true),
  architecture,
  tokenizer: openTokenizer,
  ...nucleotideTransformerCheckpoints,
};
