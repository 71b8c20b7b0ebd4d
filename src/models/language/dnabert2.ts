import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { add, gelu, mul, slice, unsqueeze } from "../../net/graph/build.ts";
import { paddingBias } from "../../net/nn/attention.ts";
import { type Embedding, embed, gatedFeedForward, rowBlocks, selectRows } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { alibi } from "../../net/nn/position-encoding.ts";
import { parseConfig } from "./architecture.ts";
import {
  type BertFamily,
  type BertParameters,
  bertArchitecture,
  bertSizes,
  classifierDropout,
  HEADS_FIT,
  poolerClassifier,
  postNormLayer,
} from "./blocks/bert.ts";
import type { LanguageModelCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { dnabert2Checkpoints } from "./published-checkpoints/dnabert2.ts";

// axes: b batch · t tokens · q queries · d width · h heads

const schema = z
  .object({
    ...bertSizes,
    type_vocab_size: z.number().int().min(1).max(64),
    hidden_act: z.literal("gelu"),
    alibi_starting_size: z.number().int().positive(),
    classifier_dropout: classifierDropout(),
  })
  .refine(...HEADS_FIT);

type Config = z.output<typeof schema>;

/** Attention bias of padding in the official code, instead of the lowest float32. */
const PADDING_BIAS = -10_000;
/** Epsilon of the masked head's norm in the official code, which ignores `layer_norm_eps` there. */
const HEAD_EPSILON = 1e-12;

interface Parameters extends BertParameters {
  readonly words: Embedding;
  readonly types: Embedding;
  readonly embeddingNorm: Norm;
}

/**
 * DNABERT-2 (Zhou et al. 2024, arXiv:2306.15006): BERT with GEGLU, and with ALiBi instead of position
 * embeddings.
 *
 * The official code also has a fused half-precision attention, which DART-Eval may have used for the
 * embeddings of Task 1 (quirk Q34). Attention is computed in float32 here, as in DART-Eval's other scripts.
 */
const family = (c: Config): BertFamily<Parameters> => ({
  declare: (table) => declare(table, c),
  /** x⁰ = LN(E[ids] + T₀) */
  embed(p, { ids }, { drop }) {
    const firstType = selectRows(p.types, (table) => slice(table, 0, 0, 1));
    return drop.hidden(layerNorm(p.embeddingNorm, add(embed(p.words, ids), firstType), c.layer_norm_eps));
  },
  layer: postNormLayer,
  attentionBias(mask, queries, tokens) {
    const distances = alibi(c.num_attention_heads, queries.positions, tokens);
    return mask === undefined ? distances : add(distances, paddingBias(mask, PADDING_BIAS));
  },
  /** W₂·(gelu(a) ⊙ b) with (a, b) = W₁·y */
  feedForward: (p, y, drop) => gatedFeedForward(p, y, gelu, drop.hidden),
  /** h = mask ⊙ xⁿ */
  lastHidden: (_, x, mask, queries) => (mask === undefined ? x : mul(x, queries.select(unsqueeze(mask, 2)))),
  hiddenStates: "last",
  headEpsilon: HEAD_EPSILON,
  maxTokens: Number.POSITIVE_INFINITY,
  ignored: [/^bert\.pooler\./, /^classifier\./],
  adaptedModules: ["bert.embeddings", "bert.encoder"],
  classifier: (labels) => poolerClassifier(c, labels),
});

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const words = table.embedding("bert.embeddings.word_embeddings", c.vocab_size, d, {
    aliases: ["cls.predictions.decoder.weight"],
  });
  return {
    words,
    types: table.embedding("bert.embeddings.token_type_embeddings", c.type_vocab_size, d),
    embeddingNorm: table.norm("bert.embeddings.LayerNorm", d),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `bert.encoder.layer.${i}`;
      const [query, key, value] = rowBlocks(table.linear(`${at}.attention.self.Wqkv`, d, 3 * d), 3);
      return {
        attention: {
          query,
          key,
          value,
          output: table.linear(`${at}.attention.output.dense`, d, d),
        },
        attentionNorm: table.norm(`${at}.attention.output.LayerNorm`, d),
        feedForward: {
          inner: table.linear(`${at}.mlp.gated_layers`, d, 2 * c.intermediate_size, { bias: false }),
          outer: table.linear(`${at}.mlp.wo`, c.intermediate_size, d),
        },
        feedForwardNorm: table.norm(`${at}.mlp.layernorm`, d),
      };
    }),
    head: {
      dense: table.linear("cls.predictions.transform.dense", d, d),
      norm: table.norm("cls.predictions.transform.LayerNorm", d),
      decoder: { weight: words.weight, bias: table.tensor("cls.predictions.decoder.bias", [c.vocab_size]) },
    },
  };
}

function architecture(config: unknown, file: string) {
  const c = parseConfig(schema, config, file);
  return bertArchitecture(c, family(c));
}

export const dnabert2: LanguageModelCard = {
  name: "dnabert2",
  title: "DNABERT-2",
  publishedAs: "DNABERT-2",
  kind: "masked",
  tokens: "bpe",
  toy: true,
  cite: "Zhou et al. 2024, arXiv:2306.15006",
  licence: "Apache-2.0",
  recognises: (config) => "alibi_starting_size" in config,
  architecture,
  tokenizer: openTokenizer,
  ...dnabert2Checkpoints,
};
