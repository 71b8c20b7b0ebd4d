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
} from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { LOWEST, paddingBias } from "../../../net/nn/attention.ts";
import { type Embedding, embed, feedForward, gatedFeedForward } from "../../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../../net/nn/norm.ts";
import { rotaryFrequencies } from "../../../net/nn/position-encoding.ts";
import type { Architecture, ClassifierHead, ForwardInput } from "../architecture.ts";
import { ParameterTable } from "../parameters.ts";
import {
  type BertConfig,
  type BertFamily,
  type BertParameters,
  bertArchitecture,
  firstTokenClassifier,
  preNormLayer,
} from "./bert.ts";

// axes: b batch · t tokens · d width

/** Sizes and choices of an ESM (Lin et al. 2023, doi:10.1126/science.ade2574) in Transformers. */
export interface EsmConfig extends BertConfig {
  readonly position_embedding_type: "absolute" | "rotary";
  readonly token_dropout: boolean;
  readonly emb_layer_norm_before: boolean;
  readonly tie_word_embeddings: boolean;
  readonly pad_token_id: number;
  readonly mask_token_id: number;
}

/** Differences between the Nucleotide Transformer's code and Transformers. */
export interface EsmVariant {
  /** True for gated feed-forward layers without biases. */
  readonly gated: boolean;
  /** True if checkpoints contain absolute position embeddings although positions are rotary. */
  readonly unusedPositions: boolean;
}

interface Parameters extends BertParameters {
  readonly words: Embedding;
  /** Absent for rotary positions. */
  readonly positions: Embedding | undefined;
  readonly firstNorm: Norm | undefined;
  readonly lastNorm: Norm;
}

const FREQUENCIES = "rotary_embeddings.inv_freq";

/** ESM: BERT with pre-norm layers and a norm after the last one. */
export const esmArchitecture = (c: EsmConfig, variant: EsmVariant): Architecture =>
  bertArchitecture(c, family(c, variant));

const family = (c: EsmConfig, variant: EsmVariant): BertFamily<Parameters> => ({
  declare: (table) => declare(table, c, variant),
  /** x⁰ = mask ⊙ LN(E[ids] + P[position]), E scaled with token dropout, P for absolute positions */
  embed(p, input) {
    const words = c.token_dropout ? scaledWords(p, c, input) : embed(p.words, input.ids);
    const sum = p.positions === undefined ? words : add(words, embed(p.positions, positionsOf(c, input)));
    const x = p.firstNorm === undefined ? sum : layerNorm(p.firstNorm, sum, c.layer_norm_eps);
    return input.mask === undefined ? x : mul(x, unsqueeze(input.mask, 2));
  },
  layer: preNormLayer,
  attentionBias: (mask) => mask && paddingBias(mask, LOWEST),
  /** W₂·gelu(W₁·y), or gated W₂·(silu(a) ⊙ b) with (a, b) = W₁·y */
  feedForward: (p, y, drop) => drop.hidden(variant.gated ? gatedFeedForward(p, y, silu) : feedForward(p, y)),
  /** h = LN(xⁿ) */
  lastHidden: ({ lastNorm }, x) => layerNorm(lastNorm, x, c.layer_norm_eps),
  hiddenStates: "all",
  maxTokens: isAbsolute(c) ? c.max_position_embeddings - c.pad_token_id - 1 : Number.POSITIVE_INFINITY,
  // older versions of Transformers store position embeddings next to rotary positions
  ignored: [/\.position_(ids|embeddings\.weight)$/, /^esm\.pooler\./, /^classifier\./],
  adaptedModules: ["esm"],
  classifier: (labels) => classifier(c, labels),
  initial: ({ name }) =>
    name.endsWith(FREQUENCIES)
      ? { kind: "values", values: () => rotaryFrequencies(c.hidden_size / c.num_attention_heads) }
      : undefined,
});

const isAbsolute = (c: EsmConfig) => c.position_embedding_type === "absolute";

