import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { openCheckpointFolder } from "../../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { dnabert2 } from "../../src/models/language/dnabert2.ts";
import { toyBytePairs } from "../../src/models/language/published-checkpoints/toy-byte-pairs.ts";
import { temporaryFolder } from "../temporary-folder.ts";

async function madeWith(tokenizer: string): Promise<string> {
  const folder = join(temporaryFolder(), "checkpoint");
  await initCheckpoint(dnabert2, {
    preset: "toy",
    seed: 0,
    folder,
    tokenizer: { "tokenizer.json": tokenizer },
  });
  return folder;
}

async function identityOf(folder: string): Promise<string> {
  await using opened = await openCheckpointFolder(folder, LANGUAGE_MODELS).then((each) => ({
    identity: each.identity,
    [Symbol.asyncDispose]: () => each.close(),
  }));
  return opened.identity;
}

const { json } = toyBytePairs([]);

test("a tokenizer with more tokens than the model has embeddings is an error", async () => {
  const folder = await madeWith(toyBytePairs(["-", "N", "R"]).json);
  const problem = await openCheckpointFolder(folder, LANGUAGE_MODELS).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(FormatError);
  expect((problem as FormatError).describe()).toMatch(
    /checkpoint: the tokenizer has token ids up to 283, but the model has only 281 embeddings\n.*same checkpoint/,
  );
});

test("the identity depends on the tokenizer", async () => {
  const first = await identityOf(await madeWith(json));
  expect(await identityOf(await madeWith(json))).toBe(first);
  // A and C swap their numbers: the same texts, other ids.
  const swapped = json.replace('"A":5,"C":6', '"C":5,"A":6');
  expect(swapped).not.toBe(json);
  expect(await identityOf(await madeWith(swapped))).not.toBe(first);
});

test("the identity does not depend on other files in the folder", async () => {
  const folder = await madeWith(json);
  const before = await identityOf(folder);
  writeFileSync(join(folder, "README.md"), "# a model");
  expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("model");
  expect(await identityOf(folder)).toBe(before);
});

test("a folder with an adapter of peft is refused, as its base weights are not the model's", async () => {
  const folder = await madeWith(json);
  writeFileSync(join(folder, "adapter_config.json"), '{"peft_type": "LORA"}');
  await expect(openCheckpointFolder(folder, LANGUAGE_MODELS)).rejects.toThrow(
    "this folder has an adapter of peft",
  );
});
