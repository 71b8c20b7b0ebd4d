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

// axes: n tokens of all rows · d width · e experts · k experts of a token · i slots of an expert

/** A gated feed-forward network, with the tensor names of Mixtral: W₂·(silu(W₁·y) ⊙ W₃·y). */
export interface Expert {
  readonly w1: Linear;
  readonly w2: Linear;
  readonly w3: Linear;
}

export interface MixtureOfExperts {
  /** W_r: d → e, a logit per expert. */
  readonly router: Linear;
  readonly experts: readonly Expert[];
}

export interface Routing {
  /** k, the number of experts per token. */
  readonly perToken: number;
  /** Name of the layer, unique in the graph: part of the names of the symbolic sizes i. */
  readonly layer: string;
  readonly onRouted?: ForwardInput["onRouted"];
}

/** W₂·(silu(W₁·y) ⊙ W₃·y) (Shazeer 2020, arXiv:2002.05202, eq. 6).  [i, d] → [i, d] */
const expert = ({ w1, w2, w3 }: Expert, y: Sym) => linear(w2, mul(silu(linear(w1, y)), linear(w3, y)));

/**
 * x + Σ_e softmax(top_k(W_r·y))_e · expert_e(y), over the k experts with the largest logits (Jiang et al.
 * 2024, arXiv:2401.04088, section 2.1).
 *
 * An expert computes only the tokens that are routed to it. A token has k slots, each with the index of one
 * expert: slot s belongs to token ⌊s / k⌋. Each expert gathers the tokens of its slots, computes them and
 * adds the weighted outputs to the states of those tokens (docs/decisions/0004).
 * Logits are float32, so the last bit of y can decide between two experts with nearly equal logits.
 *
 * @param x  states to which the sum is added: [n, d]
 * @param y  normalised states: [n, d]
 */
export function addExperts(p: MixtureOfExperts, x: Sym, y: Sym, routing: Routing): Sym {
  const { perToken: k, layer, onRouted } = routing;
  const logits = linear(p.router, y); // [n, e]
  const { values, indices } = topK(logits, k); // [n, k]
  const count = multiplyDims(y.shape[0], k);
  const slots = range(count); // [n·k]
  const expertOfSlot = reshape(indices, [count]);
  const weights = reshape(softmax(values), [count, 1]);
  // The top k of logits with NaN are arbitrary. 0 · Σ logits is NaN for such a token, else 0.
  const nanOrZero = mul(reduceSum(logits, [1], { keepDims: true }), 0); // [n, 1]
  return p.experts.reduce(
    (sum, each, e) => {
      const chosen = equal(expertOfSlot, e); // [n·k]
      onRouted?.([each.w1, each.w2, each.w3], greater(reduceSum(cast(chosen, "float32"), [0]), 0));
      const chosenSlots = compress(slots, chosen, 0, `slots_${layer}_${e}`); // [i]
      // with k = 1 a slot is a token, and its weight is 1
      if (k === 1) return scatterRows(sum, chosenSlots, expert(each, gather(y, chosenSlots)), "add");
      const tokens = div(chosenSlots, k); // [i]
      const outputs = mul(expert(each, gather(y, tokens)), gather(weights, chosenSlots)); // [i, d]
      return scatterRows(sum, tokens, outputs, "add");
    },
    add(x, nanOrZero),
  );
}
