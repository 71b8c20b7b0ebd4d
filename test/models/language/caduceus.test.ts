import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { caduceusTokenizer } from "../../../src/dna/tokenizers/one-letter.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import type { Architecture } from "../../../src/models/language/architecture.ts";
import { caduceus } from "../../../src/models/language/caduceus.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import { rowsPerRun } from "../../../src/models/language/collate.ts";
import { gpn } from "../../../src/models/language/gpn.ts";
import { bindParameters } from "../../../src/models/language/parameters.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { maskedLogLikelihoods } from "../../../src/models/queries/masked-likelihood.ts";
import { Programs } from "../../../src/models/queries/programs.ts";
import { compareWithReference } from "../../../src/models/verify.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import { input, mul, reduceSum } from "../../../src/net/graph/build.ts";
import type { Shape } from "../../../src/net/graph/dim.ts";
import { type Graph, graphOf } from "../../../src/net/graph/graph.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { stateAt } from "../../../src/net/nn/queries.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { deviation, type GoldenTensor, goldenArray } from "../golden-weights.ts";
import { givenTo, madeWith, outputOf, usersOf } from "../graph-nodes.ts";
import { mergeLora } from "../merge-lora.ts";
import { complement, idRows, LENGTH, lawOf, MASKED_AT, SCORE, tiny, weight } from "./caduceus-golden.ts";

// Golden values: float64 evaluation of the published equations; the published float32 code (CPU, mamba's own
// reference scan) agrees within 1.3e-5.

const weightsOf = ({ tensors }: Architecture) =>
  new Map(tensors.map((tensor) => [tensor.name, weight(tensor)]));

const idsArray = (rows: readonly (readonly number[])[]): NdArray => ({
  dtype: "int32",
  shape: [rows.length, rows[0].length],
  data: Int32Array.from(rows.flat()),
});
const feeds = { ids: idsArray(idRows) };

interface Golden {
  readonly rcps: boolean;
  readonly layers: number;
  readonly tensors: Readonly<Record<string, GoldenTensor>>;
  readonly classes: readonly number[];
  readonly likelihood?: number;
  readonly atMask?: readonly number[];
}

const GOLDEN: Readonly<Record<string, Golden>> = {
  "PS, two blocks": {
    rcps: true,
    layers: 2,
    tensors: {
      hidden0: {
        sum: -67.40625,
        squares: 167.08609,
        first: [-0.2578125, -0.23046875, 0.0390625],
        last: [0.34375, 0.234375, 0.3671875],
      },
      hidden1: {
        sum: 131.62146,
        squares: 829.11763,
        first: [-0.10034536, -0.05860114, 0.32289482],
        last: [0.44224483, -0.6460814, 0.49444454],
      },
      hidden2: {
        sum: -18.775259,
        squares: 2169.7072,
        first: [0.55013349, -1.314858, 0.50367088],
        last: [0.41647933, -0.5669654, 2.2632236],
      },
      logits: {
        sum: 179.54667,
        squares: 3271.8084,
        first: [-0.60150622, -1.0515191, -1.070532],
        last: [2.6096615, 2.3605261, 0.19998632],
      },
    },
    classes: [0.18787713, 0.12869514, -0.039940404, 0.053793381],
    likelihood: -156.72152,
    atMask: [-5.4614932, -2.1828183, -3.7589524, -3.871403],
  },
  "PS, three blocks": {
    rcps: true,
    layers: 3,
    tensors: {
      hidden2: {
        sum: -143.0244,
        squares: 4398.0044,
        first: [0.83868992, -0.75730654, -0.10111936],
        last: [-0.079893427, -0.21918254, 0.23249796],
      },
      hidden3: {
        sum: -11.980737,
        squares: 2173.869,
        first: [0.6061254, -0.37061404, -0.86166244],
        last: [0.0080226539, 0.97656871, 0.58011648],
      },
      logits: {
        sum: 88.410289,
        squares: 3003.9878,
        first: [-2.8664362, 1.2904165, 0.58331868],
        last: [-1.7233341, 4.4405191, 0.024308091],
      },
    },
    classes: [0.0016921943, 0.42655953, 0.0013316664, 0.027387742],
  },
  "Ph, two blocks": {
    rcps: false,
    layers: 2,
    tensors: {
      hidden0: {
        sum: -34.441406,
        squares: 83.355087,
        first: [-0.2578125, -0.23046875, 0.0390625],
        last: [0.46484375, 0.46875, -0.2890625],
      },
      hidden1: {
        sum: -10.860395,
        squares: 1554.2738,
        first: [0.63581354, 0.31947868, 0.5719048],
        last: [-0.51608823, 0.20037347, -0.35095926],
      },
      hidden2: {
        sum: -55.347523,
        squares: 1095.3499,
        first: [0.48679523, 1.0713644, -0.14131586],
        last: [-0.46964888, 1.4711587, -2.0363251],
      },
      logits: {
        sum: 80.226338,
        squares: 1917.3263,
        first: [1.1769834, 1.9366215, 1.5476953],
        last: [0.085837732, -2.7066174, 0.54863976],
      },
    },
    classes: [-0.002683495, 0.093137281, -0.053696747, 0.10321375],
    likelihood: -117.91127,
    atMask: [-5.0468068, -4.8988089, -3.3220014, -2.573043],
  },
};

