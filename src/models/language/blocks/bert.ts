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
  type InitialLaw,
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

/** Condition and error for `refine`: the width is a multiple of the number of heads. */
export const headsFit = (c: { readonly hidden_size: number; readonly num_attention_heads: number }) =>
  c.hidden_size % c.num_attention_heads === 0;
export const HEADS_FIT = { path: ["num_attention_heads"], error: "expected a divisor of hidden_size" };

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

export interface SelfAttention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** [c/2]: rotation of each pair of columns per position, radians; absent without rotary positions. */
  readonly frequencies?: Sym | undefined;
}

export interface MaskedHead {
  readonly dense: Linear;
  readonly norm: Norm;
  readonly decoder: Linear;
}

/**
 * Dropout in a training graph: elements of states, and weights of attention. The identity in any other graph.
 */
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
  /** Feed-forward network of a layer: [b, q, d] → [b, q, d]. */
  feed(p: FeedForward, y: Sym, drop: BertDropout): Sym;
  /** h [b, q, d] from the last layer's output xⁿ [b, q, d]. */
  lastHidden(p: P, x: Sym, mask: Sym | undefined, queries: Queries): Sym;
  /**
   * Entries of `hidden_states` in the official code: embeddings and every layer, or the last hidden state
   * alone.
   */
  readonly hiddenStates: "all" | "last";
  /** Epsilon of the masked head's norm; `layer_norm_eps` if absent. */
  readonly headEpsilon?: number;
  /** Activation of the masked head; the exact GELU if absent. */
  readonly headActivation?: Activation;
  readonly maxTokens: number;
  readonly ignored: readonly RegExp[];
  readonly wrapped: readonly string[];
  classifier(labels: number): ClassifierHead;
  /** Initial law of a tensor that is not drawn as in BERT. */
  initial?(tensor: DeclaredTensor): InitialLaw | undefined;
}

/**
 * An encoder of the BERT kind (Devlin et al. 2019, arXiv:1810.04805), with what is the family's own in
 * `family`.
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
    const all = layerForm(everyToken(tokens));
    const last = layerForm(queries); // only these states of the last layer are computed
    p.layers.forEach((layer, i) => {
      states.push(family.layer(layer, states.at(-1)!, i < p.layers.length - 1 ? all : last));
    });
    const h = family.lastHidden(p, states.at(-1)!, input.mask, queries);
    return {
      hiddenStates: family.hiddenStates === "all" ? [...states.slice(0, -1), h] : [h],
      lastHidden: h,
      logits: maskedHead(p.head, h, family.headEpsilon ?? c.layer_norm_eps, family.headActivation),
    };

    function layerForm(queries: Queries): LayerForm {
      const heads = c.num_attention_heads;
      const bias = family.attentionBias(input.mask, queries, tokens);
      return {
        attend: (p, y) => selfAttention(p, y, queries, { heads, bias, drop }),
        feed: (p, y) => family.feed(p, y, drop),
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
    wrapped: family.wrapped,
    adapted: (factors) => bertArchitecture(c, family, factors),
    initial: (tensor) => family.initial?.(tensor) ?? bertInitial(tensor, c.initializer_range),
  };
}

const bertDropout = ({ dropout }: ForwardInput, c: BertConfig): BertDropout => ({
  hidden: (x) => dropout?.apply(x, c.hidden_dropout_prob) ?? x,
  attention: (weights) => dropout?.apply(weights, c.attention_probs_dropout_prob) ?? weights,
});

/** The two sublayers around which a layer puts its norms. */
interface LayerForm {
  /** Attention of the queries to all tokens: [b, t, d] → [b, q, d]. */
  attend(p: SelfAttention, y: Sym): Sym;
  /** Feed-forward network: [b, q, d] → [b, q, d]. */
  feed(p: FeedForward, y: Sym): Sym;
  readonly queries: Queries;
  readonly epsilon: number;
}

/** a = x + attend(LN₁(x)); a + feed(LN₂(a)).  x: [b, t, d] → [b, q, d] */
export function preNormLayer(p: Layer, x: Sym, { attend, feed, queries, epsilon }: LayerForm): Sym {
  const a = add(queries.rowsOf(x), attend(p.attention, layerNorm(p.attentionNorm, x, epsilon)));
  return add(a, feed(p.feedForward, layerNorm(p.feedForwardNorm, a, epsilon)));
}

/** a = LN₁(attend(x) + x); LN₂(feed(a) + a).  x: [b, t, d] → [b, q, d] */
export function postNormLayer(p: Layer, x: Sym, { attend, feed, queries, epsilon }: LayerForm): Sym {
  const a = layerNorm(p.attentionNorm, add(attend(p.attention, x), queries.rowsOf(x)), epsilon);
  return layerNorm(p.feedForwardNorm, add(feed(p.feedForward, a), a), epsilon);
}

interface AttentionForm {
  readonly heads: number;
  readonly bias: Sym | undefined;
  readonly drop: BertDropout;
}

/** Wₒ·attention(W_q·x, W_k·x, W_v·x), for the queries alone.  x: [b, t, d] → [b, q, d] */
function selfAttention(
  p: SelfAttention,
  x: Sym,
  queries: Queries,
  { heads, bias, drop }: AttentionForm,
): Sym {
  const rotate = (z: Sym, { positions }: Queries) =>
    p.frequencies === undefined ? z : applyRotary(z, rotaryAnglesAt(positions, p.frequencies));
  const q = rotate(splitHeads(linear(p.query, queries.rowsOf(x)), heads), queries); // [b, h, q, c]
  const k = rotate(splitHeads(linear(p.key, x), heads), everyToken(x.shape[1])); // [b, h, t, c]
  const v = splitHeads(linear(p.value, x), heads);
  return drop.hidden(linear(p.output, mergeHeads(attention(q, k, v, bias, drop.attention))));
}

/** Logits of the token at each query: decoder(LN(f(W·h))).  h: [b, q, d] → [b, q, v] */
const maskedHead = (p: MaskedHead, h: Sym, epsilon: number, activation: Activation = gelu) =>
  linear(p.decoder, layerNorm(p.norm, activation(linear(p.dense, h)), epsilon));

/**
 * BERT's classifier on its pooler, with the tensors named as in Transformers' BertForSequenceClassification.
 */
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
 * @param dropout  of the pooled state, tanh(…), in training
 * @param before   of h₀, in training
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

/** BERT's initialisation: dense and embedding weights N(0, deviation²), biases 0, scales of norms 1. */
export function bertInitial({ name, shape }: DeclaredTensor, deviation: number): InitialLaw {
  if (shape.length > 1) return { kind: "normal", deviation };
  return { kind: "constant", value: name.endsWith(".weight") ? 1 : 0 };
}

/**
 * Float32 values alive at once in a layer: its widest states per token, its attention scores per pair of
 * tokens.
 */
function liveValues(c: BertConfig) {
  return {
    liveValuesPerToken: 5 * c.hidden_size + 3 * c.intermediate_size,
    liveValuesPerPair: 2 * c.num_attention_heads,
  };
}
