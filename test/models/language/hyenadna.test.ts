import { beforeAll, describe, expect, test } from "vitest";
import { hyenadna } from "../../../src/models/language/hyenadna.ts";
import { tokenLogLikelihoods } from "../../../src/models/queries/causal-likelihood.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { input, transpose } from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { printGraph } from "../../../src/net/graph/print.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { isOp } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import type { GoldenTensor } from "../golden-weights.ts";
import { deviation, goldenArray } from "../golden-weights.ts";
import { mergeLora } from "../merge-lora.ts";
import { ids, LENGTH, LORA_RANK, reader, SCORE, seedOf, TINY, weight } from "./hyenadna-golden.ts";

// Golden values: float64 evaluation of the published equations (torch 2.1, transformers 4.37.1 agree within
// 1e-6).

const GOLDEN: Record<string, GoldenTensor> = {
  filter: {
    sum: 10.70083,
    squares: 6.5983834,
    first: [-0.091887176, -0.082747911, -0.22281352],
    last: [-0.0012873263, 0.025694628, -0.0061341438],
  },
  norm1: {
    sum: 20.872079,
    squares: 1081.6686,
    first: [-0.7980895, -0.96489266, -0.10556851],
    last: [1.8342756, 1.2094001, -1.1239018],
  },
  inProjection: {
    sum: -27.087374,
    squares: 5597.4958,
    first: [0.92735, -0.31773112, -0.63543998],
    last: [-0.50734337, 1.2560501, -0.34345342],
  },
  shortConvolution: {
    sum: -36.512182,
    squares: 1194.9722,
    first: [-0.017135742, 0.02727299, 0.38511374],
    last: [-0.54212536, -0.38037173, 0.53791579],
  },
  gated: {
    sum: -29.089383,
    squares: 153.70875,
    first: [-0.079999212, -0.036366518, -0.057702157],
    last: [0.015795097, 0.24792683, -0.2406682],
  },
  longConvolution: {
    sum: -69.894401,
    squares: 82.902168,
    first: [0.027038208, 0.020279857, 0.030471433],
    last: [0.09871149, 0.21648052, -0.013596624],
  },
  mixer: {
    sum: -4.5967069,
    squares: 18.407692,
    first: [-0.047186861, 0.10343312, 0.07697079],
    last: [-0.091003361, -0.043734605, -0.010018219],
  },
  mlp: {
    sum: 38.310592,
    squares: 97.115641,
    first: [0.1167684, 0.70561013, -0.72236702],
    last: [-0.024809981, 0.055243803, 0.20850255],
  },
  hidden0: {
    sum: 159.98438,
    squares: 370.60754,
    first: [-0.171875, -0.234375, 0.1875],
    last: [0.9609375, 0.8515625, -0.78125],
  },
  hidden1: {
    sum: 193.69826,
    squares: 522.10127,
    first: [-0.10229346, 0.57466825, -0.45789623],
    last: [0.84512416, 0.8630717, -0.58276566],
  },
  hidden2: {
    sum: 189.19564,
    squares: 575.4337,
    first: [0.092679179, 0.39236293, -0.426854],
    last: [0.99403816, 0.65209317, -0.20778823],
  },
  hidden3: {
    sum: -17.030623,
    squares: 982.578,
    first: [-0.12299653, 0.3120325, -1.1436766],
    last: [0.88291833, 0.59199502, -0.74675603],
  },
  logits: {
    sum: -5.4451624,
    squares: 230.81977,
    first: [-0.48043961, 0.90079721, -0.46545995],
    last: [0.32328578, 0.1325754, -0.70630531],
  },
};

/**
 * Weights with rank-2 factors merged into every adapted layer of the backbone, and the number of values of
 * the factors.
 */
function adapted(weights: ReadonlyMap<string, NdArray>) {
  let values = 0;
  const merged = new Map(weights);
  for (const { name, layer } of model.tensors) {
    if (layer === undefined || !name.startsWith("hyena.")) continue;
    const w = weights.get(name)!;
    const [rows, columns] = [w.shape[0], w.data.length / w.shape[0]];
    const [left, right] = [
      [rows, LORA_RANK],
      [LORA_RANK, columns],
    ];
    const [shapeA, shapeB] = layer === "embedding" ? [left, right] : [right, left];
    const a = goldenArray(shapeA, 1000 + 2 * seedOf(name), 0.25);
    const b = goldenArray(shapeB, 1001 + 2 * seedOf(name), 0.25);
    values += a.data.length + b.data.length;
    merged.set(name, mergeLora(w, { a, b }, { scale: 2, layer }));
  }
  return { merged, values };
}

const model = hyenadna.architecture(TINY, "config.json");
const idsIn = input("ids", "int32", ["b", "t"]);
const symbolic = input("ids", "int32", ["b", LENGTH]);
const output = model.forward({ ids: symbolic }, LENGTH);
const graph = graphOf({ logits: output.logits });

/** The value computed by the first node that uses a parameter of layer 0. */
function madeWith(parameter: string): Sym {
  const name = `hyena.backbone.layers.0.${parameter}`;
  const node = graph.nodes.find(({ inputs }) =>
    inputs.some((sym) => isOp(sym.node, "Parameter") && sym.node.attributes.name === name),
  )!;
  return { node, output: 0, ...node.outputs[0] };
}

