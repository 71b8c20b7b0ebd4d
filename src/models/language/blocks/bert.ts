import { z } from "zod";
import { add, gelu, slice, squeeze, tanh } from "../../../net/graph/build.ts";
import type { Dim } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import type { Activation } from "../../../net/nn/activation.ts";
import { attention, mergeHeads, splitHeads } from "../../../net/nn/attention.ts";
import { type FeedForward, type Linear, linear } from "../../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../../net/nn/norm.ts";
import { applyRotary, rotaryAnglesAt } from "../../../net/nn/position-encoding.ts";
import { everyToken, oneToken, type Queries } from "../../../net/nn/queries.ts";
import {
  type Architecture,
  type ClassifierHead,
  dropoutRateSchema,
  epsilonSchema,
  type ForwardInput,
  type ForwardOutput,
  type Initializer,
  refinement,
  sizeSchema,
} from "../architecture.ts";
import type { LoraAdapters } from "../lora.ts";
import { type DeclaredTensor, ParameterTable } from "../parameters.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head · v vocabulary

/** Keys of config.json that all BERT-like families share. */
export const bertSizes = {
  vocab_size: sizeSchema(),
  hidden_size: sizeSchema(1 << 16),
  num_hidden_layers: sizeSchema(512),
  num_attention_heads: sizeSchema(1024),
  intermediate_size: sizeSchema(),
  max_position_embeddings: sizeSchema(1 << 24),
  layer_norm_eps: epsilonSchema(),
  initializer_range: z.number().positive().max(10).default(0.02),
  hidden_dropout_prob: dropoutRateSchema(),
  attention_probs_dropout_prob: dropoutRateSchema(),
  is_decoder: z.literal(false).default(false),
};

export type BertConfig = z.output<z.ZodObject<typeof bertSizes>>;

/** Dropout of the pooled state before a classifier; `hidden_dropout_prob` if absent. */
export const classifierDropout = () => z.number().min(0).lt(1).nullish();

/** The width is a multiple of the number of heads. */
export const HEADS_FIT = refinement(
  (c: Pick<BertConfig, "hidden_size" | "num_attention_heads">) => c.hidden_size % c.num_attention_heads === 0,
  "num_attention_heads",
  "expected a divisor of hidden_size",
);

/** Parameters that all BERT-like families have; a family adds its embeddings and norms. */
export interface BertParameters {
  readonly layers: readonly Layer[];
  readonly head: MaskedHead;
}

interface Layer {
  readonly attentionNorm: Norm;
  readonly attention: SelfAttention;
  readonly feedForwardNorm: Norm;
  readonly feedForward: FeedForward;
}

/** Dense layers of multi-head attention, each d → d. */
export interface SelfAttention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** [c/2]: rotation of each pair of columns per position, radians; absent without rotary positions. */
  readonly frequencies?: Sym | undefined;
}

/** Masked-language-model head: dense d → d, norm, decoder d → v. */
export interface MaskedHead {
  readonly dense: Linear;
  readonly norm: Norm;
  readonly decoder: Linear;
}

/** Dropout of hidden states and of attention weights in a training graph; the identity in any other graph. */
export interface BertDropout {
  hidden(x: Sym): Sym;
  attention(weights: Sym): Sym;
}

/** Choices in which BERT-like families differ; `p` are the parameters that `declare` returned. */
export interface BertFamily<P extends BertParameters> {
  /** Declares every tensor under the names that the family's checkpoints use. */
  declare(table: ParameterTable): P;
  /** x⁰ [b, t, d]: the state before the first layer. */
  embed(p: P, input: ForwardInput, at: { readonly tokens: Dim; readonly drop: BertDropout }): Sym;
  /** Order of norms and residuals: `preNormLayer` or `postNormLayer`. */
  readonly layer: typeof preNormLayer;
  /** Bias of the attention scores, broadcast to [b, h, q, t]: padding, distances. */
  attentionBias(mask: Sym | undefined, queries: Queries, tokens: Dim): Sym | undefined;
  /** Feed-forward network of a layer.  y: [b, q, d] → [b, q, d] */
  feedForward(p: FeedForward, y: Sym, drop: BertDropout): Sym;
  /** h, the last hidden state, from the last layer's output xⁿ.  x: [b, q, d] → [b, q, d] */
  lastHidden(p: P, x: Sym, mask: Sym | undefined, queries: Queries): Sym;
  /**
   * Entries of `hidden_states` in the official code: embeddings and every layer, or the last hidden state
   * alone.
   */
  readonly hiddenStates: "all" | "last";
  /** Epsilon of the masked-language-model head's norm; `layer_norm_eps` if absent. */
  readonly headEpsilon?: number;
  /** Activation f of the masked-language-model head; the exact GELU if absent. */
  readonly headActivation?: Activation;
  readonly maxTokens: number;
  readonly ignored: readonly RegExp[];
  readonly adaptedModules: readonly string[];
  classifier(labels: number): ClassifierHead;
  /** Initial values of a tensor that BERT does not have, or initialises in another way. */
  initial?(tensor: DeclaredTensor): Initializer | undefined;
}

