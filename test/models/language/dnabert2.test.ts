import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dnabert2 } from "../../../src/models/language/dnabert2.ts";
import { maskedLogLikelihoods } from "../../../src/models/queries/masked-likelihood.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { concat, input } from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import type { GoldenTensor } from "../golden-weights.ts";
import { deviation } from "../golden-weights.ts";
import { givenTo, madeWith, outputOf, usersOf } from "../graph-nodes.ts";
import { hashedWeights, withHashedLora } from "../hashed-weights.ts";
import { tinyQuery, tokensOf } from "../tiny-query.ts";

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
const ROWS = [
  [1, 5, 6, 7, 8, 9, 2],
  [1, 10, 11, 12, 2, 3, 3],
];
const TOKENS = 7;
const REAL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

const GOLDEN: Record<string, GoldenTensor> = {
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
};
const GOLDEN_UNMASKED: Record<string, GoldenTensor> = {
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
};
/** Of rows without padding only, as the original computes them. */
const OF_REAL_ROWS = new Set(["qkv", "context", "attentionNorm", "gated", "wo", "layer"]);

const model = dnabert2.architecture(TINY, "config.json");
const weights = hashedWeights(model.tensors);
const head = model.classifier(3);
const headWeights = hashedWeights(head.tensors);

const given = { ids: input("ids", "int32", ["b", "t"]), mask: input("mask", "float32", ["b", "t"]) };
const output = model.forward(given, "t");
const graph = graphOf({ logits: output.logits });
const at = (part: string) => `bert.encoder.layer.0.${part}`;
const classes = head.logits(output, given);

const ids: NdArray = { dtype: "int32", shape: [2, TOKENS], data: Int32Array.from(ROWS.flat()) };
const maskOf = (...rows: number[][]): NdArray => ({
  dtype: "float32",
  shape: [2, TOKENS],
  data: Float32Array.from(rows.flat()),
});
const mask = maskOf([1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]);
const ones = maskOf([1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1]);

/** The first rows of [2·7, width]: those of tokens that are not padding. */
function realRows(array: NdArray): NdArray {
  const width = array.data.length / (2 * TOKENS);
  const values = array.data as Float32Array;
  const data = Float32Array.from(REAL.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  return { ...array, shape: [REAL.length, width], data };
}

describe("DNABERT-2, tiny golden model", () => {
  let masked: Readonly<Record<string, NdArray>>;
  let unmasked: Readonly<Record<string, NdArray>>;

  beforeAll(async () => {
    const program = await openProgram(
      {
        classes,
        embeddings: madeWith(graph, "bert.embeddings.LayerNorm.weight"),
        qkv: concat(usersOf(graph, at("attention.self.Wqkv.weight")).map(outputOf), 1),
        context: givenTo(graph, at("attention.output.dense.weight")),
        attentionNorm: madeWith(graph, at("attention.output.LayerNorm.weight")),
        gated: madeWith(graph, at("mlp.gated_layers.weight")),
        wo: madeWith(graph, at("mlp.wo.weight")),
        layer: madeWith(graph, at("mlp.layernorm.weight")),
        hidden: output.lastHidden,
        logits: output.logits,
      },
      new Map([...weights, ...headWeights]),
    );
    masked = await program.run({ ids, mask });
    unmasked = await program.run({ ids, mask: ones });
    await program.close();
  });

  test("the weights are those of the golden run", () => {
    const words = weights.get("bert.embeddings.word_embeddings.weight")!.data;
    const norm = weights.get(at("attention.output.LayerNorm.weight"))!.data;
    const four = (values: ArrayLike<number>) => Array.from({ length: 4 }, (_, i) => values[i]!.toFixed(6));
    expect(four(words as Float32Array)).toEqual(["-0.002266", "-0.096916", "0.175662", "0.003787"]);
    expect(four(norm as Float32Array)).toEqual(["0.765895", "1.203480", "0.814545", "1.108091"]);
  });

  test.each(Object.keys(GOLDEN))("%s agrees with float64 to 2e-6", (name) => {
    const array = OF_REAL_ROWS.has(name) ? realRows(masked[name]!) : masked[name]!;
    expect(deviation(array, GOLDEN[name]!)).toBeLessThan(2e-6);
  });

  test.each(Object.keys(GOLDEN_UNMASKED))("%s with padding seen agrees with float64 to 2e-6", (name) => {
    expect(deviation(unmasked[name]!, GOLDEN_UNMASKED[name]!)).toBeLessThan(2e-6);
  });

  test("padding changes a real token's state only where it is seen", () => {
    const start = (TOKENS + 2) * 48; // row 1, token 2
    const four = ({ hidden }: typeof masked) => [
      ...(hidden!.data as Float32Array).subarray(start, start + 4),
    ];
    [0.458673, 1.935366, -0.677648, -0.106592].forEach((value, i) => {
      expect(four(masked)[i]).toBeCloseTo(value, 5);
    });
    [0.148898, 2.049709, -0.904518, -0.474799].forEach((value, i) => {
      expect(four(unmasked)[i]).toBeCloseTo(value, 5);
    });
  });

  test("classifier logits, read at [CLS]", () => {
    const golden = [-0.59063616, -0.70117209, 0.1006665, -1.06234617, -0.24558159, 0.06315339];
    golden.forEach((value, i) => {
      expect(Math.abs((masked.classes!.data[i] as number) - value)).toBeLessThan(2e-6);
    });
    [-0.86108455, -0.36488753, 0.15042512].forEach((value, i) => {
      expect(Math.abs((unmasked.classes!.data[3 + i] as number) - value)).toBeLessThan(2e-6);
    });
  });

  test("with LoRA factors merged into every adapted weight", async () => {
    const { merged, modules, values } = withHashedLora(weights, model.tensors, {
      rank: 2,
      scale: 2,
      adapt: (name) => name.startsWith("bert."),
    });
    expect([modules, values]).toEqual([10, 2548]);
    const program = await openProgram({ classes }, new Map([...merged, ...headWeights]));
    const results = await program.run({ ids, mask });
    await program.close();
    const golden = [-0.4229361, -0.2596787, 0.5212292, -0.33797864, 0.15875048, -0.12132102];
    golden.forEach((value, i) => {
      expect(Math.abs((results.classes!.data[i] as number) - value)).toBeLessThan(2e-6);
    });
  });
});

describe("masked pseudo-log-likelihood", () => {
  const query = tinyQuery(model, weights, {
    special: { cls: 1, sep: 2, pad: 3, mask: 4 },
    before: [1],
    after: [2],
  });
  afterAll(() => query.close());

  test("agrees with float64", async () => {
    const rows = [tokensOf(ROWS[0]!), tokensOf(ROWS[1]!.slice(0, 5))];
    const totals = await maskedLogLikelihoods(query, rows, { protocol: "corrected" });
    expect(Math.abs(totals[0]! + 20.1502409)).toBeLessThan(1e-5);
    expect(Math.abs(totals[1]! + 11.9518091)).toBeLessThan(1e-5);
  });
});

test("the published sizes have the published number of parameters", () => {
  const { tensors } = dnabert2.architecture(dnabert2.checkpoints[0]!.config, "config.json");
  const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  expect(count).toBe(117_074_176);
  expect(tensors.length).toBe(141);
});