/** Tolerance of every value; the published float32 code is within 1.3e-5. */
const TOLERANCE = 1e-5;

const ids = input("ids", "int32", ["b", "t"]);

/** All outputs of a model in one of its forms: recurrences by loops, or by linear attention. */
async function outputsOf(model: Architecture, loops: boolean, weights = weightsOf(model)) {
  const given = { ids, loops };
  const output = model.forward(given, "t");
  const head = model.classifier(2);
  const program = await openProgram(
    {
      ...Object.fromEntries(output.hiddenStates.map((state, i) => [`hidden${i}`, state])),
      logits: output.logits,
      last: output.lastHidden,
      classes: head.logits(output, given),
    },
    new Map([...weights, ["score.weight", goldenArray([2, 16], ...SCORE)]]),
  );
  const results = await program.run(feeds);
  await program.close();
  return results;
}

function expectClose(values: ArrayLike<number>, golden: readonly number[], tolerance = TOLERANCE): void {
  expect(golden.length).toBe(values.length);
  golden.forEach((value, i) => {
    expect(Math.abs(value - values[i])).toBeLessThan(tolerance);
  });
}

describe.each(Object.entries(GOLDEN))("Caduceus-%s, tiny golden model", (_, golden) => {
  const model = caduceus.architecture(tiny(golden.rcps, golden.layers), "config.json");
  const forms = ["loops", "attention", "untied"] as const;
  const results = {} as Record<(typeof forms)[number], Readonly<Record<string, NdArray>>>;

  beforeAll(async () => {
    results.loops = await outputsOf(model, true);
    results.attention = await outputsOf(model, false);
    results.untied = await outputsOf(model.untied!(), true);
  });

  test.each(forms)("hidden states, logits and classes agree with float64 (%s)", (form) => {
    for (const [name, tensor] of Object.entries(golden.tensors)) {
      expect(deviation(results[form][name], tensor), name).toBeLessThan(TOLERANCE);
    }
    expectClose(results[form].classes.data as Float32Array, golden.classes);
    expect(Object.keys(results[form]).filter((name) => name.startsWith("hidden")).length).toBe(
      golden.layers + 1,
    );
  });

  test("the forms agree with each other", () => {
    for (const form of ["attention", "untied"] as const) {
      for (const [name, { data }] of Object.entries(results[form])) {
        const same = results.loops[name].data as Float32Array;
        const furthest = Math.max(...(data as Float32Array).map((value, i) => Math.abs(value - same[i])));
        expect(furthest, `${form} ${name}`).toBeLessThan(TOLERANCE);
      }
    }
  });
});