/** The gate v ⊙ x₁ and the convolved signal of layer 0, found by their operations; both [b, d, t]. */
function gates(): { gated: Sym; convolved: Sym } {
  const products = graph.nodes.filter(({ op }) => op === "Mul");
  const { node: gates } = madeWith("mixer.short_filter.weight");
  const ofGates = ({ node }: Sym) => node.op === "Split" && node.inputs[0].node === gates;
  const turned = ({ node }: Sym) => node.op === "Transpose" && ofGates(node.inputs[0]);
  const gated = products.find(({ inputs }) => inputs.every(ofGates))!;
  const second = products.find(({ inputs }) => inputs.some(turned))!;
  return {
    gated: { node: gated, output: 0, ...gated.outputs[0] },
    convolved: transpose(second.inputs.find((sym) => !turned(sym))!, [0, 2, 1]),
  };
}

describe("HyenaDNA, tiny golden model", () => {
  let results: Readonly<Record<string, NdArray>>;
  let filter: NdArray;
  let loraResults: Readonly<Record<string, NdArray>>;
  let loraValues: number;

  beforeAll(async () => {
    const weights = new Map(model.tensors.map((tensor) => [tensor.name, weight(tensor)]));
    const head = model.classifier(2);
    weights.set("score.weight", goldenArray([2, 16], ...SCORE));
    const derived = await model.derive!(LENGTH, reader(weights));
    filter = derived.get("hyena.backbone.layers.0.mixer.filter_fn.kernel")!;
    const [hidden0, hidden1, hidden2, hidden3] = output.hiddenStates;
    const classes = head.logits(output, { ids: symbolic });
    const feeds = { ids: { dtype: "int32", shape: [2, LENGTH], data: ids } } as const;
    const lora = adapted(weights);
    loraValues = lora.values;
    const loraDerived = await model.derive!(LENGTH, reader(lora.merged));
    const loraProgram = await openProgram(
      { classes, last: output.lastHidden },
      new Map([...lora.merged, ...loraDerived]),
    );
    loraResults = await loraProgram.run(feeds);
    await loraProgram.close();
    const outputs = {
      classes,
      norm1: madeWith("norm1.weight"),
      inProjection: madeWith("mixer.in_proj.weight"),
      shortConvolution: madeWith("mixer.short_filter.weight"),
      gated: gates().gated,
      longConvolution: gates().convolved,
      mixer: madeWith("mixer.out_proj.weight"),
      mlp: madeWith("mlp.fc2.weight"),
      hidden0,
      hidden1,
      hidden2,
      hidden3,
      logits: output.logits,
      likelihoods: tokenLogLikelihoods(output.logits, symbolic),
    };
    const program = await openProgram(outputs, new Map([...weights, ...derived]));
    results = await program.run(feeds);
    await program.close();
  });

  test.each(Object.keys(GOLDEN))("%s agrees with float64 to 2e-6", (name) => {
    const array = name === "filter" ? filter : results[name];
    expect(deviation(array, GOLDEN[name])).toBeLessThan(2e-6);
  });

  test("classifier logits, read at [SEP]", () => {
    const golden = [-0.72300344, -0.18656091, -0.92549045, -0.084826783];
    golden.forEach((value, i) => {
      expect(results.classes.data[i]).toBeCloseTo(value, 5);
    });
  });

  test("with LoRA factors merged into every adapted weight", () => {
    expect(loraValues).toBe(1312);
    const golden = [-0.38362179, -0.16965158, -0.93126823, 0.0059928142];
    golden.forEach((value, i) => {
      expect(loraResults.classes.data[i]).toBeCloseTo(value, 5);
    });
    const values = Array.from(loraResults.last.data as Float32Array);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(-5.7608669, 4);
    expect(values.reduce((a, b) => a + b * b, 0)).toBeCloseTo(921.21727, 2);
  });

  test("causal log-likelihoods, without and with the prediction of [SEP]", () => {
    const perToken = results.likelihoods.data as Float32Array; // [2, 31]
    const sums = [0, 1].map((row) => {
      const values = perToken.slice(row * (LENGTH - 1), (row + 1) * (LENGTH - 1));
      return [...values.slice(0, -1)].reduce((a, b) => a + b, 0);
    });
    expect(sums[0]).toBeCloseTo(-82.577742, 4);
    expect(sums[1]).toBeCloseTo(-80.071713, 4);
    expect(sums[0] + perToken[30]).toBeCloseTo(-85.146961, 4);
    expect(sums[1] + perToken[61]).toBeCloseTo(-83.199341, 4);
  });
});

test("one block prints as a page", () => {
  const tiny = hyenadna.architecture({ ...TINY, n_layer: 1 }, "config.json");
  const text = printGraph(graphOf({ hidden: tiny.forward({ ids: symbolic }, LENGTH).lastHidden }));
  expect(text).toMatchSnapshot();
  expect(text.split("\n").length).toBeLessThan(60);
  expect(idsIn.shape).toEqual(["b", "t"]);
});

test("the error for an invalid size names the key", () => {
  const refuse = (change: object) => () => hyenadna.architecture({ ...TINY, ...change }, "m/config.json");
  expect(refuse({ d_model: 1e12 })).toThrow(/"d_model" is 1000000000000/);
  expect(refuse({ n_layer: 0 })).toThrow(/"n_layer" is 0/);
  expect(refuse({ hyena_order: 3 })).toThrow(/"hyena_order" is 3/);
  expect(refuse({ max_seq_len: undefined })).toThrow(/"max_seq_len" is absent/);
});

test("parameter counts equal the published ones", () => {
  const count = (config: Readonly<Record<string, unknown>>) =>
    hyenadna
      .architecture(config, "config.json")
      .tensors.filter(({ name }) => !/pos_emb|deltas/.test(name))
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const published = {
    "tiny-1k": 438_144,
    "tiny-1k-d256": 1_645_184,
    "small-32k": 3_281_664,
    "large-1m": 6_554_624,
  };
  for (const [preset, parameters] of Object.entries(published)) {
    expect(count(hyenadna.checkpoints.find((each) => each.preset === preset)!.config)).toBe(parameters);
  }
});
