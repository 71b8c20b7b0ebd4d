import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { addExperts } from "../../../src/models/language/blocks/mixture-of-experts.ts";
import { mistralDna } from "../../../src/models/language/mistral-dna.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { causalLogLikelihoods } from "../../../src/models/queries/causal-likelihood.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { constant, input } from "../../../src/net/graph/build.ts";
import type { Graph } from "../../../src/net/graph/graph.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { printGraph } from "../../../src/net/graph/print.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import type { GoldenTensor } from "../golden-weights.ts";
import { deviation } from "../golden-weights.ts";
import { hashedWeights, withHashedLora } from "../hashed-weights.ts";
import { tinyQuery, tokensOf } from "../tiny-query.ts";
import { parameterCount } from "./golden-encoder.ts";

// Golden values: float64 evaluation of the published equations (transformers 4.37.1 agrees within 1e-6).

const TINY = {
  model_type: "mixtral",
  vocab_size: 24,
  hidden_size: 32,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_local_experts: 4,
  num_experts_per_tok: 1,
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
  sliding_window: null,
};
const ROWS = [
  [1, 5, 6, 7, 8, 9, 2],
  [1, 10, 11, 12, 2, 3, 3],
];
const TOKENS = 7;

const EMBEDDED: GoldenTensor = {
  sum: -3.3547921,
  squares: 9.4696026,
  first: [-0.22608551, 0.22384763, 0.097731836],
  last: [0.18302204, 0.2495122, 0.044319652],
};

interface Golden {
  readonly tensors: Readonly<Record<string, GoldenTensor>>;
  readonly likelihoods: readonly number[];
  readonly classes: readonly number[];
  readonly lora: readonly number[];
  /** Expert of each token, by layer: without and with LoRA. */
  readonly experts?: readonly string[];
  readonly loraExperts?: readonly string[];
}

/** Golden values by the number of experts per token. */
const GOLDEN: Readonly<Record<number, Golden>> = {
  1: {
    tensors: {
      hidden1: {
        sum: -21.366467,
        squares: 171.40935,
        first: [0.86883475, 1.0026403, 2.5164556],
        last: [0.17494466, -0.2751959, -0.14441541],
      },
      hidden2: {
        sum: 9.3531831,
        squares: 483.6808,
        first: [0.1919117, 0.78010493, 3.3186718],
        last: [0.95417527, -0.81026958, -0.27106027],
      },
      logits: {
        sum: -18.454712,
        squares: 184.4242,
        first: [-1.7459376, 0.55526808, -0.052424402],
        last: [0.86170203, 0.51098414, 0.3026598],
      },
    },
    likelihoods: [-18.3120133, -10.2992659],
    classes: [0.22088344, 0.07957453, -0.85335462, -0.37682424, -0.86354108, -0.95194944],
    lora: [0.36249124, -0.50076404, -1.47386819, 0.47399106, 0.24961179, -0.35632323],
    experts: ["3 2 2 2 2 2 2 3 3 1 0 2 1 1", "3 1 0 0 0 0 0 3 1 1 0 1 3 0"],
    loraExperts: ["3 2 2 2 0 2 0 3 3 0 0 0 2 0", "1 1 0 0 0 0 0 1 1 3 0 1 1 0"],
  },
  2: {
    tensors: {
      hidden1: {
        sum: -20.080057,
        squares: 153.65049,
        first: [0.66645405, 1.1964364, 2.1655004],
        last: [0.15418958, -0.27870611, -0.0042138292],
      },
      hidden2: {
        sum: 17.673586,
        squares: 472.33441,
        first: [0.25390396, 0.82506324, 3.1822415],
        last: [1.1856961, -0.89204921, 0.074534602],
      },
      logits: {
        sum: -23.445866,
        squares: 176.77234,
        first: [-1.3819455, 0.1468368, -0.093177838],
        last: [0.96106935, 0.25043502, 0.13603905],
      },
    },
    likelihoods: [-17.560808, -10.8782456],
    classes: [0.18470625, -0.166983, -1.26649616, -0.15073005, -0.95186263, -1.7453487],
    lora: [0.54924215, -0.44032542, -0.87260899, 0.10582388, 0.10707994, -0.8269508],
  },
};
/** float32 against float64 */
const TOLERANCE = 2e-6;