test.each(Object.entries(GOLDEN))(
  "Caduceus-%s, computed for one token of each row, equals the full pass",
  async (_, golden) => {
    const model = caduceus.architecture(tiny(golden.rcps, golden.layers), "config.json");
    const positions = input("positions", "int32", ["b"]);
    for (const form of [model, model.untied!()]) {
      const whole = form.forward({ ids }, "t");
      const one = form.forwardAt!({ ids }, positions, "t");
      const program = await openProgram(
        {
          logits: one.logits,
          lastHidden: one.lastHidden,
          wholeLogits: stateAt(whole.logits, positions),
          wholeLastHidden: stateAt(whole.lastHidden, positions),
        },
        weightsOf(form),
      );
      for (const places of [
        [0, LENGTH - 1],
        [MASKED_AT, 3],
      ]) {
        const at: NdArray = { dtype: "int32", shape: [2], data: Int32Array.from(places) };
        const results = await program.run({ ...feeds, positions: at });
        expect(results.logits.shape).toEqual([2, 1, 16]);
        expectClose(results.logits.data as Float32Array, [...(results.wholeLogits.data as Float32Array)]);
        expectClose(results.lastHidden.data as Float32Array, [
          ...(results.wholeLastHidden.data as Float32Array),
        ]);
      }
      await program.close();
    }
  },
);

describe.each(Object.entries(GOLDEN).filter(([, { likelihood }]) => likelihood !== undefined))(
  "Caduceus-%s, tiny golden model",
  (_, golden) => {
    const model = caduceus.architecture(tiny(golden.rcps, golden.layers), "config.json");

    test("likelihoods agree with float64", async () => {
      const { logits } = await outputsOf(model, true);
      const guess = (logits.data as Float32Array).subarray(MASKED_AT * 16, (MASKED_AT + 1) * 16);
      const total = Math.log(guess.reduce((sum, x) => sum + Math.exp(x), 0));
      expectClose(
        [7, 8, 9, 10].map((id) => guess[id] - total),
        golden.atMask!,
      );
      const weights = weightsOf(model);
      const programs = new Programs(model, weights, async (name) => weights.get(name)!, {});
      const none = new Int32Array(LENGTH);
      const row = { ids: Int32Array.from(idRows[1]), starts: none, ends: none };
      const query = {
        kind: "masked",
        programs,
        tokenizer: caduceusTokenizer(),
        architecture: model,
      } as const;
      const [likelihood] = await maskedLogLikelihoods(query, [row], { protocol: "corrected" });
      await programs.close();
      expect(Math.abs(likelihood - golden.likelihood!)).toBeLessThan(5e-5);
    });
  },
);