/** Expected fraction of mask tokens in pretraining: 15 % of the tokens are selected, 80 % of these masked. */
const MASKED_IN_TRAINING = 0.15 * 0.8;

/**
 * ESM's token dropout: (1 − 0.12) / (1 − r) · E[ids], where E of the mask token is 0 and r is the fraction of
 * mask tokens in the row. It keeps the mean scale of the embeddings independent of r.
 */
function scaledWords(p: Parameters, c: EsmConfig, { ids, mask }: ForwardInput): Sym {
  const masked = equal(ids, c.mask_token_id); // [b, t]
  const tokens = reduceSum(mask ?? fill(ids.shape, 1), [1], { keepDims: true });
  const ratio = div(reduceSum(cast(masked, "float32"), [1], { keepDims: true }), tokens); // [b, 1]
  const scale = unsqueeze(div(1 - MASKED_IN_TRAINING, sub(1, ratio)), 2);
  return mul(where(unsqueeze(masked, 2), 0, embed(p.words, ids)), scale);
}

/**
 * Position ids as in RoBERTa: tokens are counted from pad_token_id + 1, and padding has pad_token_id.  int32
 * [b, t]
 */
function positionsOf(c: EsmConfig, { ids }: ForwardInput): Sym {
  const real = cast(not(equal(ids, c.pad_token_id)), "int32");
  return add(mul(cumSum(real, 1), real), c.pad_token_id);
}

function declare(table: ParameterTable, c: EsmConfig, { gated, unusedPositions }: EsmVariant): Parameters {
  const d = c.hidden_size;
  const inner = c.intermediate_size;
  const bias = !gated;
  const decoder = "lm_head.decoder";
  const words = table.embedding("esm.embeddings.word_embeddings", c.vocab_size, d, {
    aliases: c.tie_word_embeddings ? [`${decoder}.weight`] : [],
  });
  const positions =
    isAbsolute(c) || unusedPositions
      ? table.embedding("esm.embeddings.position_embeddings", c.max_position_embeddings, d)
      : undefined;
  // stored but unused
  table.linear("esm.contact_head.regression", c.num_hidden_layers * c.num_attention_heads, 1);
  return {
    words,
    positions: isAbsolute(c) ? positions : undefined,
    firstNorm: c.emb_layer_norm_before ? table.norm("esm.embeddings.layer_norm", d) : undefined,
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
          frequencies: isAbsolute(c)
            ? undefined
            : table.tensor(`${at}.attention.self.${FREQUENCIES}`, [d / c.num_attention_heads / 2], {
                buffer: true,
                // Transformers 5 stores one for all layers, under another name in a state dict
                aliases: [`esm.encoder.layer.*.attention.self.${FREQUENCIES}`, `esm.${FREQUENCIES}`],
              }),
        },
        feedForwardNorm: table.norm(`${at}.LayerNorm`, d),
        feedForward: {
          inner: table.linear(`${at}.intermediate.dense`, d, gated ? 2 * inner : inner, { bias }),
          outer: table.linear(`${at}.output.dense`, inner, d, { bias }),
        },
      };
    }),
    lastNorm: table.norm("esm.encoder.emb_layer_norm_after", d),
    head: {
      dense: table.linear("lm_head.dense", d, d),
      norm: table.norm("lm_head.layer_norm", d),
      decoder: {
        weight: c.tie_word_embeddings
          ? words.weight
          : table.linear(decoder, d, c.vocab_size, { bias: false }).weight,
        bias: table.tensor("lm_head.bias", [c.vocab_size]),
      },
    },
  };
}

function classifier(c: EsmConfig, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const dense = table.linear("classifier.dense", c.hidden_size, c.hidden_size);
  const dropout = c.hidden_dropout_prob;
  return firstTokenClassifier(table, dense, table.linear("classifier.out_proj", c.hidden_size, labels), {
    dropout,
    before: dropout,
  });
}