const ids: NdArray = { dtype: "int32", shape: [2, TOKENS], data: Int32Array.from(ROWS.flat()) };
const maskOf = (rows: readonly (readonly number[])[], seen: (id: number) => boolean): NdArray => ({
  dtype: "float32",
  shape: [rows.length, rows[0].length],
  data: Float32Array.from(rows.flat(), (id) => Number(seen(id))),
});
const mask = maskOf(ROWS, (id) => id !== 3);
const ones = maskOf(ROWS, () => true);
const given = { ids: input("ids", "int32", ["b", "t"]), mask: input("mask", "float32", ["b", "t"]) };

/** The expert that each layer's router prefers for each token. */
function expertsOf(graph: Graph): Record<string, Sym> {
  const routers = graph.nodes.filter(({ op }) => op === "TopK");
  return Object.fromEntries(
    routers.map((node, i) => [`experts${i}`, { node, output: 1, ...node.outputs[1] } as Sym]),
  );
}
const written = ({ data }: NdArray) => Array.from(data as BigInt64Array).join(" ");

function worst(array: NdArray, golden: readonly number[]): number {
  return Math.max(...golden.map((value, i) => Math.abs((array.data[i] as number) - value)));
}

describe.each([1, 2])("Mistral-DNA, tiny golden model, experts per token: %i", (perToken) => {
  const golden = GOLDEN[perToken];
  const model = mistralDna.architecture({ ...TINY, num_experts_per_tok: perToken }, "config.json");
  const weights = hashedWeights(model.tensors);
  const head = model.classifier(3);
  const headWeights = hashedWeights(head.tensors);
  const output = model.forward(given, "t");
  const [hidden0, hidden1, hidden2] = output.hiddenStates;
  const classes = head.logits(output, given);
  const { logits } = output;
  const asked = { hidden0, hidden1, hidden2, logits, classes };
  const outputs = { ...asked, ...expertsOf(graphOf(asked)) };
  let results: Readonly<Record<string, NdArray>>;
  let masked: Readonly<Record<string, NdArray>>;

  beforeAll(async () => {
    const program = await openProgram(outputs, new Map([...weights, ...headWeights]));
    results = await program.run({ ids, mask: ones });
    masked = await program.run({ ids, mask });
    await program.close();
  });

  test("weights equal those of the golden run", () => {
    const words = weights.get("model.embed_tokens.weight")!.data as Float32Array;
    expect(Array.from(words.subarray(160, 164), (value) => value.toFixed(6))).toEqual([
      "-0.148087",
      "-0.239753",
      "0.092427",
      "0.150924",
    ]);
  });

  test.each(Object.keys(golden.tensors))("%s agrees with float64", (name) => {
    expect(deviation(results[name], golden.tensors[name])).toBeLessThan(TOLERANCE);
  });

  test("the embeddings agree with float64", () => {
    expect(deviation(results.hidden0, EMBEDDED)).toBeLessThan(TOLERANCE);
  });

  if (golden.experts !== undefined) {
    test("routing equals the golden run", () => {
      // routing of padding depends on the mask, which equals the golden run's
      expect([written(masked.experts0), written(masked.experts1)]).toEqual(golden.experts);
    });

    test("one token's state and logits", () => {
      const from = (array: NdArray, width: number) => {
        const at = (TOKENS + 2) * width; // row 1, token 2
        return { ...array, data: (array.data as Float32Array).subarray(at, at + width) };
      };
      const state = [0.633507, 0.849933, 1.559555, 1.477364];
      const guess = [-0.732313, 0.228711, 0.445894, 0.585649, 0.944121];
      expect(worst(from(results.hidden2, 32), state)).toBeLessThan(TOLERANCE);
      expect(worst(from(results.logits, 24), guess)).toBeLessThan(TOLERANCE);
    });
  }

  test("classifier logits, read at [SEP], with and without a mask", () => {
    expect(worst(masked.classes, golden.classes)).toBeLessThan(TOLERANCE);
    expect(worst(results.classes, golden.classes)).toBeLessThan(TOLERANCE);
  });

  test("padding on the right changes no real token's state", () => {
    const real = 12 * 32; // row 0 whole, then five tokens of row 1
    const of = ({ hidden2: states }: typeof results) => (states.data as Float32Array).slice(0, real);
    expect(of(masked)).toEqual(of(results));
  });

  test("with LoRA factors merged into every adapted weight, including router and experts", async () => {
    const { merged, modules, values } = withHashedLora(weights, model.tensors, {
      rank: 2,
      scale: 2,
      adapt: (name) => name.startsWith("model."),
    });
    expect([modules, values]).toEqual([1 + 2 * (5 + 3 * 4), 3840]);
    const program = await openProgram<string>(outputs, new Map([...merged, ...headWeights]));
    const adapted = await program.run({ ids, mask });
    await program.close();
    expect(worst(adapted.classes, golden.lora)).toBeLessThan(TOLERANCE);
    if (golden.loraExperts === undefined) return;
    expect([written(adapted.experts0), written(adapted.experts1)]).toEqual(golden.loraExperts);
  });

  describe("likelihoods", () => {
    const query = tinyQuery(
      model,
      weights,
      { special: { cls: 1, sep: 2, pad: 3, mask: 4 }, before: [1], after: [2] },
      "causal",
    );
    afterAll(() => query.close());

    test("causal log-likelihood", async () => {
      const rows = [tokensOf(ROWS[0]), tokensOf(ROWS[1].slice(0, 5))];
      const totals = await causalLogLikelihoods(query, rows, { protocol: "corrected" });
      golden.likelihoods.forEach((value, i) => {
        expect(Math.abs(totals[i] - value)).toBeLessThan(1e-5);
      });
    });
  });

  test("the last layer for one token equals the full pass", async () => {
    const positions = input("positions", "int32", ["b"]);
    const { logits: one } = model.forwardAt!(given, positions, "t");
    const program = await openProgram({ one }, weights);
    const at = [4, 2];
    const answer = await program.run({
      ids,
      mask: ones,
      positions: { dtype: "int32", shape: [2], data: Int32Array.from(at) },
    });
    await program.close();
    const all = results.logits.data as Float32Array;
    const expected = at.flatMap((place, row) => [
      ...all.subarray((row * TOKENS + place) * 24, (row * TOKENS + place + 1) * 24),
    ]);
    expect(worst(answer.one, expected)).toBeLessThan(1e-6);
  });
});

