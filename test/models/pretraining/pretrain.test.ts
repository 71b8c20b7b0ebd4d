import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow } from "../../../src/base/random.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import type { LanguageModelCard } from "../../../src/models/language/card.ts";
import { LANGUAGE_MODELS, languageModelCard } from "../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { type PretrainingRecipe, pretrain } from "../../../src/models/training/pretraining.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { shallow } from "../shallow.ts";

const THREADS = { threads: 1 };
const rng = new Pcg64(5);

/** 24 bases of a repeated word, from a random offset. */
const WORD = "GATTACACCTGA";
const sequences = Array.from({ length: 48 }, () => {
  const from = integerBelow(rng, WORD.length);
  return WORD.repeat(3).slice(from, from + 24);
});
const training = sequences.slice(0, 32);
const validation = sequences.slice(32);
const RECIPE: PretrainingRecipe = { epochs: 4, batchSize: 8, learningRate: 5e-3, seed: 1 };

async function untrained(card: LanguageModelCard): Promise<string> {
  const folder = join(temporaryFolder(), "untrained");
  await initCheckpoint(shallow(card), { preset: "toy", seed: 2, folder });
  return folder;
}

async function arraysIn(folder: string) {
  await using checkpoint = await openCheckpoint(folder);
  const names = [...checkpoint.arrays.keys()];
  return new Map(await Promise.all(names.map(async (name) => [name, await checkpoint.read(name)] as const)));
}

describe.each(LANGUAGE_MODELS.filter(({ toy }) => toy).map((card) => [card.title, card] as const))(
  "%s",
  (_, card) => {
    test("learns, and writes a checkpoint of its family", async () => {
      const from = await untrained(card);
      const folder = temporaryFolder();
      writeFileSync(join(from, "model.safetensors.index.json"), "{}"); // of shards that the new checkpoint does not have
      const { history, best } = await pretrain(
        { from, training, validation, recipe: RECIPE, folder },
        LANGUAGE_MODELS,
        THREADS,
      );
      expect(history[3].trainLoss).toBeLessThan(0.9 * history[0].trainLoss);
      expect(best.validation.val_loss).toBeLessThan(history[0].trainLoss);

      expect(existsSync(join(folder, "config.json"))).toBe(true);
      expect(existsSync(join(folder, "model.safetensors.index.json"))).toBe(false);
      const [before, after] = [await arraysIn(from), await arraysIn(folder)];
      expect([...after.keys()]).toEqual([...before.keys()]);
      const buffers = card
        .architecture(JSON.parse(readFileSync(join(from, "config.json"), "utf8")), "config.json")
        .tensors.filter(({ buffer }) => buffer === true);
      for (const { name } of buffers) expect(after.get(name)).toEqual(before.get(name));
      const changed = [...after].filter(
        ([name, { data }]) => !Buffer.from(data.buffer).equals(Buffer.from(before.get(name)!.data.buffer)),
      );
      expect(changed.length).toBeGreaterThan(0.8 * (after.size - buffers.length));

      const scored = [WORD.repeat(4), "CATG".repeat(12)];
      const [own, control] = await Promise.all(
        [folder, from].map((at) => LanguageModel.open(at, [card], THREADS)),
      );
      const [known, strange] = await own.logLikelihood(scored, { protocol: "corrected" });
      const [firstKnown, firstStrange] = await control.logLikelihood(scored, { protocol: "corrected" });
      expect(known - strange).toBeGreaterThan(firstKnown - firstStrange + 5);
      await own.close();
      await control.close();
    });
  },
);

test("resumes bit-identically", async () => {
  const card = languageModelCard("dnabert2");
  const from = await untrained(card);
  const [whole, parts] = [temporaryFolder(), temporaryFolder()];
  const request = { from, training, validation, recipe: { ...RECIPE, weightDecay: 0.1 } };
  await pretrain({ ...request, folder: whole }, LANGUAGE_MODELS, THREADS);

  const stop = new AbortController();
  let batches = 0;
  const stopped = pretrain(
    {
      ...request,
      folder: parts,
      signal: stop.signal,
      onProgress: ({ kind }) => kind === "batch" && ++batches === 6 && stop.abort(new Error("stopped")),
    },
    LANGUAGE_MODELS,
    THREADS,
  );
  await expect(stopped).rejects.toThrow("stopped");
  await pretrain({ ...request, folder: parts }, LANGUAGE_MODELS, THREADS);
  const bytes = (folder: string) => readFileSync(join(folder, "model.safetensors"));
  expect(bytes(parts).equals(bytes(whole))).toBe(true);
});

test("sequences that cannot be trained on are errors", async () => {
  const card = languageModelCard("hyenadna");
  const from = await untrained(card);
  const request = { from, training, validation, recipe: RECIPE, folder: temporaryFolder() };
  await expect(
    pretrain({ ...request, training: ["ACGT", "ACGTA"] }, LANGUAGE_MODELS, THREADS),
  ).rejects.toThrow("differ in length");
  await expect(
    pretrain({ ...request, training: ["A".repeat(3000)] }, LANGUAGE_MODELS, THREADS),
  ).rejects.toThrow("sequence 0 has 3001 tokens, but the model takes at most 2120");
  await expect(
    pretrain({ ...request, validation: ["A".repeat(30)] }, LANGUAGE_MODELS, THREADS),
  ).rejects.toThrow("differ in length");
  await expect(
    pretrain({ ...request, training: ["A"], validation: ["A"] }, LANGUAGE_MODELS, THREADS),
  ).rejects.toThrow("no token of the validation sequences is selected");
  await expect(pretrain({ ...request, training: [] }, LANGUAGE_MODELS, THREADS)).rejects.toThrow(
    "there are no examples",
  );
});

test.each([
  [{ learningRate: -1 }, "learningRate is -1; expected a number above 0"],
  [{ weightDecay: Number.NaN }, "weightDecay is NaN"],
  [{ hidden: 0 }, "hidden is 0; expected a number above 0 and up to 1"],
  [{ hidden: 2 }, "hidden is 2"],
])("the recipe %j is an error", async (recipe, message) => {
  const request = { from: "nowhere", training, validation, folder: "nowhere" };
  await expect(
    pretrain({ ...request, recipe: { ...RECIPE, ...recipe } }, LANGUAGE_MODELS, THREADS),
  ).rejects.toThrow(message);
});
