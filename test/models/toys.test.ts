import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../src/models/language-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const LETTERS = "GATTACACGTTGCATGCAAACCTTAGGCATCGTACGGATCTATCGACTTGGTACCA";
const LONG = LETTERS.repeat(9).slice(0, 500);

const toys = LANGUAGE_MODELS.flatMap((card) =>
  Object.keys(card.toys).map((preset) => [`${card.name} ${preset}`, card, preset] as const),
);

test.each(toys)("%s: small, complete, and implements the queries of its kind", async (_, card, preset) => {
  const folder = temporaryFolder();
  await initCheckpoint(card, { preset, seed: 1, folder });
  expect(statSync(join(folder, "model.safetensors")).size).toBeLessThanOrEqual(300_000);

  const model = await LanguageModel.open(folder, LANGUAGE_MODELS);
  const options = { protocol: "corrected" } as const;
  const scores = await model.logLikelihood([LETTERS, LETTERS.slice(1)], options);
  expect([...scores].every((score) => Number.isFinite(score) && score < 0)).toBe(true);
  expect(scores[0]).not.toBe(scores[1]);

  const [embedding] = await model.embed([LETTERS], options);
  const { states, tokens, width, ends } = embedding;
  expect(tokens).toBe(model.tokenCount(LETTERS));
  expect(states.length).toBe(tokens * width);
  expect(Math.max(...ends)).toBe(LETTERS.length);

  const [pooled] = await model.pool([LONG], { ...options, over: "bases" });
  expect(pooled.every(Number.isFinite)).toBe(true);
  await model.close();
});

test("every trainable family has a toy", () => {
  expect(new Set(toys.map(([, card]) => card.name)).size).toBe(LANGUAGE_MODELS.length);
});
