import {
  add,
  cast,
  compress,
  div,
  equal,
  gather,
  greater,
  mul,
  range,
  reduceSum,
  reshape,
  scatterRows,
  silu,
  softmax,
  topK,
} from "../../../net/graph/build.ts";
import { multiplyDims } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import type { Linear } from "../../../net/nn/linear.ts";
import { linear } from "../../../net/nn/linear.ts";
import type { ForwardInput } from "../architecture.ts";

// axes: n tokens of all rows · d width · k experts of a token · i slots of an expert

/** A gated feed-forward layer: `w1` is the gate, `w3` its input, `w2` the output projection. */
export interface Expert {
  readonly w1: Linear;
  readonly w2: Linear;
  readonly w3: Linear;
}

export interface MixtureOfExperts {
  /** A logit per expert. */
  readonly router: Linear;
  readonly experts: readonly Expert[];
}

export interface Routing {
  /** Number of experts per token. */
  readonly perToken: number;
  /** Unique name of the layer, used for the symbolic numbers of tokens per expert. */
  readonly layer: string;
  readonly reached?: ForwardInput["reached"];
}

/** W₂·(silu(W₁·y) ⊙ W₃·y) (Shazeer 2020, arXiv:2002.05202, eq. 6).  [i, d] → [i, d] */
const expert = ({ w1, w2, w3 }: Expert, y: Sym) => linear(w2, mul(silu(linear(w1, y)), linear(w3, y)));

/**
 * x + Σ_e softmax(top_k(W_r·y))_e · expert_e(y), over the k experts with the largest logits (Jiang et al.
 * 2024, arXiv:2401.04088, section 2.1).
 *
 * An expert computes only the tokens that are routed to it: a token has k slots, a slot names an expert, and
 * each expert gathers its slots, computes their tokens and adds to their states. docs/decisions has the
 * measurement against computing all experts for all tokens. Routing depends on float32 logits, so a token
 * with two nearly equal logits may change its expert with the last bit of y.
 *
 * @param x  states to which the sum is added: [n, d]
 * @param y  normalised states: [n, d]
 */
export function addExperts(p: MixtureOfExperts, x: Sym, y: Sym, routing: Routing): Sym {
  const { perToken: k, layer, reached } = routing;
  const logits = linear(p.router, y); // [n, e]
  const { values, indices } = topK(logits, k); // [n, k]
  const count = multiplyDims(y.shape[0], k);
  const slots = range(count);
  const expertOf = reshape(indices, [count]);
  const weights = reshape(softmax(values), [count, 1]);
  // The top k of a row with NaN are arbitrary: adding 0 · Σ logits makes the token's state NaN, and changes
  // nothing otherwise.
  const poison = mul(reduceSum(logits, [1], { keepDims: true }), 0); // [n, 1]
  return p.experts.reduce(
    (sum, each, e) => {
      const chosen = equal(expertOf, e);
      reached?.([each.w1, each.w2, each.w3], greater(reduceSum(cast(chosen, "float32"), [0]), 0));
      const own = compress(slots, chosen, 0, `slots_${layer}_${e}`); // [i]
      if (k === 1) return scatterRows(sum, own, expert(each, gather(y, own)), "add"); // its weight is 1
      const tokens = div(own, k);
      return scatterRows(sum, tokens, mul(expert(each, gather(y, tokens)), gather(weights, own)), "add");
    },
    add(x, poison),
  );
}