/**
 * An encoder like BERT (Devlin et al. 2019, arXiv:1810.04805). `family` has the functions in which families
 * differ.
 *
 *     x⁰ = embed(ids);  xⁱ = layerᵢ(xⁱ⁻¹), i = 1 … n;  h = lastHidden(xⁿ);  logits = decoder(LN(f(W·h)))
 *
 * @param lora  factors added to the weights, for fine-tuning
 */
export function bertArchitecture<P extends BertParameters>(
  c: BertConfig,
  family: BertFamily<P>,
  lora?: LoraAdapters,
): Architecture {
  const table = new ParameterTable(lora);
  const p = family.declare(table);

  function forward(input: ForwardInput, tokens: Dim, queries: Queries): ForwardOutput {
    const drop = bertDropout(input, c);
    const states = [family.embed(p, input, { tokens, drop })];
    const all = sublayers(everyToken(tokens));
    const last = sublayers(queries); // only these states of the last layer are computed
    p.layers.forEach((layer, i) => {
      states.push(family.layer(layer, states[i], i < p.layers.length - 1 ? all : last));
    });
    const h = family.lastHidden(p, states[p.layers.length], input.mask, queries);
    return {
      hiddenStates: family.hiddenStates === "all" ? [...states.slice(0, -1), h] : [h],
      lastHidden: h,
      logits: maskedHead(p.head, h, family.headEpsilon ?? c.layer_norm_eps, family.headActivation),
    };

    function sublayers(queries: Queries): Sublayers {
      const heads = c.num_attention_heads;
      const bias = family.attentionBias(input.mask, queries, tokens);
      return {
        attend: (p, y) => selfAttention(p, y, queries, { heads, bias, drop }),
        feedForward: (p, y) => family.feedForward(p, y, drop),
        queries,
        epsilon: c.layer_norm_eps,
      };
    }
  }

  return {
    width: c.hidden_size,
    layers: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    maxTokens: family.maxTokens,
    tensors: [...table.tensors.values()],
    ignored: family.ignored,
    takesMask: true,
    fixedLength: false,
    ...liveValues(c),
    forward: (input, tokens) => forward(input, tokens, everyToken(tokens)),
    forwardAt: (input, positions, tokens) => forward(input, tokens, oneToken(positions)),
    classifier: (labels) => family.classifier(labels),
    adaptedModules: family.adaptedModules,
    withLora: (factors) => bertArchitecture(c, family, factors),
    initializer: (tensor) => family.initial?.(tensor) ?? bertInitial(tensor, c.initializer_range),
  };
}

const bertDropout = ({ dropout }: ForwardInput, c: BertConfig): BertDropout => ({
  hidden: (x) => dropout?.apply(x, c.hidden_dropout_prob) ?? x,
  attention: (weights) => dropout?.apply(weights, c.attention_probs_dropout_prob) ?? weights,
});

/** The two sublayers of a Transformer layer, without norms and residual connections. */
interface Sublayers {
  /** Attention of the queries to all tokens.  y: [b, t, d] → [b, q, d] */
  attend(p: SelfAttention, y: Sym): Sym;
  /** Feed-forward network.  y: [b, q, d] → [b, q, d] */
  feedForward(p: FeedForward, y: Sym): Sym;
  readonly queries: Queries;
  readonly epsilon: number;
}

