import { expect, test } from "vitest";
import { dnabert2 } from "../../../src/models/language/dnabert2.ts";
import { concat } from "../../../src/net/graph/build.ts";
import { givenTo, madeWith, outputOf, usersOf } from "../graph-nodes.ts";
import { hashedArray } from "../hashed-weights.ts";
import { describeEncoder, parameterCount } from "./golden-encoder.ts";

// Golden values: the published modules in float64 (torch 2.13, attention without its fused kernel).

const TINY = {
  vocab_size: 24,
  hidden_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 12,
  intermediate_size: 64,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_act: "gelu",
  alibi_starting_size: 4,
};
const layer = (part: string) => `bert.encoder.layer.0.${part}.weight`;

describeEncoder({
  title: "DNABERT-2, tiny golden model",
  card: dnabert2,
  config: TINY,
  rows: [
    [1, 5, 6, 7, 8, 9, 2],
    [1, 10, 11, 12, 2, 3, 3],
  ],
  mask: [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 0, 0],
  ],
  tensors: (graph, { lastHidden, logits }) => ({
    embeddings: madeWith(graph, "bert.embeddings.LayerNorm.weight"),
    qkv: concat(usersOf(graph, layer("attention.self.Wqkv")).map(outputOf), 1),
    context: givenTo(graph, layer("attention.output.dense")),
    attentionNorm: madeWith(graph, layer("attention.output.LayerNorm")),
    gated: concat(usersOf(graph, layer("mlp.gated_layers")).map(outputOf), 1),
    wo: madeWith(graph, layer("mlp.wo")),
    layer: madeWith(graph, layer("mlp.layernorm")),
    hidden: lastHidden,
    logits,
  }),
  ofTokensOnly: new Set(["qkv", "context", "attentionNorm", "gated", "wo", "layer"]),
  masked: {
    embeddings: {
      sum: 27.819974,
      squares: 673.04886,
      first: [2.4604037, -0.035869056, 0.35942408],
      last: [-0.6138075, 0.10665518, 0.18277153],
    },
    qkv: {
      sum: -50.594795,
      squares: 1736.7561,
      first: [-0.8897255, -0.060503334, -0.54369021],
      last: [-1.128361, -1.2920556, 1.0627154],
    },
    context: {
      sum: -96.267138,
      squares: 343.73093,
      first: [-0.37199975, -0.5748355, -0.62170249],
      last: [-0.92161924, -0.66019005, 1.0360776],
    },
    attentionNorm: {
      sum: -20.641969,
      squares: 637.15628,
      first: [1.9001936, 0.0090104841, 0.84437654],
      last: [-0.45252337, -0.49590837, 0.62267716],
    },
    gated: {
      sum: -2.2910881,
      squares: 1808.3155,
      first: [-1.2268281, 0.48776289, -0.9270043],
      last: [1.130485, 0.24635738, 1.0791401],
    },
    wo: {
      sum: 42.180751,
      squares: 374.49089,
      first: [-0.46358076, 0.67064065, 1.3265136],
      last: [-0.70631195, 0.23035318, 0.73601011],
    },
    layer: {
      sum: -14.158294,
      squares: 595.71528,
      first: [0.7249128, 0.22450793, 1.1961058],
      last: [-0.63662609, -0.19882687, 0.78462753],
    },
    hidden: {
      sum: -4.7287597,
      squares: 629.49107,
      first: [-0.19670609, 1.3208134, 0.6144127],
      last: [0, 0, 0],
    },
    logits: {
      sum: 36.849042,
      squares: 346.55538,
      first: [1.8630643, 0.25216139, -0.75878869],
      last: [0.27425687, 0.75214573, 1.5617664],
    },
  },
  unmasked: {
    hidden: {
      sum: -2.6279001,
      squares: 742.42556,
      first: [-0.19670609, 1.3208134, 0.6144127],
      last: [-0.54121142, 1.4833422, 1.5382367],
    },
    logits: {
      sum: 45.757046,
      squares: 337.01195,
      first: [1.8630643, 0.25216139, -0.75878869],
      last: [-1.3486581, 1.2039496, 0.48168319],
    },
  },
  // row 1, token 2: what padding changes
  rowValues: {
    tensor: "hidden",
    start: (7 + 2) * 48,
    masked: [0.458673, 1.935366, -0.677648, -0.106592],
    unmasked: [0.148898, 2.049709, -0.904518, -0.474799],
  },
  classifier: {
    masked: [-0.59063616, -0.70117209, 0.1006665, -1.06234617, -0.24558159, 0.06315339],
    unmaskedSecond: [-0.86108455, -0.36488753, 0.15042512],
  },
  special: { special: { cls: 1, sep: 2, pad: 3, mask: 4 }, before: [1], after: [2] },
  pseudoLogLikelihoods: [-20.1502409, -11.9518091],
  lora: {
    adapt: (name) => name.startsWith("bert."),
    modules: 10,
    values: 2548,
    masked: [-0.4229361, -0.2596787, 0.5212292, -0.33797864, 0.15875048, -0.12132102],
  },
});

test("weights equal those of the golden run", () => {
  const four = (name: string) => [...(hashedArray(name, [48]).data as Float32Array).subarray(0, 4)];
  const near = (values: number[], stated: number[]) => {
    values.forEach((value, i) => {
      expect(Math.abs(value - stated[i])).toBeLessThan(1e-6);
    });
  };
  const words = hashedArray("bert.embeddings.word_embeddings.weight", [24, 48]).data as Float32Array;
  near([...words.subarray(0, 4)], [-0.002266, -0.096916, 0.175662, 0.003787]);
  near(four(layer("attention.output.LayerNorm")), [0.765895, 1.20348, 0.814545, 1.108091]);
});

test("the published size has the published number of parameters, in 141 tensors", () => {
  const published = dnabert2.architecture(dnabert2.checkpoints[0].config, "config.json");
  expect(parameterCount(published)).toBe(117_074_176);
  expect(published.tensors.length).toBe(141);
});
