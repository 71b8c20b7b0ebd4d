import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { modelsPage } from "../../scripts/generated-docs.ts";
import { digestFile } from "../../src/base/digest.ts";
import { InputError } from "../../src/base/errors.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { hyenadna } from "../../src/models/language/hyenadna.ts";
import { nucleotideTransformer } from "../../src/models/language/nucleotide-transformer.ts";
import { LanguageModel } from "../../src/models/language-model.ts";
import { verifyModel } from "../../src/models/verify.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** HyenaDNA with weights of these digests as its only published checkpoint, with a reference output. */
const known = (sha256: Readonly<Record<string, string>>): LanguageModelCard => ({
  ...hyenadna,
  checkpoints: [{ preset: "toy", repo: "someone/toy", revision: "main", sha256, config: hyenadna.toys.toy }],
  referenceOutputs: [
    { preset: "toy", description: "ACGT", ids: [7, 8, 9, 10], tolerance: 1e9, mean: { first: [0] } },
  ],
});

async function checksOf(folder: string, card: LanguageModelCard) {
  const model = await LanguageModel.open(folder, [card]);
  try {
    return await verifyModel(model);
  } finally {
    await model.close();
  }
}

test("recognises weights by their digest, in one file or in shards", async () => {
  const folder = temporaryFolder();
  await initCheckpoint(hyenadna, { preset: "toy", seed: 0, folder });
  const whole = join(folder, "model.safetensors");
  expect(await checksOf(folder, known({ "model.safetensors": await digestFile(whole) }))).toHaveLength(1);

  const checkpoint = await openCheckpoint(whole);
  const names = [...checkpoint.arrays.keys()];
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
  const weightMap = Object.fromEntries(names.map((name, i) => [name, shards[i % 2]]));
  for (const shard of shards) {
    const arrays = names
      .filter((name) => weightMap[name] === shard)
      .map((name) => ({
        name,
        dtype: "float32" as const,
        shape: checkpoint.arrays.get(name)!.shape,
        data: async () => (await checkpoint.read(name)).data as Float32Array,
      }));
    await writeSafetensors(join(folder, shard), arrays, {});
  }
  await checkpoint.close();
  renameSync(whole, join(temporaryFolder(), "model.safetensors"));
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
  const digests = await Promise.all(shards.map((shard) => digestFile(join(folder, shard))));
  const sha256 = Object.fromEntries(shards.map((shard, i) => [shard, digests[i]]));
  expect(await checksOf(folder, known(sha256))).toHaveLength(1);

  const another = { ...sha256, [shards[1]]: "0".repeat(64) };
  await expect(checksOf(folder, known(another))).rejects.toThrow(
    /not a checkpoint with a known reference output/,
  );
});

test("the error for a checkpoint without a reference output lists those with one", async () => {
  const folder = temporaryFolder();
  await initCheckpoint(nucleotideTransformer, { preset: "toy", seed: 0, folder });
  const model = await LanguageModel.open(folder, [nucleotideTransformer]);
  const known =
    /outputs are known for v2-50m-multi-species, .*; not for v2-500m-multi-species, 500m-human-ref/;
  const refusal = async (preset?: string) => {
    const error = await verifyModel(model, preset).catch((error: unknown) => error);
    return error instanceof InputError ? error.describe() : String(error);
  };
  expect(await refusal("v2-500m-multi-species")).toMatch(
    /no reference output is known for nucleotide-transformer v2-500m-multi-species/,
  );
  expect(await refusal("v2-500m-multi-species")).toMatch(known);
  expect(await refusal()).toMatch(known);
  await model.close();
});

test("every checkpoint that DART-Eval evaluated has a reference output, except two named in the docs", async () => {
  const without = LANGUAGE_MODELS.flatMap(({ name, checkpoints, referenceOutputs }) =>
    checkpoints
      .filter(
        ({ preset, usedByDartEval }) =>
          usedByDartEval && !referenceOutputs.some((one) => one.preset === preset),
      )
      .map(({ preset }) => `${name}/${preset}`),
  );
  expect(without).toEqual(["mistral-dna/1.6b", "nucleotide-transformer/v2-500m-multi-species"]);
  for (const checkpoint of without) {
    expect(modelsPage()).toMatch(new RegExp(`\\| ${checkpoint} \\|.*\\| yes \\| no known output \\|`));
  }
});