/** a = x + attend(LN₁(x)); a + feedForward(LN₂(a)).  x: [b, t, d] → [b, q, d] */
export function preNormLayer(p: Layer, x: Sym, { attend, feedForward, queries, epsilon }: Sublayers): Sym {
  const a = add(queries.select(x), attend(p.attention, layerNorm(p.attentionNorm, x, epsilon)));
  return add(a, feedForward(p.feedForward, layerNorm(p.feedForwardNorm, a, epsilon)));
}

/** a = LN₁(attend(x) + x); LN₂(feedForward(a) + a).  x: [b, t, d] → [b, q, d] */
export function postNormLayer(p: Layer, x: Sym, { attend, feedForward, queries, epsilon }: Sublayers): Sym {
  const a = layerNorm(p.attentionNorm, add(attend(p.attention, x), queries.select(x)), epsilon);
  return layerNorm(p.feedForwardNorm, add(feedForward(p.feedForward, a), a), epsilon);
}

interface AttentionOptions {
  readonly heads: number;
  readonly bias: Sym | undefined;
  readonly drop: BertDropout;
}

/**
 * W_o·softmax(R(W_q·x)·R(W_k·x)ᵀ / √c + bias)·W_v·x for the queries; R rotates by position where positions
 * are rotary.  x: [b, t, d] → [b, q, d]
 */
function selfAttention(
  p: SelfAttention,
  x: Sym,
  queries: Queries,
  { heads, bias, drop }: AttentionOptions,
): Sym {
  const rotate = (z: Sym, { positions }: Queries) =>
    p.frequencies === undefined ? z : applyRotary(z, rotaryAnglesAt(positions, p.frequencies));
  const q = rotate(splitHeads(linear(p.query, queries.select(x)), heads), queries); // [b, h, q, c]
  const k = rotate(splitHeads(linear(p.key, x), heads), everyToken(x.shape[1])); // [b, h, t, c]
  const v = splitHeads(linear(p.value, x), heads); // [b, h, t, c]
  return drop.hidden(linear(p.output, mergeHeads(attention(q, k, v, bias, drop.attention))));
}

/** Logits of masked-token prediction, decoder(LN(f(W·h))).  h: [b, q, d] → [b, q, v] */
const maskedHead = (p: MaskedHead, h: Sym, epsilon: number, activation: Activation = gelu) =>
  linear(p.decoder, layerNorm(p.norm, activation(linear(p.dense, h)), epsilon));

/** BERT's pooler and classifier; tensors have the names of Transformers' BertForSequenceClassification. */
export function poolerClassifier(
  c: BertConfig & { readonly classifier_dropout?: number | null | undefined },
  labels: number,
): ClassifierHead {
  const table = new ParameterTable();
  const pooler = table.linear("bert.pooler.dense", c.hidden_size, c.hidden_size);
  return firstTokenClassifier(table, pooler, table.linear("classifier", c.hidden_size, labels), {
    dropout: c.classifier_dropout ?? c.hidden_dropout_prob,
  });
}

/**
 * W₂·tanh(W₁·h₀ + b₁) + b₂, where h₀ is the first token's last hidden state.
 *
 * @param dropout  probability for the pooled state, tanh(…)
 * @param before   probability for h₀; 0 by default
 */
export function firstTokenClassifier(
  table: ParameterTable,
  dense: Linear,
  out: Linear,
  { dropout: rate, before = 0 }: { readonly dropout: number; readonly before?: number },
): ClassifierHead {
  return {
    tensors: [...table.tensors.values()],
    logits({ lastHidden }, { dropout }) {
      const first = squeeze(slice(lastHidden, 1, 0, 1), 1);
      const pooled = tanh(linear(dense, dropout?.apply(first, before) ?? first));
      return linear(out, dropout?.apply(pooled, rate) ?? pooled);
    },
  };
}

/** BERT's initialisation: dense and embedding weights N(0, std²), biases 0, scales of norms 1. */
export function bertInitial({ name, shape }: DeclaredTensor, std: number): Initializer {
  if (shape.length > 1) return { kind: "normal", std };
  return { kind: "constant", value: name.endsWith(".weight") ? 1 : 0 };
}

/**
 * Float32 values alive at once in a layer: its states per token, and its attention scores per pair of tokens.
 */
function liveValues(c: BertConfig) {
  return {
    liveValuesPerToken: 5 * c.hidden_size + 3 * c.intermediate_size,
    liveValuesPerPair: 2 * c.num_attention_heads,
  };
}
