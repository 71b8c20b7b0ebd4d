import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { add, gelu, mul, slice, unsqueeze } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { paddingBias } from "../../net/nn/attention.ts";
import { type Embedding, embed, rowsOf } from "../../net/nn/embedding.ts";
import { gatedFeedForward, rowBlocks } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { alibi } from "../../net/nn/position-encoding.ts";
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
  postNormLayer,
  selfAttention,
} from "./blocks/bert.ts";
import type { LanguageModelCard } from "./card.ts";
import type { LoraAdapters } from "./lora.ts";
import { ParameterTable } from "./parameters.ts";
import { dnabert2Checkpoints } from "./published-checkpoints/dnabert2.ts";

// axes: b batch · t tokens · q queries · d width · h heads · v vocabulary

const schema = z
  .object({
    ...bertSizes,
    type_vocab_size: z.number().int().min(1).max(64),
    hidden_act: z.literal("gelu"),
    alibi_starting_size: z.number().int().positive(),
    classifier_dropout: classifierDropout(),
  })
  .refine(headsFit, HEADS_FIT);

type Config = z.output<typeof schema>;

/** Added to the scores of padding; not the lowest number there is, but far enough below all others. */
const PADDING = -10_000;
/** The masked head has this one whatever the config says. */
const HEAD_EPSILON = 1e-12;

interface Parameters {
  readonly words: Embedding;
  readonly types: Embedding;
  readonly embeddingNorm: Norm;
  readonly layers: readonly Layer[];
  readonly head: MaskedHead;
}

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
          query: query!,
          key: key!,
          value: value!,
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

/**
 * x⁰ = LN(E[ids] + T₀); x ← layer(x); padding made 0.  Positions enter by distance alone.
 *
 * The published code has a fused attention in half precision too, which the original may have used in extracting the
 * embeddings of its first task (quirk Q34); as in all its other scripts, attention is in float32 here.
 */
function forward(p: Parameters, c: Config, input: ForwardInput, tokens: Dim, asked: Queries) {
  const { ids, mask } = input;
  const epsilon = c.layer_norm_eps;
  const drop = bertDropout(input, c);
  const ofFirstType = rowsOf(p.types, (table) => slice(table, 0, 0, 1));
  const x = drop.hidden(layerNorm(p.embeddingNorm, add(embed(p.words, ids), ofFirstType), epsilon));
  const states = encoderStates(p.layers, x, postNormLayer, {
    all: layerForm(c, everyToken(tokens), tokens, mask, drop),
    last: layerForm(c, asked, tokens, mask, drop),
  });
  const last = states.at(-1)!;
  const lastHidden = mask === undefined ? last : mul(last, asked.rowsOf(unsqueeze(mask, 2)));
  // the original shows none of the states before
  return { hiddenStates: [lastHidden], lastHidden, logits: maskedHead(p.head, lastHidden, HEAD_EPSILON) };
}

function layerForm(
  c: Config,
  queries: Queries,
  tokens: Dim,
  mask: Sym | undefined,
  drop: BertDropout,
): LayerForm {
  const heads = c.num_attention_heads;
  const distances = alibi(heads, queries.positions, tokens);
  const bias = mask === undefined ? distances : add(distances, paddingBias(mask, PADDING));
  return {
    attend: (p, y) => selfAttention(p, y, queries, { heads, bias, drop }),
    feed: (p, y) => gatedFeedForward(p, y, gelu, drop.hidden),
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
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/^bert\.pooler\./, /^classifier\./],
    takesMask: true,
    fixedLength: false,
    ...liveValues(c),
    forward: (input, tokens): ForwardOutput => forward(p, c, input, tokens, everyToken(tokens)),
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

export const dnabert2: LanguageModelCard = {
  name: "dnabert2",
  title: "DNABERT-2",
  publishedAs: "DNABERT-2",
  kind: "masked",
  tokens: "bpe",
  cite: "Zhou et al. 2024, arXiv:2306.15006",
  licence: "Apache-2.0",
  recognises: (config) => "alibi_starting_size" in config,
  architecture,
  tokenizer: openTokenizer,
  ...dnabert2Checkpoints,
};
