import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { tokenizerFilesFor } from "../../src/models/checkpoints/init-tokenizer.ts";
import { caduceus } from "../../src/models/language/caduceus.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { dnabert2 } from "../../src/models/language/dnabert2.ts";
import { genaLm } from "../../src/models/language/gena-lm.ts";
import { nucleotideTransformer } from "../../src/models/language/nucleotide-transformer.ts";
import { toyBytePairs } from "../../src/models/language/published-checkpoints/toy-byte-pairs.ts";
import { LanguageModel } from "../../src/models/language-model.ts";
import { testWithSharedData } from "../shared-data.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { COMMIT, startHub } from "./hub-server.ts";

// The byte pairs of a published size are given, or come from the published checkpoint.

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv("HF_HUB_CACHE", join(folder, "cache"));
  vi.stubEnv("HF_HOME", join(folder, "home"));
  vi.stubEnv("HF_HUB_OFFLINE", "1");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const retries = { attempts: 1, initialDelayMs: 1 };
const { json } = toyBytePairs([]);

/** DNABERT-2 with a toy as its published checkpoint. */
const published: LanguageModelCard = (({ tokenizerFiles: _, ...card }) => ({
  ...card,
  checkpoints: [{ preset: "small", repo: "someone/small", revision: COMMIT, config: card.toys.toy }],
}))(dnabert2);

async function problem(card: LanguageModelCard, preset: string, path?: string): Promise<string> {
  const error = await tokenizerFilesFor(card, { preset, path, retries }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).describe();
}

function tokenizerJson(text: string): string {
  const path = join(folder, "given.json");
  writeFileSync(path, text);
  return path;
}

testWithSharedData("a tokenizer.json of the user's", "tokenizers/dnabert2/tokenizer.json", async (path) => {
  const given = await tokenizerFilesFor(dnabert2, { preset: "117m", path });
  expect(given).toEqual({ files: { "tokenizer.json": readFileSync(path, "utf8") }, from: path });
});

testWithSharedData(
  "a folder: every file of the tokenizer and no other",
  "tokenizers/gena_t2t_1000h_multi_32k/tokenizer.json",
  async (path) => {
    const { files } = await tokenizerFilesFor(genaLm, { preset: "large-t2t", path: join(path, "..") });
    expect(Object.keys(files).sort()).toEqual([
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(await problem(dnabert2, "117m", path)).toMatch(
      /tokenizer.json: the tokenizer has 32000 tokens, but DNABERT-2 117m has 4096\n/,
    );
  },
);

test("a checkpoint with the given tokenizer opens and encodes", async () => {
  const path = tokenizerJson(json);
  const { files } = await tokenizerFilesFor(published, { preset: "small", path });
  const out = join(folder, "untrained");
  await initCheckpoint(published, { preset: "small", seed: 1, folder: out, tokenizer: files });
  const model = await LanguageModel.open(out, LANGUAGE_MODELS);
  expect(model.tokenCount("ACGTACGTA")).toBe(5);
  await model.close();
});

test("a tokenizer of another model is an error", async () => {
  expect(await problem(dnabert2, "117m", tokenizerJson(json))).toMatch(
    /given.json: the tokenizer has 281 tokens/,
  );
  expect(await problem(dnabert2, "117m", tokenizerJson("{"))).toMatch(/given.json: /);
  expect(await problem(dnabert2, "117m", join(folder, "none"))).toMatch(/none: no such file or folder\n/);
  expect(await problem(nucleotideTransformer, "toy", tokenizerJson(json))).toMatch(/is a bpe tokenizer/);
  expect(await problem(caduceus, "ps-131k", tokenizerJson(json))).toMatch(/has one token per base/);
  const unmasked = tokenizerJson(json.replaceAll("[MASK]", "[HIDE]"));
  expect(await problem(published, "small", unmasked)).toMatch(/has no mask token/);
});

test("no tokenizer is needed where the sizes determine the tokens", async () => {
  expect(await tokenizerFilesFor(caduceus, { preset: "ps-131k" })).toEqual({ files: {}, from: undefined });
  const { files, from } = await tokenizerFilesFor(nucleotideTransformer, { preset: "v2-500m-multi-species" });
  expect(Object.keys(files)).toEqual(["vocab.txt"]);
  expect(from).toBeUndefined();
});

test("the published checkpoint's is fetched without its weights, once", async () => {
  vi.stubEnv("HF_HUB_OFFLINE", "");
  const text = (value: string) => new TextEncoder().encode(value);
  const hub = await startHub({
    name: "someone/small",
    files: { "tokenizer.json": text(json), "model.safetensors": text("weights") },
    large: ["model.safetensors"],
  });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  const first = await tokenizerFilesFor(published, { preset: "small", retries });
  expect(first).toEqual({ files: { "tokenizer.json": json }, from: `someone/small at ${COMMIT}` });
  expect(hub.requests.filter((request) => request.includes("resolve"))).toEqual([
    `GET /someone/small/resolve/${COMMIT}/tokenizer.json`,
  ]);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect(await tokenizerFilesFor(published, { preset: "small", retries })).toEqual(first);
});

test("offline, the error names the option to give", async () => {
  expect(await problem(published, "small")).toMatch(
    /^the tokenizer of DNABERT-2 small could not be taken from someone\/small: HF_HUB_OFFLINE is set.*\n.*--tokenizer$/,
  );
  expect(await problem(published, "giant")).toMatch(/has no preset "giant"/);
});