describe("inside the first block", () => {
  /** A tensor of the first block's forward direction, for projections applied per direction. */
  function parts(graph: Graph, at: string) {
    const name = (part: string) => `caduceus.backbone.layers.0.mixer${at}.mamba_fwd.${part}`;
    const projected = usersOf(graph, name("in_proj.weight")).map(outputOf);
    const c = givenTo(graph, name("x_proj.weight")).node.inputs[0];
    const skip = madeWith(graph, name("D"));
    const driven = graph.nodes.find(
      ({ op, inputs }) => op === "Mul" && inputs[1]?.node === c.node && inputs[0].node.op === "Add",
    )!;
    const summed = graph.nodes.find(({ op, inputs }) => op === "Add" && inputs[1]?.node === skip.node)!;
    return {
      norm: givenTo(graph, name("in_proj.weight")),
      u: projected[0],
      z: projected[1],
      c,
      selection: madeWith(graph, name("x_proj.weight")),
      step: driven.inputs[0],
      s: summed.inputs[0],
      y: givenTo(graph, name("out_proj.weight")),
    };
  }

  async function valuesOf(rcps: boolean) {
    const model = caduceus.architecture(tiny(rcps, 2), "config.json").untied!();
    const output = model.forward({ ids, loops: false }, "t");
    const outputs = parts(graphOf({ logits: output.logits }), rcps ? ".submodule" : "");
    const program = await openProgram(outputs as Record<string, Sym>, weightsOf(model));
    const results = await program.run(feeds);
    await program.close();
    return results as Record<keyof typeof outputs, NdArray>;
  }

  /**
   * [t, rows, width] as [2, t, width] of the rows from `first` on, with tokens or channels reversed on
   * request.
   */
  function rows(
    { data, shape }: NdArray,
    {
      of,
      first,
      tokens = false,
      channels = false,
    }: { of: number; first: number; tokens?: boolean; channels?: boolean },
  ): NdArray {
    const width = shape.at(-1)!;
    const values = Float32Array.from({ length: 2 * LENGTH * width }, (_, i) => {
      const channel = i % width;
      const token = Math.floor(i / width) % LENGTH;
      const row = first + Math.floor(i / (width * LENGTH));
      const place = (tokens ? LENGTH - 1 - token : token) * of + row;
      return (data as Float32Array)[place * width + (channels ? width - 1 - channel : channel)];
    });
    return { dtype: "float32", shape: [2, LENGTH, width], data: values };
  }

  /** Two rows of a tensor of the scan, which has the rows first: [rows, t, width] → [2, t, width]. */
  function scanned({ data, shape }: NdArray, first: number): NdArray {
    const width = shape.at(-1)!;
    const size = LENGTH * width;
    const values = (data as Float32Array).slice(first * size, (first + 2) * size);
    return { dtype: "float32", shape: [2, LENGTH, width], data: values };
  }

  /** u and z as one tensor. */
  function joined(u: NdArray, z: NdArray): NdArray {
    const width = u.shape[2];
    const data = Float32Array.from({ length: 2 * u.data.length }, (_, i) => {
      const [row, channel] = [Math.floor(i / (2 * width)), i % (2 * width)];
      return ((channel < width ? u : z).data as Float32Array)[row * width + (channel % width)];
    });
    return { dtype: "float32", shape: [2, LENGTH, 2 * width], data };
  }

  test("every step of PS agrees with float64", async () => {
    // The published block reads the other strand's half first; its rows are the second two, in reverse: its
    // backward direction along their tokens is the forward direction here.
    const values = await valuesOf(true);
    const of = 4;
    const turned = (array: NdArray) => rows(array, { of, first: 2, tokens: true });
    const golden: readonly (readonly [NdArray, GoldenTensor])[] = [
      [
        rows(values.norm, { of, first: 2, tokens: true, channels: true }),
        {
          sum: -109.53795,
          squares: 890.36744,
          first: [-1.0272891, -1.0005248, -0.36340662],
          last: [0.98776329, 0.73566523, 1.3973089],
        },
      ],
      [
        joined(turned(values.u), turned(values.z)),
        {
          sum: -308.96254,
          squares: 4966.8477,
          first: [0.072176269, 0.4268547, -0.55727012],
          last: [-1.2400421, -0.071824927, -0.48211225],
        },
      ],
      [
        scanned(values.c, 2),
        {
          sum: 307.86949,
          squares: 474.37352,
          first: [0.059981909, -0.13397764, 0.091069266],
          last: [0.81152251, 0.96837213, -0.21142946],
        },
      ],
      [
        scanned(values.selection, 2),
        {
          sum: 88.080738,
          squares: 323.26281,
          first: [0.20813955, 0.176252, -0.18567132],
          last: [-0.50728368, 0.68372774, -0.23402459],
        },
      ],
      [
        scanned(values.step, 2),
        {
          sum: 691.47132,
          squares: 305.87649,
          first: [0.33592699, 0.20755146, 0.20497538],
          last: [0.26365075, 0.18289139, 0.18477493],
        },
      ],
      [
        scanned(values.s, 2),
        {
          sum: -0.14089971,
          squares: 644.17239,
          first: [-0.00079409568, 0.001095887, -0.00073566683],
          last: [1.3643878, -0.35558808, -0.11591647],
        },
      ],
      [
        turned(values.y),
        {
          sum: -67.376415,
          squares: 281.02145,
          first: [0.0049723955, -0.053323282, -0.00020812316],
          last: [-0.58173811, -0.013882309, 0.056751265],
        },
      ],
    ];
    for (const [array, tensor] of golden) expect(deviation(array, tensor)).toBeLessThan(TOLERANCE);
  });

  test("the scan of Ph agrees with float64", async () => {
    const { s } = await valuesOf(false);
    const golden = {
      sum: -323.383,
      squares: 2642.7397,
      first: [-0.0066764388, -0.016237531, 0.0049027806],
      last: [2.7528063, -0.57752631, 1.0296165],
    };
    expect(deviation(scanned(s, 0), golden)).toBeLessThan(TOLERANCE);
  });
});