/** By scripts/golden/mistral_dna.py: the Mixtral class of Transformers in float64. */
const wide = JSON.parse(readFileSync(new URL("../../golden/mistral-dna.json", import.meta.url), "utf8")) as {
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  readonly last_hidden: readonly number[];
  readonly logits: readonly number[];
};

test("a sliding window, shared keys, wide heads, three experts per token", async () => {
  const model = mistralDna.architecture(wide.config, "config.json");
  const { lastHidden, logits } = model.forward(given, "t");
  const program = await openProgram({ lastHidden, logits }, hashedWeights(model.tensors));
  const shape = [wide.rows.length, wide.rows[0].length];
  const results = await program.run({
    ids: { dtype: "int32", shape, data: Int32Array.from(wide.rows.flat()) },
    mask: { dtype: "float32", shape, data: Float32Array.from(wide.mask.flat()) },
  });
  await program.close();
  expect(wide.last_hidden.length).toBe(14 * 32);
  expect(worst(results.lastHidden, wide.last_hidden)).toBeLessThan(TOLERANCE);
  expect(worst(results.logits, wide.logits)).toBeLessThan(TOLERANCE);
});

test("one layer with two experts prints as a page", () => {
  const model = mistralDna.architecture(
    { ...TINY, num_hidden_layers: 1, num_local_experts: 2 },
    "config.json",
  );
  const text = printGraph(graphOf({ hidden: model.forward(given, "t").lastHidden }));
  expect(text).toMatchSnapshot();
  expect(text.split("\n").length).toBeLessThan(120);
});

test("a checkpoint fine-tuned for classification has states but no logits", () => {
  const config = { ...TINY, architectures: ["MixtralForSequenceClassification"] };
  const model = mistralDna.architecture(config, "config.json");
  expect(model.tensors.map(({ name }) => name)).not.toContain("lm_head.weight");
  const output = model.forward(given, "t");
  expect(output.lastHidden.shape).toEqual(["b", "t", 32]);
  expect(() => output.logits).toThrow(/fine-tuned for classification and has no language-model head/);
});

test("idle experts do not change the results", async () => {
  const model = mistralDna.architecture(TINY, "config.json");
  const program = await openProgram(
    { logits: model.forward(given, "t").logits },
    hashedWeights(model.tensors),
  );
  const run = (row: readonly number[]) =>
    program.run({
      ids: { dtype: "int32", shape: [1, row.length], data: Int32Array.from(row) },
      mask: maskOf([row], () => true),
    });
  const [one, longer] = [await run([1]), await run([1, 5, 6])];
  await program.close();
  expect(worst(one.logits, [...(longer.logits.data as Float32Array).subarray(0, 24)])).toBeLessThan(1e-6);
});

