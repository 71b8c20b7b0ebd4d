import { z } from "zod";
import type { Sym } from "../../../net/graph/sym.ts";
import { attention, mergeHeads, repeatHeads, splitHeads } from "../../../net/nn/attention.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../../net/nn/norm.ts";
import { applyRotary } from "../../../net/nn/position-encoding.ts";
import { epsilonSchema, refinement, sizeSchema } from "../architecture.ts";
import type { ParameterTable } from "../parameters.ts";
import type { LayerContext, QueryContext } from "./transformer.ts";

// axes: b batch · t tokens · q queries · d width · h heads · g heads of keys and values · c width of a head

/** Keys of config.json that decoders of the Llama kind share. */
export const decoderSizes = {
  architectures: z.array(z.string()).default([]),
  vocab_size: sizeSchema(),
  hidden_size: sizeSchema(1 << 16),
  num_hidden_layers: sizeSchema(512),
  num_attention_heads: sizeSchema(1024),
  head_dim: sizeSchema(1 << 16).nullish(),
  intermediate_size: sizeSchema(),
  hidden_act: z.literal("silu"),
  rms_norm_eps: epsilonSchema(),
  sliding_window: sizeSchema(1 << 24).nullish(),
  initializer_range: z.number().positive().max(10).default(0.02),
  pad_token_id: z.number().int().nullish(),
};

/** Sizes of grouped-query attention: h query heads in g groups, which share keys and values. */
export interface GroupedHeads {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim?: number | null | undefined;
}

/** Sizes of attention heads. */
type Heads = Omit<GroupedHeads, "num_key_value_heads">;

export const headWidth = ({ head_dim, hidden_size, num_attention_heads }: Heads): number =>
  head_dim ?? hidden_size / num_attention_heads;

/** g divides h. */
export const GROUPS_FIT = refinement(
  (c: GroupedHeads) => c.num_attention_heads % c.num_key_value_heads === 0,
  "num_key_value_heads",
  "expected a divisor of num_attention_heads",
);
/** The width of a head is even, as rotary positions require. */
export const HEADS_EVEN = refinement(
  (c: Heads) => headWidth(c) % 2 === 0,
  "num_attention_heads",
  "expected heads of even width, as rotary positions need",
);

/** Dense layers of grouped-query attention. */
export interface GroupedAttention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Norms of each head's queries and keys, [c]; absent in most families. */
  readonly queryNorm?: Norm | undefined;
  readonly keyNorm?: Norm | undefined;
}

/** Declares grouped-query attention under Llama's names. */
export function declareGroupedAttention(
  table: ParameterTable,
  at: string,
  c: GroupedHeads,
  { bias, outputBias, norms }: { bias: boolean; outputBias: boolean; norms: boolean },
): GroupedAttention {
  const width = headWidth(c);
  const queries = c.num_attention_heads * width;
  const keys = c.num_key_value_heads * width;
  return {
    query: table.linear(`${at}.q_proj`, c.hidden_size, queries, { bias }),
    key: table.linear(`${at}.k_proj`, c.hidden_size, keys, { bias }),
    value: table.linear(`${at}.v_proj`, c.hidden_size, keys, { bias }),
    output: table.linear(`${at}.o_proj`, queries, c.hidden_size, { bias: outputBias }),
    queryNorm: norms ? table.norm(`${at}.q_norm`, width, { bias: false }) : undefined,
    keyNorm: norms ? table.norm(`${at}.k_norm`, width, { bias: false }) : undefined,
  };
}

/**
 * W_o·softmax(q·kᵀ / √c + bias)·v with q = R(W_q·y), k = R(W_k·y), v = W_v·y, where R rotates by position
 * (Ainslie et al. 2023, arXiv:2305.13245).  y: [b, t, d] → [b, q, d]
 */
export function groupedAttention(
  p: GroupedAttention,
  c: GroupedHeads & { readonly rms_norm_eps: number },
  y: Sym,
  { queries, keys }: Pick<LayerContext, "queries" | "keys">,
): Sym {
  const group = c.num_attention_heads / c.num_key_value_heads;
  const heads = (layer: Linear, x: Sym, count: number, norm: Norm | undefined) => {
    const split = splitHeads(linear(layer, x), count);
    return norm === undefined ? split : rmsNorm(norm, split, c.rms_norm_eps);
  };
  const rotate = (x: Sym, { angles }: QueryContext) => (angles === undefined ? x : applyRotary(x, angles));
  // q: [b, h, q, c]; k and v: [b, g, t, c]
  const q = rotate(heads(p.query, queries.select(y), c.num_attention_heads, p.queryNorm), queries);
  const k = rotate(heads(p.key, y, c.num_key_value_heads, p.keyNorm), keys);
  const v = splitHeads(linear(p.value, y), c.num_key_value_heads);
  const attended = attention(q, repeatHeads(k, group), repeatHeads(v, group), queries.bias); // [b, h, q, c]
  return linear(p.output, mergeHeads(attended));
}