describe("with LoRA factors merged into every adapted weight, separately for each direction", () => {
  const RANK = 2;

  function adapted(model: Architecture) {
    let values = 0;
    const weights = weightsOf(model);
    for (const { name, shape, layer } of model.tensors) {
      if (layer === undefined) continue;
      const columns = shape.slice(1).reduce((a, b) => a * b, 1);
      const [tall, wide] = [
        [shape[0], RANK],
        [RANK, columns],
      ];
      const [shapeA, shapeB] = layer === "embedding" ? [tall, wide] : [wide, tall];
      const [seed] = lawOf(name);
      const a = goldenArray(shapeA, 1000 + 2 * seed, 0.25);
      const b = goldenArray(shapeB, 1001 + 2 * seed, 0.25);
      values += a.data.length + b.data.length;
      weights.set(name, mergeLora(weights.get(name)!, { a, b }, { scale: 2, layer }));
    }
    return { weights, values };
  }

  test.each([
    [
      "PS",
      true,
      [0.098832165, 0.14628389, 0.0042450278, -0.10841506],
      { sum: -61.823632, squares: 2122.5365, first: [] },
    ],
    [
      "Ph",
      false,
      [-0.016991811, -0.019239953, 0.10834567, -0.14574561],
      { sum: 45.580387, squares: 1063.9018, first: [] },
    ],
  ] as const)("%s", async (_, rcps, classes, last) => {
    const model = caduceus.architecture(tiny(rcps, 2), "config.json").untied!();
    const { weights, values } = adapted(model);
    expect(values).toBe(1968);
    for (const loops of [true, false]) {
      const results = await outputsOf(model, loops, weights);
      expectClose(results.classes.data as Float32Array, classes);
      expect(deviation(results.last, last)).toBeLessThan(TOLERANCE);
    }
  });
});

test("gradients of both forms agree", async () => {
  const model = caduceus.architecture(tiny(true, 2), "config.json").untied!();
  const trained = model.tensors.filter(({ dtype }) => dtype !== "int64").map(({ name }) => name);
  const gradients = async (loops: boolean) => {
    const { logits } = model.forward({ ids, loops }, "t");
    const loss = reduceSum(mul(logits, logits), [0, 1, 2]);
    const { parameters } = graphOf({ loss });
    const of = trained.map((name) =>
      outputOf(parameters.find(({ attributes }) => attributes.name === name)!),
    );
    const outputs = Object.fromEntries(
      gradientsOf(loss, of).map((gradient, i) => [`d ${trained[i]}`, gradient]),
    );
    const program = await openProgram(outputs, weightsOf(model));
    const results = await program.run(feeds);
    await program.close();
    return results;
  };
  const [loops, attention] = [await gradients(true), await gradients(false)];
  for (const name of trained) {
    const [a, b] = [loops, attention].map((of) => of[`d ${name}`].data as Float32Array);
    const scale = Math.max(...a.map(Math.abs));
    expect(scale, name).toBeGreaterThan(0);
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / scale, name).toBeLessThan(1e-4);
  }
});