test("an untrained toy is small, opens from its folder, and its scores depend on the sequence alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dart-eval-mistral-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await initCheckpoint(mistralDna, { preset: "toy", seed: 0, folder: join(folder, "toy") });
  const bytes = readdirSync(join(folder, "toy")).map((name) => statSync(join(folder, "toy", name)).size);
  expect(bytes.reduce((a, b) => a + b, 0)).toBeLessThan(300_000);
  const model = await LanguageModel.open(join(folder, "toy"), [mistralDna]);
  onTestFinished(() => model.close());
  const sequences = ["ACGTACGTTGCA", "TTTTACG", "G", "ACGTACGTTGCC"];
  const together = await model.logLikelihood(sequences, { protocol: "corrected" });
  for (const [i, sequence] of sequences.entries()) {
    const [alone] = await model.logLikelihood([sequence], { protocol: "corrected" });
    expect(alone).toBeLessThan(0);
    expect(Math.abs(alone - together[i])).toBeLessThanOrEqual(1e-5 * Math.abs(alone));
  }
});

test("the error for an invalid size names the key", () => {
  const refuse = (change: object) => () => mistralDna.architecture({ ...TINY, ...change }, "m/config.json");
  expect(refuse({ num_key_value_heads: 3 })).toThrow(/"num_key_value_heads" is 3: expected a divisor/);
  expect(refuse({ num_experts_per_tok: 5 })).toThrow(/"num_experts_per_tok" is 5: expected no more than/);
  expect(refuse({ head_dim: 3 })).toThrow(/expected heads of even width/);
  expect(refuse({ hidden_size: 33 })).toThrow(/expected heads of even width/);
  expect(refuse({ hidden_act: "gelu" })).toThrow(/"hidden_act" is "gelu"/);
  expect(refuse({ num_local_experts: 0 })).toThrow(/"num_local_experts" is 0/);
  expect(refuse({ rope_theta: undefined })).toThrow(/"rope_theta" is absent/);
});

test("the published sizes have the published numbers of tensors and of parameters", () => {
  const { checkpoints } = mistralDna;
  const of = (preset: string) =>
    mistralDna.architecture(checkpoints.find((each) => each.preset === preset)!.config, "config.json");
  expect(parameterCount(of("1m"))).toBe(985_664);
  expect(parameterCount(of("17m"))).toBe(16_797_952);
  expect(parameterCount(of("138m"))).toBe(138_474_240);
  expect(parameterCount(of("422m"))).toBe(421_589_760);
  expect(parameterCount(of("1.6b"))).toBe(1_610_822_400);
  expect(of("1.6b").tensors.length).toBe(8 * (7 + 3 * 32) + 3);
  expect(checkpoints.filter(({ usedByDartEval }) => usedByDartEval).map(({ repo }) => repo)).toEqual([
    "RaphaelMourad/Mistral-DNA-v1-1.6B-hg38",
  ]);
});

test.each([1, 2])("NaN in a router with %d expert(s) per token makes the states NaN", async (perToken) => {
  const width = 8;
  const values = (n: number, step: number) =>
    Float32Array.from({ length: n }, (_, i) => Math.sin(step * (i + 1)));
  const weight = (rows: number, columns: number, step: number) => ({
    weight: constant({ dtype: "float32", shape: [rows, columns], data: values(rows * columns, step) }),
  });
  const experts = [1, 2, 3, 4].map((e) => ({
    w1: weight(6, width, e),
    w2: weight(width, 6, e / 2),
    w3: weight(6, width, e / 3),
  }));
  for (const row of [0, 1, 2, 3, undefined]) {
    const router = values(4 * width, 5);
    if (row !== undefined) router[row * width] = Number.NaN;
    const routed = { weight: constant({ dtype: "float32", shape: [4, width], data: router }) };
    const y = input("y", "float32", ["n", width]);
    const program = await openProgram({
      sum: addExperts({ router: routed, experts }, y, y, { perToken, layer: "0" }),
    });
    const results = await program.run({
      y: { dtype: "float32", shape: [5, width], data: values(5 * width, 7) },
    });
    await program.close();
    const sum = [...(results.sum.data as Float32Array)];
    expect(sum.every(Number.isNaN), `row ${row}`).toBe(row !== undefined);
    if (row === undefined) expect(sum.every(Number.isFinite)).toBe(true);
  }
});
