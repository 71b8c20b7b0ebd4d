import { exp, fill, flip, linearAttention, matMul, mul, pad, reshape, slice, unsqueeze } from "./build.ts";
import { knownSize, multiplyDims, type Shape } from "./dim.ts";
import type { InputGradients } from "./gradient-rule.ts";
import { isOp, type Sym } from "./sym.ts";

// axes: b rows · t tokens · e channels · n states of a channel

/**
 * Gradients of `linearAttention`, from the states h and their gradients G = dL/dh:
 *
 *     G_t[e, n] = dy_t[e]·q_t[n] + exp(g_{t+1}[e, n])·G_{t+1}[e, n]
 *     dq_t[n] = Σ_e dy_t[e]·h_t[e, n]      dk_t[n] = Σ_e v_t[e]·G_t[e, n]
 *     dv_t[e] = Σ_n k_t[n]·G_t[e, n]       dg_t[e, n] = G_t[e, n]·exp(g_t[e, n])·h_{t−1}[e, n]
 *
 * Both recurrences are linear attention with one state per channel, G against the direction of the tokens.
 * States are computed here, not kept since the forward pass.
 */
export function linearAttentionGradients(dy: Sym, [q, k, v, kept]: readonly Sym[]): InputGradients {
  const [batch, tokens, channels] = v.shape;
  const wide = [batch, tokens, channels, knownSize(q.shape[2], "the number of states")];
  const decay = computedAgain(kept);
  const h = everyState(outer(v, k), decay); // [b, t, e·n]
  const later = pad(slice(flip(decay, 1), 1, 0, -1), 1, 1, 0);
  const G = flip(everyState(flip(outer(dy, q), 1), later), 1);
  const byToken = (x: Sym) => reshape(x, wide);
  const sum = (channelwise: Sym, states: Sym) =>
    reshape(matMul(unsqueeze(channelwise, 2), byToken(states)), q.shape);
  const before = pad(slice(h, 1, 0, -1), 1, 1, 0);
  return [
    sum(dy, h),
    sum(v, G),
    reshape(matMul(byToken(G), unsqueeze(k, 3)), v.shape),
    mul(mul(G, exp(decay)), before),
  ];
}

/** x_t[e]·y_t[n]: [b, t, e] and [b, t, n] → [b, t, e·n] */
function outer(x: Sym, y: Sym): Sym {
  const product = mul(unsqueeze(x, 3), unsqueeze(y, 2));
  return reshape(product, merged(product.shape));
}

const merged = ([batch, tokens, channels, states]: Shape): Shape => [
  batch,
  tokens,
  multiplyDims(channels, states),
];

/** The states after every token: s_t = exp(decay_t)·s_{t−1} + driven_t.  both [b, t, e·n] → the same */
function everyState(driven: Sym, decay: Sym): Sym {
  const one = fill([...driven.shape.slice(0, 2), 1], 1, driven.dtype);
  return linearAttention(one, one, driven, decay);
}

/**
 * The decays, if they are a product, as the same product of the factors in the other order. ONNX Runtime
 * merges equal nodes, and the decays of the forward pass would stay in memory until the backward pass:
 * 23 MB per row, layer and direction for 350 tokens of 8,192 states.
 */
function computedAgain(decay: Sym): Sym {
  const product = isOp(decay.node, "Reshape") ? decay.node.inputs[0] : decay;
  if (!isOp(product.node, "Mul")) return decay;
  const [a, b] = product.node.inputs;
  return reshape(mul(b, a), decay.shape);
}
