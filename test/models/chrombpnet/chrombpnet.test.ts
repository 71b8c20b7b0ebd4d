import { expect, test } from "vitest";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplement } from "../../../src/dna/sequence/reverse-complement.ts";
import { Chrombpnet, openChrombpnet } from "../../../src/models/chrombpnet/chrombpnet.ts";
import { expectedProfile } from "../../../src/models/chrombpnet/predictor.ts";
import { type GoldenName, golden, goldenFile } from "./golden-files.ts";

const contents = { bias: "bias", nobias: "no-bias", chrombpnet: "combined" } as const;
const cases = (["bias", "nobias", "chrombpnet"] as const).flatMap((name) =>
  ([2, 3] as const).map((keras) => [name, keras] as const),
);
const codes = golden.sequences.map(codesOf);

test.each(cases)("%s as Keras %i wrote it predicts what Keras predicts", async (name: GoldenName, keras) => {
  const model = await Chrombpnet.open(goldenFile(name, keras));
  expect(model.contents).toBe(contents[name]);
  expect([model.inputLength, model.outputLength]).toEqual([300, 120]);
  const expected = golden[name];
  const deviations = (await model.predict(codes)).flatMap(({ logits, logCounts }, i) => [
    Math.abs(logCounts - expected.logCounts[i]),
    ...Array.from(logits, (logit, t) => Math.abs(logit - expected.logits[i][t])),
  ]);
  expect(deviations).toHaveLength(3 * 121);
  expect(Math.max(...deviations)).toBeLessThan(2e-6); // float32; measured 5.4e-7
  const activity = await model.predictActivity(golden.sequences, { protocol: "paper" });
  expect(activity[2]).toBeCloseTo(expected.logCounts[2], 5);
  await model.close();
});

test("a profile follows the softmax and sums to the exponential of the log counts", () => {
  const profile = expectedProfile({
    logits: Float32Array.of(1000, 1000 + Math.log(3)),
    logCounts: Math.log(8),
  });
  expect(profile[0]).toBeCloseTo(2, 3);
  expect(profile[1]).toBeCloseTo(6, 3);
});

test("averaged over both strands, a sequence and its reverse complement get mirrored profiles and the same counts", async () => {
  const path = goldenFile("chrombpnet");
  const model = await Chrombpnet.open(path, { strands: "both" });
  const [forward] = await model.predict([codes[0]]);
  const [reverse] = await model.predict([codesOf(reverseComplement(golden.sequences[0]))]);
  expect(reverse.logCounts).toBeCloseTo(forward.logCounts, 5);
  expect(
    Math.max(...reverse.logits.toReversed().map((logit, i) => Math.abs(logit - forward.logits[i]))),
  ).toBeLessThan(1e-5);
  const one = await Chrombpnet.open(path);
  expect(one.identity).not.toBe(model.identity);
  expect((await one.predict([codes[0]]))[0].logCounts).not.toBe(forward.logCounts);
});

test("a sequence of another length is an error", async () => {
  const model = await Chrombpnet.open(goldenFile("bias"));
  await expect(model.predictActivity(["ACGT"], { protocol: "paper" })).rejects.toThrow(
    "the model reads 300 bases, but a sequence has 4",
  );
  await expect(openChrombpnet("chrombpnet:strands=three,x.h5", {})).rejects.toThrow(/is not a ChromBPNet/);
});
