import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { integerBelow } from "../../src/base/random.ts";
import { openCheckpointFolder } from "../../src/models/checkpoints/checkpoint-folder.ts";
import { LANGUAGE_MODELS, languageModelCard } from "../../src/models/language/catalogue.ts";
import { toyFolder } from "../../src/models/open-checkpoint.ts";
import { openModel } from "../../src/models/open-model.ts";
import { causalLogLikelihoods } from "../../src/models/queries/causal-likelihood.ts";
import { tokenStates } from "../../src/models/queries/embeddings.ts";
import { maskedLogLikelihoods } from "../../src/models/queries/masked-likelihood.ts";
import { checkHalfRange, inPrecision, Programs } from "../../src/models/queries/programs.ts";
import { checkExactProducts } from "../../src/net/runtime/precision-device.ts";

const isExact = await checkExactProducts().then(
  () => true,
  () => false,
);
const families = LANGUAGE_MODELS.filter(({ toy }) => toy).map(({ name }) => name);
const rng = new Pcg64(9);
const sequences = Array.from({ length: 6 }, () =>
  Array.from({ length: 60 }, () => "ACGT"[integerBelow(rng, 4)]).join(""),
);

/** Root mean square of the difference, divided by that of the deviations from the mean. */
function relativeError(values: ArrayLike<number>, exact: ArrayLike<number>): number {
  const mean = Array.from(exact).reduce((sum, value) => sum + value, 0) / exact.length;
  let [error, norm] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error += (values[i] - exact[i]) ** 2;
    norm += (exact[i] - mean) ** 2;
  }
  return Math.sqrt(error / norm);
}

describe.skipIf(!isExact)("int8 [needs a CPU with exact 8-bit products]", () => {
  test.each(families)(
    "%s differs from float32 by less than a twentieth in states, and little in log-likelihoods",
    async (family) => {
      const [exact, rounded] = await Promise.all(
        (["f32", "int8"] as const).map((precision) => openModel(`toy:${family}`, { threads: 1, precision })),
      );
      expect([exact.precision, rounded.precision]).toEqual([undefined, "int8"]);
      expect(rounded.identity).toBe(`${exact.identity} int8`);
      const [exactStates, roundedStates] = await Promise.all(
        [exact, rounded].map(async (model) =>
          (await model.embed(sequences)).flatMap(({ states }) => [...states]),
        ),
      );
      const error = relativeError(roundedStates, exactStates);
      expect(error).toBeGreaterThan(1e-4);
      expect(error).toBeLessThan(0.05);
      const scores = await Promise.all(
        [exact, rounded].map(async (model) => Float64Array.from(await model.logLikelihood(sequences))),
      );
      const perBase = Math.max(...scores[0].map((score, i) => Math.abs(score - scores[1][i]))) / 60;
      expect(perBase).toBeLessThan(0.05);
      const twin = await rounded.inFloat32!();
      expect([twin.identity, twin.precision]).toEqual([exact.identity, undefined]);
      expect(await twin.logLikelihood!(sequences, { protocol: "corrected" })).toEqual(scores[0]);
      for (const model of [exact, rounded, twin]) await model.close?.();
    },
  );
});

describe("f16", () => {
  // The CPU provider removes most casts to float16, so differences are smaller than on a GPU; the layers of
  // each family are replaced as on a GPU.
  test.each(families)("%s with the products of its layers in float16 keeps its scores", async (family) => {
    const card = languageModelCard(family);
    const { architecture, tokenizer, parameters, read, close } = await openCheckpointFolder(
      await toyFolder(family),
      [card],
    );
    const half = inPrecision(architecture, "f16");
    const rows = sequences.map((bases) => tokenizer.encode(bases));
    const [exact, rounded] = await Promise.all(
      [architecture, half].map(async (of) => {
        const programs = new Programs(of, parameters, read, { threads: 1 });
        const query = { kind: card.kind, programs, tokenizer, architecture: of };
        const score = card.kind === "masked" ? maskedLogLikelihoods : causalLogLikelihoods;
        const scores = await score(query, rows, {});
        const states = (await tokenStates(query, rows, { protocol: "corrected" })).flatMap((each) => [
          ...each.states,
        ]);
        await programs.close();
        return { scores, states };
      }),
    );
    await close();
    expect(relativeError(rounded.states, exact.states)).toBeLessThan(0.005);
    const differences = exact.scores.map((score, i) => Math.abs(score - rounded.scores[i]));
    expect(Math.max(...differences) / 60).toBeLessThan(0.005);
  });

  test("with an output that is not finite ends with an error", () => {
    const outputs = (values: readonly number[]) => ({
      likelihoods: { dtype: "float32", shape: [1, 2], data: Float32Array.from(values) } as const,
    });
    expect(() => checkHalfRange(outputs([-1, -2]))).not.toThrow();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => checkHalfRange(outputs([-1, value]))).toThrow(
        `the model's output "likelihoods" has ${value} in f16: activations beyond ±65,504 become infinite`,
      );
    }
  });
});

describe("a model without the requested precision", () => {
  const int8 = { precision: "int8" } as const;

  test.each(["kmer-markov", "toy:chrombpnet", "probing-head-like"])("%s is refused", async (name) => {
    await expect(openModel(name, int8)).rejects.toThrow(`the model "${name}" cannot be opened in int8`);
  });

  test("int8 runs on the CPU alone", async () => {
    const opened = openModel("toy:hyenadna", { ...int8, device: "webgpu" });
    await expect(opened).rejects.toThrow("int8 runs on the CPU, and the device webgpu was requested");
  });

  test.each([
    ["cpu", "the device is cpu: a CPU is not faster in 16 bits"],
    ["coreml", "the device is coreml: coreml selects its own precision"],
  ] as const)("f16 does not run on %s", async (device, message) => {
    const opened = openModel("toy:hyenadna", { precision: "f16", device });
    await expect(opened).rejects.toThrow(`f16 runs on webgpu and cuda, and ${message}`);
  });
});