describe("the strands", () => {
  const other = (row: readonly number[]) => row.map(complement).reverse();
  const anyRow = fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 24 });

  /** A model with arbitrary weights. */
  async function withRandomWeights(config: Record<string, unknown>, use: (run: Run) => Promise<void>) {
    const model = caduceus.architecture(config, "config.json");
    const head = model.classifier(3);
    const output = model.forward({ ids }, "t");
    const rng = new Pcg64(11);
    const weights = new Map(
      [...model.tensors, ...head.tensors].map((tensor) => {
        const random = () => normal(rng, 0, 0.4);
        const drawn = Float32Array.from({ length: tensor.shape.reduce((a, b) => a * b, 1) }, random);
        const array: NdArray = { dtype: "float32", shape: tensor.shape, data: drawn };
        return [tensor.name, tensor.dtype === "int64" ? weight(tensor) : array];
      }),
    );
    const program = await openProgram(
      { logits: output.logits, last: output.lastHidden, classes: head.logits(output, { ids }) },
      weights,
    );
    const run: Run = async (row) => {
      const results = await program.run({ ids: idsArray([row]) });
      const values = (name: keyof typeof results) => results[name].data as Float32Array;
      return { logits: values("logits"), last: values("last"), classes: values("classes") };
    };
    await use(run).finally(() => program.close());
  }
  type Run = (
    row: readonly number[],
  ) => Promise<Readonly<Record<"logits" | "last" | "classes", Float32Array>>>;

  test.each([2, 3])("PS has equal predictions for both strands, with %i blocks", async (n_layer) => {
    await withRandomWeights(tiny(true, n_layer), async (run) => {
      await fc.assert(
        fc.asyncProperty(anyRow, async (row) => {
          const [here, there] = [await run(row), await run(other(row))];
          const scale = Math.max(1, ...here.logits.map(Math.abs));
          row.forEach((_, t) => {
            for (let v = 0; v < 16; v++) {
              const same = there.logits[(row.length - 1 - t) * 16 + complement(v)];
              expect(Math.abs(here.logits[t * 16 + v] - same)).toBeLessThan(1e-5 * scale);
            }
            for (let channel = 0; channel < 32; channel++) {
              const same = there.last[(row.length - 1 - t) * 32 + 31 - channel];
              expect(Math.abs(here.last[t * 32 + channel] - same)).toBeLessThan(1e-5);
            }
          });
          expectClose(here.classes, [...there.classes]);
        }),
        { numRuns: 30, seed: 5 },
      );
    });
  });

  test("Ph's logits are strand-symmetric only with conjoin_eval", async () => {
    const row = [7, 7, 8, 9, 10, 7, 3, 1];
    await withRandomWeights({ ...tiny(false, 2), conjoin_eval: true }, async (run) => {
      expectClose((await run(row)).classes, [...(await run(other(row))).classes]);
    });
    await withRandomWeights(tiny(false, 2), async (run) => {
      const [here, there] = [await run(row), await run(other(row))];
      expect(Math.abs(here.classes[0] - there.classes[0])).toBeGreaterThan(1e-3);
    });
  });
});

