import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS, publicCheckpoint } from "../../src/models/language/catalogue.ts";
import { hyenadna } from "../../src/models/language/hyenadna.ts";
import { LanguageModel } from "../../src/models/language-model.ts";
import { openModel } from "../../src/models/open-model.ts";
import { compareWithReference, verifyModel } from "../../src/models/verify.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "dart-eval-model-"));
const toy = join(folder, "toy");
let model: LanguageModel;

beforeAll(async () => {
  await initCheckpoint(hyenadna, { preset: "toy", seed: 0, folder: toy });
  model = await LanguageModel.open(toy, LANGUAGE_MODELS);
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

const corrected = { protocol: "corrected" } as const;
const sequences = ["ACGTACGTTGCA", "TTTTACG", "ACGTACGTTGCC", "G"];

describe("an untrained checkpoint", () => {
  test("has exactly the size of the published file", async () => {
    const out = join(folder, "tiny-1k");
    const made = await initCheckpoint(hyenadna, { preset: "tiny-1k", seed: 1, folder: out });
    expect(statSync(join(out, "model.safetensors")).size).toBe(1_809_192);
    expect(made.parameters).toBeGreaterThan(438_144);
  });

  test("has equal bytes for equal seeds, and different ones for different seeds", async () => {
    const bytes = async (name: string, seed: number) => {
      await initCheckpoint(hyenadna, { preset: "toy", seed, folder: join(folder, name) });
      return readFile(join(folder, name, "model.safetensors"));
    };
    const [a, b, c] = [await bytes("a", 5), await bytes("b", 5), await bytes("c", 6)];
    expect(a.equals(b)).toBe(true);
    expect(a.equals(c)).toBe(false);
  });

  test("draws every tensor by its initializer", async () => {
    await using checkpoint = await openCheckpoint(toy);
    const values = async (name: string) => (await checkpoint.read(name)).data as Float32Array;
    const layer = "hyena.backbone.layers.0";
    const weight = await values(`${layer}.mlp.fc1.weight`);
    const deviation = Math.sqrt(weight.reduce((sum, v) => sum + v * v, 0) / weight.length);
    expect(deviation).toBeGreaterThan(0.018);
    expect(deviation).toBeLessThan(0.022);
    expect(new Set(await values(`${layer}.norm1.weight`))).toEqual(new Set([1]));
    expect(new Set(await values(`${layer}.mlp.fc1.bias`))).toEqual(new Set([0]));
    expect(new Set(await values(`${layer}.mixer.filter_fn.implicit_filter.1.freq`))).toEqual(new Set([10]));
    const filter = await values(`${layer}.mixer.short_filter.weight`);
    expect(Math.max(...filter.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(3));
  });

  test("does not overwrite an existing file or folder", async () => {
    await expect(initCheckpoint(hyenadna, { preset: "toy", seed: 0, folder: toy })).rejects.toThrow(
      /is not empty/,
    );
    await expect(
      initCheckpoint(hyenadna, { preset: "giant", seed: 0, folder: join(folder, "x") }),
    ).rejects.toThrow(/no preset "giant"/);
  });
});

describe("a language model from a folder", () => {
  test("a score depends on its sequence alone, not on the batch", async () => {
    const together = await model.logLikelihood(sequences, corrected);
    for (const [i, sequence] of sequences.entries()) {
      const [alone] = await model.logLikelihood([sequence], corrected);
      expect(Math.abs(alone - together[i])).toBeLessThanOrEqual(1e-5 * Math.abs(alone));
    }
    expect(together[3]).toBe(0);
    expect(together[0]).toBeLessThan(0);
  });

  test("is causal: a later base changes no earlier state", async () => {
    const [a, , c] = await model.embed(sequences, corrected);
    expect([a.tokens, a.width]).toEqual([13, 32]);
    const same = 11 * 32;
    for (let i = 0; i < same; i++) expect(Math.abs(a.states[i] - c.states[i])).toBeLessThan(1e-5);
    expect([...a.states.slice(same, same + 32)]).not.toEqual([...c.states.slice(same, same + 32)]);
    expect([...a.starts.slice(0, 3)]).toEqual([0, 1, 2]);
  });

  test("a sequence longer than the context is an error", async () => {
    await expect(model.logLikelihood(["A".repeat(2120)], corrected)).rejects.toThrow(
      /2121 tokens, but toy takes at most 2120/,
    );
  });

  test("has an identity that depends on its weights", async () => {
    const other = join(folder, "other");
    await initCheckpoint(hyenadna, { preset: "toy", seed: 9, folder: other });
    const second = await LanguageModel.open(other, LANGUAGE_MODELS);
    const again = await LanguageModel.open(toy, LANGUAGE_MODELS);
    expect(second.identity).not.toBe(model.identity);
    expect(again.identity).toBe(model.identity);
    await second.close();
    await again.close();
  });
});

describe("rejects a folder that is not a checkpoint", () => {
  const write = async (name: string, config: unknown, keep: (tensor: string) => boolean, rename?: string) => {
    const out = join(folder, name);
    await using checkpoint = await openCheckpoint(toy);
    const arrays = await Promise.all(
      [...checkpoint.arrays.keys()].filter(keep).map(async (tensor) => ({
        ...(await checkpoint.read(tensor)),
        name: tensor,
      })),
    );
    if (rename !== undefined) arrays.push({ ...arrays[0], name: rename });
    await writeSafetensors(join(out, "model.safetensors"), arrays);
    writeFileSync(join(out, "config.json"), JSON.stringify(config));
    return LanguageModel.open(out, LANGUAGE_MODELS);
  };
  const config = hyenadna.toys.toy;

  test("no config.json, one that is not JSON, one of another family", async () => {
    await expect(LanguageModel.open(folder, LANGUAGE_MODELS)).rejects.toThrow(/no such file/);
    const out = join(folder, "not-json");
    mkdirSync(out, { recursive: true });
    // a string without an end, whose quotes are all escaped
    writeFileSync(join(out, "config.json"), `{"model_type":"${'\\"'.repeat(500_000)}\\`);
    await expect(LanguageModel.open(out, LANGUAGE_MODELS)).rejects.toThrow(/is not JSON/);
    await expect(write("other-family", { model_type: "t5" }, () => true)).rejects.toThrow(
      /model_type "t5" .* is not a known family/,
    );
  });

  test("a config.json with a number beyond every float", async () => {
    const out = join(folder, "huge");
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "config.json"), `${JSON.stringify(config).slice(0, -1)},"pad_token_id":1e400}`);
    await expect(LanguageModel.open(out, LANGUAGE_MODELS)).rejects.toThrow(
      /number out of range under "pad_token_id"/,
    );
  });

  test("a config.json nested deeper than any stack", async () => {
    const out = join(folder, "deep");
    mkdirSync(out, { recursive: true });
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    writeFileSync(join(out, "config.json"), `${JSON.stringify(config).slice(0, -1)},"n_layer":${deep}}`);
    await expect(LanguageModel.open(out, LANGUAGE_MODELS)).rejects.toThrow(/is nested more than 32 deep/);
  });

  test("a missing and an unexpected tensor, both named", async () => {
    await expect(
      write("missing", config, (name) => name !== "lm_head.weight", "spare.weight"),
    ).rejects.toThrow(/lacks the tensor lm_head.weight; has unexpectedly the tensor spare.weight/);
  });

  test("a tensor of another shape", async () => {
    await expect(write("shape", { ...config, d_inner: 32 }, () => true)).rejects.toThrow(
      /has shape \[64, 32\]; expected \[32, 32\]/,
    );
  });
});

describe("openModel", () => {
  test("a folder, renamed", async () => {
    const opened = await openModel(`mine=${toy}`);
    expect(opened.name).toBe("mine");
    expect(await opened.logLikelihood(["ACGT"])).toHaveLength(1);
    await opened.close();
  });

  test("a user's module", async () => {
    const file = join(folder, "mine.mjs");
    writeFileSync(file, "export default { name: 'gc', logLikelihood: (all) => all.map((s) => s.length) };");
    const opened = await openModel(file);
    expect(await opened.logLikelihood(["ACGT"])).toEqual([4]);
    writeFileSync(join(folder, "none.mjs"), "export default { title: 'nothing' };");
    await expect(openModel(join(folder, "none.mjs"))).rejects.toThrow(/exports no model/);
  });

  test("the error for an unknown model lists the kinds that can be opened", async () => {
    await expect(openModel("gpt-17")).rejects.toThrow(/no model is called "gpt-17"/);
    await expect(openModel("kmer-markov:order=x")).rejects.toThrow(/no setting "order=x"/);
    await expect(openModel("kmer-markov")).rejects.toThrow(/none is given/);
    await expect(openModel("hyenadna/medium-450k")).rejects.toThrow(/is not on this machine/);
  });

  test("public checkpoints by short name and by repository", () => {
    expect(publicCheckpoint("hyenadna/large-1m")?.checkpoint.repo).toBe(
      "LongSafari/hyenadna-large-1m-seqlen-hf",
    );
    expect(publicCheckpoint("LongSafari/hyenadna-tiny-1k-seqlen-hf")?.checkpoint.preset).toBe("tiny-1k");
    expect(publicCheckpoint("nothing")).toBeUndefined();
  });
});

describe("compareWithReference", () => {
  test("verifying weights without a reference output is an error", async () => {
    await expect(verifyModel(model)).rejects.toThrow(/not a checkpoint with a known reference output/);
    await expect(verifyModel(model, "tiny-1k")).rejects.toThrow(
      /no reference output is known for hyenadna tiny-1k/,
    );
  });

  test("an untrained model does not agree with a reference output, and a copy of the output does", async () => {
    const reference = hyenadna.referenceOutputs[0];
    const wrong = compareWithReference(reference, new Float64Array(256));
    expect(wrong.agrees).toBe(false);
    const mean = new Float64Array(256);
    reference.mean!.first.forEach((value, i) => {
      mean[i] = value;
    });
    const stated = { ...reference, mean: { first: reference.mean!.first } };
    expect(compareWithReference(stated, mean).agrees).toBe(true);
    mean[3] += 1e-3;
    expect(compareWithReference(stated, mean)).toMatchObject({ agrees: false });
  });

  test("compares single tokens, and reports a missing one as a deviation", () => {
    const reference = {
      preset: "x",
      ids: [1, 2],
      description: "AC",
      tolerance: 1e-3,
      otherTokens: { 1: [0.5, -0.25] },
    };
    const states = [[0], [0.5, -0.2501, 7]];
    const check = compareWithReference(reference, new Float64Array(3), (token) => states[token]);
    expect(check.agrees).toBe(true);
    expect(check.deviation).toBeCloseTo(1e-4, 10);
    expect(compareWithReference(reference, new Float64Array(3), () => [0.5, -0.26]).agrees).toBe(false);
    expect(compareWithReference(reference, new Float64Array(3)).agrees).toBe(false);
  });
});
