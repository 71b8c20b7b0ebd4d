import { z } from "zod";
import { add, gelu, slice, squeeze, tanh } from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { attention, mergeHeads, splitHeads } from "../../../net/nn/attention.ts";
import { type FeedForward, type Linear, linear } from "../../../net/nn/linear.ts";
import { layerNorm, type Norm } from "../../../net/nn/norm.ts";
import { applyRotary, rotaryAnglesAt } from "../../../net/nn/position-encoding.ts";
import { everyToken, type Queries } from "../../../net/nn/queries.ts";
import {
  type ClassifierHead,
  dropoutRateSchema,
  epsilonSchema,
  type ForwardInput,
  type InitialLaw,
  sizeSchema,
} from "../architecture.ts";
import type { DeclaredTensor, ParameterTable } from "../parameters.ts";

// axes: b batch · t tokens · q queries · d width · h heads · c width of a head · v vocabulary

/** Sizes that every config.json of this kind has. */
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
};

/** Of the pooled state in front of a classifier; that of states where it is not said. */
export const classifierDropout = () => z.number().min(0).lt(1).nullish();

interface DropoutConfig {
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
}

/** What is dropped in training: elements of states, and weights of attention; the identity elsewhere. */
export interface BertDropout {
  hidden(x: Sym): Sym;
  attention(weights: Sym): Sym;
}

export const bertDropout = ({ dropout }: ForwardInput, c: DropoutConfig): BertDropout => ({
  hidden: (x) => dropout?.apply(x, c.hidden_dropout_prob) ?? x,
  attention: (weights) => dropout?.apply(weights, c.attention_probs_dropout_prob) ?? weights,
});

/** For `refine`: the width splits evenly into heads. */
export const headsFit = (c: { readonly hidden_size: number; readonly num_attention_heads: number }) =>
  c.hidden_size % c.num_attention_heads === 0;
export const HEADS_FIT = { path: ["num_attention_heads"], error: "expected a divisor of hidden_size" };

export interface SelfAttention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** [c/2]: by how much a pair of columns is turned per place; absent where places enter in another way. */
  readonly frequencies?: Sym | undefined;
}

export interface AttentionForm {
  readonly heads: number;
  /** Added to the scores of the queries against all tokens, broadcast to [b, h, q, t]: padding, distances. */
  readonly bias?: Sym | undefined;
  readonly drop: BertDropout;
}

/** Wₒ·attention(W_q·x, W_k·x, W_v·x), for the queries alone.  x: [b, t, d] → [b, q, d] */
export function selfAttention(
  p: SelfAttention,
  x: Sym,
  queries: Queries,
  { heads, bias, drop }: AttentionForm,
): Sym {
  const turn = (z: Sym, { positions }: Queries) =>
    p.frequencies === undefined ? z : applyRotary(z, rotaryAnglesAt(positions, p.frequencies));
  const q = turn(splitHeads(linear(p.query, queries.rowsOf(x)), heads), queries); // [b, h, q, c]
  const k = turn(splitHeads(linear(p.key, x), heads), everyToken(x.shape[1])); // [b, h, t, c]
  const v = splitHeads(linear(p.value, x), heads);
  return drop.hidden(linear(p.output, mergeHeads(attention(q, k, v, bias, drop.attention))));
}

export interface Layer {
  readonly attentionNorm: Norm;
  readonly attention: SelfAttention;
  readonly feedForwardNorm: Norm;
  readonly feedForward: FeedForward;
}

/** What the norms of a layer stand around. */
export interface LayerForm {
  /** Among all tokens, for the queries alone: [b, t, d] → [b, q, d]. */
  attend(p: SelfAttention, y: Sym): Sym;
  /** In each token: [b, q, d] → the same. */
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

/**
 * The state before the first layer and after each one: [b, t, d] …, the last one [b, q, d].
 *
 * @param step  one layer
 * @param all   how the layers before the last are computed: for every token
 * @param last  how the last one is, for the tokens that are asked for
 */
export function encoderStates(
  layers: readonly Layer[],
  x: Sym,
  step: (p: Layer, x: Sym, form: LayerForm) => Sym,
  { all, last }: { readonly all: LayerForm; readonly last: LayerForm },
): readonly Sym[] {
  const states = [x];
  layers.forEach((p, i) => {
    states.push(step(p, states.at(-1)!, i < layers.length - 1 ? all : last));
  });
  return states;
}

export interface MaskedHead {
  readonly dense: Linear;
  readonly norm: Norm;
  readonly decoder: Linear;
}

/** Decoder(LN(gelu(W·h))), the guess at each token.  h: [b, q, d] → [b, q, v] */
export const maskedHead = (p: MaskedHead, h: Sym, epsilon: number) =>
  linear(p.decoder, layerNorm(p.norm, gelu(linear(p.dense, h)), epsilon));

/**
 * W₂·tanh(W₁·h₀ + b₁) + b₂ of the first token's state: how BERT classifies a sequence.
 *
 * @param dropout  of the pooled state, tanh(…), in training
 * @param before   of h₀ as well
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

/** Dense and embedding weights N(0, deviation²), biases 0, scales of norms 1. */
export function bertInitial({ name, shape }: DeclaredTensor, deviation: number): InitialLaw {
  if (shape.length > 1) return { kind: "normal", deviation };
  return { kind: "constant", value: name.endsWith(".weight") ? 1 : 0 };
}

/** Float32 values alive at once in a layer: the widest of its states, per token, and its scores, per pair of tokens. */
export function liveValues(c: {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
}) {
  return {
    liveValuesPerToken: 5 * c.hidden_size + 3 * c.intermediate_size,
    liveValuesPerPair: 2 * c.num_attention_heads,
  };
}