describe("the card", () => {
  const folder = mkdtempSync(join(tmpdir(), "dart-eval-caduceus-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ["ps-131k", 30_937_760, 7_725_312],
    ["ph-131k", 30_934_736, 7_725_312],
    ["ps-1k-d256", 7_747_896, 1_934_592],
    ["ph-1k-d256", 7_746_792, 1_934_592],
    ["ps-1k-d118", 1_892_256, 470_702],
    ["ph-1k-d118", 1_891_152, 470_702],
  ])("an untrained %s has the published file's size in bytes", async (preset, bytes, parameters) => {
    const out = join(folder, preset);
    await initCheckpoint(caduceus, { preset, seed: 3, folder: out });
    expect(statSync(join(out, "model.safetensors")).size).toBe(bytes);
    const { config } = caduceus.checkpoints.find((each) => each.preset === preset)!;
    const counts = caduceus
      .architecture(config, "config.json")
      .tensors.map(({ shape, dtype }) => (dtype === "int64" ? 0 : shape.reduce((a, b) => a * b, 1)));
    expect(counts.reduce((a, b) => a + b, 0)).toBe(parameters);
  });

  test("untrained checkpoints are initialised as in the official code", async () => {
    const out = join(folder, "laws");
    await initCheckpoint(caduceus, { preset: "ps-1k-d256", seed: 3, folder: out });
    await using checkpoint = await openCheckpoint(out);
    const at = "caduceus.backbone.layers.1.mixer.submodule.mamba_rev";
    const values = async (name: string) => [...((await checkpoint.read(name)).data as Float32Array)];
    const range = (of: readonly number[]) => of.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const steps = (await values(`${at}.dt_proj.bias`)).map((bias) => Math.log1p(Math.exp(bias)));
    expect(Math.min(...steps)).toBeGreaterThan(0.000999);
    expect(Math.max(...steps)).toBeLessThan(0.1001);
    expect(steps.filter((step) => step < 0.01).length / steps.length).toBeCloseTo(0.5, 1);
    expect(range(await values(`${at}.dt_proj.weight`))).toBeCloseTo(0.25, 2);
    expect(range(await values(`${at}.conv1d.weight`))).toBeCloseTo(0.5, 2);
    expect(range(await values(`${at}.x_proj.weight`))).toBeCloseTo(0.0442, 3);
    const outputs = await values(`${at.replace("rev", "fwd")}.out_proj.weight`);
    expect(range(outputs)).toBeCloseTo(1 / Math.sqrt(512 * 4), 4);
    const logA = await values(`${at}.A_log`);
    expect([0, 1, 15, 16].map((i) => logA[i])).toEqual(
      [0, 1, 15, 0].map((k) => Math.fround(Math.log(k + 1))),
    );
    expect(new Set(await values(`${at}.D`))).toEqual(new Set([1]));
    const map = (await checkpoint.read("lm_head.complement_map")).data as BigInt64Array;
    expect([...map].map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 10, 9, 8, 7, 11, 12, 13, 14, 15]);
    expect(
      [...checkpoint.arrays.keys()].filter((name) => /mamba_rev\.(in|out)_proj|lm_head\.lm/.test(name)),
    ).toEqual([]);
  });

  test("toys are small, open, embed and score", async () => {
    for (const [preset, width] of [
      ["toy", 64],
      ["toy-ph", 32],
    ] as const) {
      const out = join(folder, preset);
      await initCheckpoint(caduceus, { preset, seed: 0, folder: out });
      expect(statSync(join(out, "model.safetensors")).size).toBeLessThan(300_000);
      const model = await LanguageModel.open(out, [caduceus]);
      const [embedding] = await model.embed(["ACGTN", "GG"], { protocol: "corrected" });
      expect([embedding.tokens, embedding.width]).toEqual([6, width]);
      const [together, alone] = [
        await model.logLikelihood(["ACGTTGCA", "TTGACA"], { protocol: "corrected" }),
        await model.logLikelihood(["TTGACA"], { protocol: "corrected" }),
      ];
      expect(Math.abs(together[1] - alone[0])).toBeLessThan(1e-5 * Math.abs(alone[0]));
      await model.close();
    }
  });

  test("a checkpoint with duplicated tied weights is the same model; different copies are an error", async () => {
    const toy = join(folder, "to-be-tied");
    await initCheckpoint(caduceus, { preset: "toy", seed: 1, folder: toy });
    const model = caduceus.architecture(caduceus.toys.toy, "config.json");
    const untied = model.untied!();
    expect(untied.tensors.length - model.tensors.length).toBe(2 * model.layers);
    await using checkpoint = await openCheckpoint(toy);
    const [tied, apart] = [
      bindParameters(model.tensors, checkpoint, model.ignored),
      bindParameters(untied.tensors, checkpoint, untied.ignored),
    ];
    const name = (direction: string) =>
      `caduceus.backbone.layers.0.mixer.submodule.mamba_${direction}.in_proj.weight`;
    expect(tied.has(name("rev"))).toBe(false);
    expect(apart.get(name("rev"))).toEqual(tied.get(name("fwd")));
    const read = async (from: string, as: string) => ({ ...(await checkpoint.read(from)), name: as });
    const own = await Promise.all([...checkpoint.arrays.keys()].map((each) => read(each, each)));
    const alias = await read(name("fwd"), name("rev"));
    const write = async (folderName: string, second: typeof alias) => {
      const out = join(folder, folderName);
      await writeSafetensors(join(out, "model.safetensors"), [...own, second]);
      writeFileSync(join(out, "config.json"), JSON.stringify(caduceus.toys.toy));
      return LanguageModel.open(out, [caduceus]);
    };
    await (await write("written-out", alias)).close();
    const other = { ...alias, data: (alias.data as Float32Array).with(0, 9) };
    await expect(write("different", other)).rejects.toThrow(/differs/);
  });

  testWithSharedData(
    "reference outputs equal the official code's outputs",
    "checkpoint-vectors/source/geneb-caduceus-ps-131k-cpu-f32.json",
    (file) => {
      const { values } = JSON.parse(readFileSync(file, "utf8")) as { values: number[] };
      const reference = caduceus.referenceOutputs.find(({ preset }) => preset === "ps-131k")!;
      expect(values.length).toBe(512);
      expect(compareWithReference(reference, Float64Array.from(values))).toMatchObject({ agrees: true });
      expect(compareWithReference(reference, Float64Array.from(values)).deviation).toBeLessThan(1e-8);
      expect(compareWithReference(reference, Float64Array.from(values.toReversed()))).toMatchObject({
        agrees: false,
      });
    },
  );

  test("rows per run are limited by memory and cache", () => {
    const rows = (preset: string, tokens: number) => {
      const { config } = caduceus.checkpoints.find((each) => each.preset === preset)!;
      return rowsPerRun(caduceus.architecture(config, "config.json"), tokens);
    };
    expect([rows("ps-131k", 351), rows("ph-131k", 351)]).toEqual([13, 26]);
    expect([rows("ps-131k", 51), rows("ph-131k", 51)]).toEqual([16, 32]);
  });

  test("the error for another model names the key", () => {
    const refuse = (change: object) => () =>
      caduceus.architecture({ ...caduceus.toys.toy, ...change }, "m/config.json");
    expect(refuse({ fused_add_norm: false })).toThrow(/"fused_add_norm" is false/);
    expect(refuse({ bidirectional_strategy: "ew_multiply" })).toThrow(
      /"bidirectional_strategy" is "ew_multiply"/,
    );
    expect(refuse({ d_model: 1e9 })).toThrow(/"d_model" is 1000000000/);
    expect(refuse({ ssm_cfg: { d_state: 0 } })).toThrow(/"ssm_cfg.d_state" is 0/);
    expect(refuse({ complement_map: undefined })).toThrow(/"complement_map" is absent/);
    expect(refuse({ complement_map: { 7: 16 } })).toThrow(
      /"complement_map" is .*expected tokens of the vocabulary/,
    );
  });
});

