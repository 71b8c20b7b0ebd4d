import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { add, range, slice } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { LOWEST, paddingBias } from "../../net/nn/attention.ts";
import { type Embedding, embed, rowsOf } from "../../net/nn/embedding.ts";
import { feedForward } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { everyToken, oneToken, type Queries } from "../../net/nn/queries.ts";
import {
  type Architecture,
  type ClassifierHead,
  type ForwardInput,
  type ForwardOutput,
  parseConfig,
} from "./architecture.ts";
import {
  type BertDropout,
  bertDropout,
  bertInitial,
  bertSizes,
  classifierDropout,
  encoderStates,
  firstTokenClassifier,
  HEADS_FIT,
  headsFit,
  type Layer,
  type LayerForm,
  liveValues,
  type MaskedHead,
  maskedHead,
  preNormLayer,
  selfAttention,
} from "./blocks/bert.ts";
import type { LanguageModelCard } from "./card.ts";
import type { LoraAdapters } from "./lora.ts";
import { ParameterTable } from "./parameters.ts";
import { genaLmCheckpoints } from "./published-checkpoints/gena-lm.ts";

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

function build(c: Config, lora?: LoraAdapters): Architecture {
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

export const genaLm: LanguageModelCard = {
  name: "gena-lm",
  title: "GENA-LM",
  publishedAs: "GENA-LM",
  kind: "masked",
  tokens: "bpe",
  cite: "Fishman et al. 2025, doi:10.1093/nar/gkae1310",
  licence: "MIT",
  recognises: ({ model_type, pre_layer_norm }) => model_type === "bert" && pre_layer_norm !== undefined,
  architecture,
  tokenizer: openTokenizer,
  ...genaLmCheckpoints,
};
