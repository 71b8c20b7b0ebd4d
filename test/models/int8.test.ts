import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { integerBelow } from "../../src/base/random.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { openModel } from "../../src/models/open-model.ts";
import { checkExactProducts } from "../../src/net/runtime/integer-products.ts";

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

describe("a model without the requested precision", () => {
  const int8 = { precision: "int8" } as const;

  test.each(["kmer-markov", "toy:chrombpnet", "probing-head-like"])("%s is refused", async (name) => {
    await expect(openModel(name, int8)).rejects.toThrow(`the model "${name}" cannot be opened in int8`);
  });

  test("int8 runs on the CPU alone", async () => {
    const opened = openModel("toy:hyenadna", { ...int8, device: "webgpu" });
    await expect(opened).rejects.toThrow("int8 runs on the CPU, and the device webgpu was requested");
  });
});
