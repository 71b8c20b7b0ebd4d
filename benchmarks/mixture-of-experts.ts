import { Pcg64 } from "../src/base/pcg64.ts";
import type { MixtureOfExperts } from "../src/models/language/blocks/mixture-of-experts.ts";
import { addExperts } from "../src/models/language/blocks/mixture-of-experts.ts";
import type { NdArray } from "../src/net/arrays/array.ts";
import {
  add,
  equal,
  gather,
  input,
  matMul,
  mul,
  parameter,
  reduceSum,
  reshape,
  silu,
  softmax,
  squeeze,
  topK,
  unsqueeze,
  where,
} from "../src/net/graph/build.ts";
import { graphOf } from "../src/net/graph/graph.ts";
import type { Sym } from "../src/net/graph/sym.ts";
import { linear } from "../src/net/nn/linear.ts";
import { openProgram } from "../src/net/runtime/program.ts";

/** One way to evaluate a mixture of experts, on one thread. */
export interface MixtureSpeed {
  readonly experts: number;
  readonly perToken: number;
  readonly tokens: number;
  readonly way: "routed tokens" | "all tokens, masked" | "copied weights";
  /** CPU time of one layer, median of rounds. */
  readonly milliseconds: number;
  /** Rate of the chosen experts' arithmetic. */
  readonly usefulGflops: number;
  /** Rate of one dense layer of an expert's size over all these tokens, in the same process. */
  readonly denseLayerGflops: number;
}

/** Sizes of a layer of Mistral-DNA v1 422M and 1.6B. */
const WIDTH = 768;
const INNER = 2688;
const ROUNDS = 5;
/** Above it the copies of the weights take gigabytes. */
const MAX_COPIES = 16;

/**
 * A mixture of experts at the sizes of Mistral-DNA: each expert computing its own tokens, as the models do;
 * every expert computing all tokens and a mask choosing; every token taking a copy of its expert's weights.
 */
export async function benchmark(): Promise<readonly MixtureSpeed[]> {
  const speeds: MixtureSpeed[] = [];
  for (const [experts, perToken] of [
    [8, 1],
    [32, 2],
  ] as const) {
    for (const tokens of [1, 8, 77, 2464]) speeds.push(...(await compare(experts, perToken, tokens)));
  }
  return speeds;
}

async function compare(experts: number, perToken: number, tokens: number): Promise<readonly MixtureSpeed[]> {
  const x = input("x", "float32", ["n", WIDTH]);
  const p: MixtureOfExperts = {
    router: { weight: parameter("router", [experts, WIDTH]) },
    experts: Array.from({ length: experts }, (_, e) => ({
      w1: { weight: parameter(`w1.${e}`, [INNER, WIDTH]) },
      w2: { weight: parameter(`w2.${e}`, [WIDTH, INNER]) },
      w3: { weight: parameter(`w3.${e}`, [INNER, WIDTH]) },
    })),
  };
  const ways: Partial<Record<MixtureSpeed["way"], Sym>> = {
    "routed tokens": addExperts(p, x, x, { perToken, layer: "0" }),
    "all tokens, masked": allTokens(p, x, perToken),
    ...(tokens * perToken <= MAX_COPIES ? { "copied weights": ownCopies(experts, x, perToken) } : {}),
  };
  const useful = 6 * WIDTH * INNER * tokens * perToken;
  const denseMs = await milliseconds(linear(p.experts[0].w1, x), tokens);
  const denseLayerGflops = (2 * WIDTH * INNER * tokens) / denseMs / 1e6;
  const speeds: MixtureSpeed[] = [];
  for (const [way, sym] of Object.entries(ways) as [MixtureSpeed["way"], Sym][]) {
    const ms = await milliseconds(sym, tokens);
    const usefulGflops = useful / ms / 1e6;
    speeds.push({ experts, perToken, tokens, way, milliseconds: ms, usefulGflops, denseLayerGflops });
  }
  return speeds;
}

/** x + Σ_e p_e·expert_e(y) with p_e = 0 for all but the k chosen. */
function allTokens({ router, experts }: MixtureOfExperts, x: Sym, k: number): Sym {
  const { values, indices } = topK(linear(router, x), k);
  const weights = softmax(values);
  return experts.reduce((sum, { w1, w2, w3 }, e) => {
    const weight = reduceSum(where(equal(indices, e), weights, 0), [1], { keepDims: true });
    return add(sum, mul(linear(w2, mul(silu(linear(w1, x)), linear(w3, x))), weight));
  }, x);
}

/** The same with stacked weights, from which each token gathers those of its experts. */
function ownCopies(experts: number, x: Sym, k: number): Sym {
  const { values, indices } = topK(linear({ weight: parameter("router", [experts, WIDTH]) }, x), k);
  const of = (name: string, rows: number, columns: number) =>
    gather(parameter(name, [experts, rows, columns]), reshape(indices, ["n", k])); // [n, k, rows, columns]
  const y = reshape(x, ["n", 1, WIDTH, 1]);
  const inner = mul(
    silu(matMul(of("stacked.w1", INNER, WIDTH), y)),
    matMul(of("stacked.w3", INNER, WIDTH), y),
  );
  const outer = squeeze(matMul(of("stacked.w2", WIDTH, INNER), inner), 3); // [n, k, d]
  return add(x, reduceSum(mul(outer, unsqueeze(softmax(values), 2)), [1]));
}

async function milliseconds(result: Sym, tokens: number): Promise<number> {
  const rng = new Pcg64(8);
  const random = (shape: readonly number[], scale: number): NdArray => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) data[i] = scale * (rng.nextUint32() / 2 ** 31 - 1);
    return { dtype: "float32", shape, data };
  };
  const weights = new Map(
    graphOf({ result }).parameters.map(({ attributes: { name, shape } }) => [name, random(shape, 0.035)]),
  );
  const program = await openProgram({ result }, weights, { threads: 1 });
  const x = random([tokens, WIDTH], 1.7);
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    await program.run({ x });
    const { user, system } = process.cpuUsage(start);
    if (round >= 0) times.push((user + system) / 1e3);
  }
  await program.close();
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}
