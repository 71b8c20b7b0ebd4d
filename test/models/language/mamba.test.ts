import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { mamba } from "../../../src/models/language/mamba.ts";
import { mamba2 } from "../../../src/models/language/mamba2.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { input } from "../../../src/net/graph/build.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { deviation } from "../golden-weights.ts";
import { hashedWeights } from "../hashed-weights.ts";

test.each([
  ["mamba", mamba],
  ["mamba-untied", mamba],
  ["mamba2", mamba2],
  ["mamba2-tied", mamba2],
] as const)("%s without loops agrees with Transformers, as on a GPU", async (name, card) => {
  const file = new URL(`../../golden/architectures/${name}.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(file, "utf8"));
  const model = card.architecture(golden.config, "config.json");
  const given = {
    ids: input("ids", "int32", ["b", "t"]),
    mask: input("mask", "float32", ["b", "t"]),
    loops: false,
  };
  const { logits, lastHidden } = model.forward(given, "t");
  const program = await openProgram({ logits, lastHidden }, hashedWeights(model.tensors));
  onTestFinished(() => program.close());
  const shape = [2, 7];
  const outputs = await program.run({
    ids: { dtype: "int32", shape, data: Int32Array.from(golden.rows.flat()) },
    mask: { dtype: "float32", shape, data: Float32Array.from(golden.mask.flat()) },
  });
  expect(deviation(outputs.logits, golden.masked.logits)).toBeLessThan(2e-6);
  const last = golden.masked[`hidden${golden.config.num_hidden_layers}`];
  expect(deviation(outputs.lastHidden, last)).toBeLessThan(2e-6);
});

test("the limit of time steps, with Infinity as Python and as Transformers 5 write it", async () => {
  const folder = temporaryFolder();
  await initCheckpoint(mamba2, { preset: "toy", seed: 1, folder });
  const path = join(folder, "config.json");
  const config = readFileSync(path, "utf8").trim().replace(/\}$/, "");
  const scoreWith = async (limit: string) => {
    writeFileSync(path, `${config}, "time_step_limit": [0.0, ${limit}]}`);
    const model = await LanguageModel.open(folder, [mamba2]);
    const [score] = await model.logLikelihood(["ACGTTGCA"], { protocol: "corrected" });
    await model.close();
    return score;
  };
  const endless = await scoreWith("Infinity");
  expect(endless).toBeLessThan(0);
  expect(await scoreWith('{"__float__": "Infinity"}')).toBe(endless);
  expect(await scoreWith("0.001")).not.toBe(endless);
});
