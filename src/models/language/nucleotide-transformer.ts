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
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { LOWEST, paddingBias } from "../../net/nn/attention.ts";
import { type Embedding, embed } from "../../net/nn/embedding.ts";
import { feedForward, gatedFeedForward } from "../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../net/nn/norm.ts";
import { rotaryFrequencies } from "../../net/nn/position-encoding.ts";
import { everyToken, oneToken, type Queries } from "../../net/nn/queries.ts";
import {
  type Architecture,
  type ClassifierHead,
  type ForwardInput,
  type ForwardOutput,
  type InitialLaw,
  parseConfig,
} from "./architecture.ts";
import {
  type BertDropout,
  bertDropout,
  bertInitial,
  bertSizes,
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
import { type DeclaredTensor, ParameterTable } from "./parameters.ts";
import { nucleotideTransformerCheckpoints } from "./published-checkpoints/nucleotide-transformer.ts";

// axes: b batch · t tokens · q queries · d width · h heads · v vocabulary

const either = {
  ...bertSizes,
  emb_layer_norm_before: z.literal(false),
  tie_word_embeddings: z.literal(false),
  pad_token_id: z.number().int().min(0),
  mask_token_id: z.number().int().min(0),
};
/** The second generation: places turn queries and keys, the feed-forward layer is gated. */
const second = z.object({
  ...either,
  position_embedding_type: z.literal("rotary"),
  token_dropout: z.literal(false),
  add_bias_fnn: z.literal(false),
});
/** The first: places have embeddings, the feed-forward layer is plain. */
const first = z.object({
  ...either,
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
      error: "expected heads of even width, whose columns are turned in pairs",
    },
  );

type Config = z.output<typeof schema>;

const isFirst = (c: Config) => c.position_embedding_type === "absolute";

interface Parameters {
  readonly words: Embedding;
  readonly positions: Embedding;
  readonly layers: readonly Layer[];
  readonly lastNorm: Norm;
  readonly head: MaskedHead;
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const inner = c.intermediate_size;
  const bias = isFirst(c);
  const words = table.embedding("esm.embeddings.word_embeddings", c.vocab_size, d);
  // the second generation keeps a table of places, and both a head for contacts, that nothing reads
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

const FREQUENCIES = "rotary_embeddings.inv_freq";

/** x⁰ = embeddings, padding 0; x ← layer(x); h = LN(xⁿ). */
function forward(p: Parameters, c: Config, input: ForwardInput, tokens: Dim, asked: Queries): ForwardOutput {
  const epsilon = c.layer_norm_eps;
  const { mask } = input;
  const drop = bertDropout(input, c);
  const embedded = isFirst(c) ? placedEmbeddings(p, c, input) : embed(p.words, input.ids);
  const x = mask === undefined ? embedded : mul(embedded, unsqueeze(mask, 2));
  const states = encoderStates(p.layers, x, preNormLayer, {
    all: layerForm(c, everyToken(tokens), mask, drop),
    last: layerForm(c, asked, mask, drop),
  });
  const lastHidden = layerNorm(p.lastNorm, states.at(-1)!, epsilon);
  return {
    hiddenStates: [...states.slice(0, -1), lastHidden],
    lastHidden,
    logits: maskedHead(p.head, lastHidden, epsilon),
  };
}

/** The share of tokens that were masked in training: 15 %, of which 80 % by the mask token. */
const MASKED_IN_TRAINING = 0.15 * 0.8;

/**
 * (1 − 0.12) / (1 − r) · E[ids] + P[place], where a masked token's E is 0 and r is the share of masked tokens in the row.
 * So the states keep the size they had in training, also in a row without masks. A place counts tokens from
 * pad + 1; padding, known by its id, has the place pad.
 */
function placedEmbeddings(p: Parameters, c: Config, { ids, mask }: ForwardInput): Sym {
  const masked = equal(ids, c.mask_token_id); // [b, t]
  const tokens = reduceSum(mask ?? fill(ids.shape, 1), [1], { keepDims: true });
  const ratio = div(reduceSum(cast(masked, "float32"), [1], { keepDims: true }), tokens); // [b, 1]
  const scale = unsqueeze(div(1 - MASKED_IN_TRAINING, sub(1, ratio)), 2);
  const words = where(unsqueeze(masked, 2), 0, embed(p.words, ids));
  const real = cast(not(equal(ids, c.pad_token_id)), "int32");
  const places = add(mul(cumSum(real, 1), real), c.pad_token_id);
  return add(mul(words, scale), embed(p.positions, places));
}

function layerForm(c: Config, queries: Queries, mask: Sym | undefined, drop: BertDropout): LayerForm {
  const bias = mask && paddingBias(mask, LOWEST);
  return {
    attend: (p, y) => selfAttention(p, y, queries, { heads: c.num_attention_heads, bias, drop }),
    feed: (p, y) => drop.hidden(isFirst(c) ? feedForward(p, y) : gatedFeedForward(p, y, silu)),
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
    maxTokens: isFirst(c) ? c.max_position_embeddings - c.pad_token_id - 1 : Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/\.position_ids$/, /^esm\.pooler\./, /^classifier\./],
    takesMask: true,
    fixedLength: false,
    ...liveValues(c),
    forward: (input, tokens) => forward(p, c, input, tokens, everyToken(tokens)),
    forwardAt: (input, positions, tokens) => forward(p, c, input, tokens, oneToken(positions)),
    classifier: (labels) => classifier(c, labels),
    wrapped: ["esm"],
    adapted: (factors) => build(c, factors),
    initial: (tensor) => initial(tensor, c),
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

function initial(tensor: DeclaredTensor, c: Config): InitialLaw {
  if (!tensor.name.endsWith(FREQUENCIES)) return bertInitial(tensor, c.initializer_range);
  return { kind: "values", values: () => rotaryFrequencies(c.hidden_size / c.num_attention_heads) };
}

export const nucleotideTransformer: LanguageModelCard = {
  name: "nucleotide-transformer",
  title: "Nucleotide Transformer",
  publishedAs: "NT",
  kind: "masked",
  tokens: "k-mer",
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