test("with loops, no value along the row is wider than the inner width", () => {
  const model = caduceus.architecture(tiny(true, 2), "config.json");
  const inside = ({ nodes }: Graph) => nodes.flatMap(({ outputs }) => outputs.map(({ shape }) => shape));
  const widthOver = (shape: Shape) =>
    shape.filter((dim) => typeof dim === "number").reduce((a, b) => a * b, 1);
  const { logits } = model.forward({ ids, loops: true }, "t");
  const long = inside(graphOf({ logits })).filter((shape) => shape.some((dim) => /\bt\b/.test(String(dim))));
  expect(long.length).toBeGreaterThan(20);
  expect(Math.max(...long.map(widthOver))).toBe(32);
});

describe("PlantCaduceus", () => {
  /** The names and complements of its config.json and tokenizer.json, with small sizes. */
  const config = {
    ...caduceus.toys.toy,
    vocab_size: 7,
    complement_map: { 0: 0, 1: 1, 2: 2, 3: 6, 4: 5, 5: 4, 6: 3, 7: 7 },
  };
  let folder = "";
  let model: LanguageModel;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "plant-caduceus-"));
    const card = { ...caduceus, toys: { plant: config } };
    const tokenizer = gpn.tokenizerFiles!({ vocab_size: 7 });
    await initCheckpoint(card, { preset: "plant", seed: 5, folder: join(folder, "plant"), tokenizer });
    model = await LanguageModel.open(join(folder, "plant"), LANGUAGE_MODELS);
  });
  afterAll(async () => {
    await model.close();
    rmSync(folder, { recursive: true });
  });

  test("is a Caduceus whose tokens are bases alone", () => {
    expect(model.family).toBe("caduceus");
    expect([...model.tokenizer.encode("ACGTN").ids]).toEqual([3, 4, 5, 6, 2]);
    expect(model.architecture.vocabulary).toBe(8);
  });

  test("gives a sequence and its reverse complement one likelihood, and mirrored states", async () => {
    const [sequence, reverse] = ["ACCGTTTGAC", "GTCAAACGGT"];
    const [a, b] = await model.logLikelihood([sequence, reverse], { protocol: "corrected" });
    expect(Math.abs(a - b)).toBeLessThan(1e-5);
    const [x, y] = await model.embed([sequence, reverse], { protocol: "corrected" });
    expect([x.tokens, x.width]).toEqual([10, 64]);
    const mirrored = y.states.toReversed();
    const furthest = Math.max(...mirrored.map((value, i) => Math.abs(value - x.states[i])));
    expect(furthest).toBeLessThan(1e-5);
  });
});
