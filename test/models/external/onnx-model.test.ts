import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FormatError } from "../../../src/base/errors.ts";
import { conform } from "../../../src/models/conformance/conform.ts";
import { openOnnxModel } from "../../../src/models/external/onnx-model.ts";
import { hyenadna } from "../../../src/models/language/hyenadna.ts";
import { nucleotideTransformer } from "../../../src/models/language/nucleotide-transformer.ts";
import type { Model } from "../../../src/models/model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type ExportOptions, exportedOnnx, writeCard } from "./exported-onnx.ts";

const sequences = ["ACGTACGTTGCAACGGTTAACC", "TTTTACG", "ACGTACGTTGCCACGGTTAACC", "GATTACAGATTACA"];
const corrected = { protocol: "corrected" } as const;

const inputs = { ids: "input_ids", mask: "attention_mask" };
const outputs = { logits: "logits", hidden: "last_hidden_state" };
const masked = { kind: "masked", tokenizer: { folder: "." }, inputs, outputs };
const letters = { A: 7, C: 8, G: 9, T: 10, N: 11 };
const causal = {
  kind: "causal",
  tokenizer: { letters, unknown: 6, pad: 4, mask: 3, after: [1] },
  inputs: { ids: "input_ids" },
  outputs,
};

async function closing<T extends { close?(): unknown }>(opening: Promise<T>): Promise<T> {
  const opened = await opening;
  onTestFinished(async () => void (await opened.close?.()));
  return opened;
}

async function transformer(card: object = masked, options: ExportOptions = {}) {
  const exported = await exportedOnnx(nucleotideTransformer, "toy", temporaryFolder(), options);
  onTestFinished(() => exported.model.close());
  writeCard(exported.path, card);
  return { ...exported, open: () => closing(openOnnxModel(exported.path)) };
}

async function hyena(card: object = causal, options: ExportOptions = { tokens: 24 }) {
  const exported = await exportedOnnx(hyenadna, "toy", temporaryFolder(), options);
  onTestFinished(() => exported.model.close());
  writeCard(exported.path, card);
  return { ...exported, open: () => closing(openOnnxModel(exported.path)) };
}

/** Largest difference between two models over all queries, relative to the largest value. */
async function expectSameAnswers(external: Model, ours: Model, tolerance = 1e-5) {
  const all = async (model: Model) => {
    const pairs = [
      ["ACGTACGTTGCAACGGTTAACC", "ACGTACGTTGCCACGGTTAACC"],
      ["GATTACAGATTACA", "GATTACAGATTACC"],
    ] as const;
    const alleles = await model.compareAlleles!(pairs, corrected);
    const embedded = await model.embed!(sequences, corrected);
    const padded = await model.embed!(sequences, { protocol: "paper", paddingHidden: true });
    const pooled = await model.pool!(sequences, { protocol: "paper", over: "bases" });
    return [
      [...Array.from(await model.logLikelihood!(sequences, corrected))],
      alleles.map(({ first, second }) => first - second),
      embedded.flatMap(({ states }) => [...states]),
      padded.flatMap(({ states }) => [...states]),
      pooled.flatMap((vector) => [...vector]),
      embedded.flatMap(({ starts, ends }) => [...starts, ...ends]),
      sequences.map((letters) => model.tokenCount!(letters)),
    ];
  };
  const [there, here] = [await all(external), await all(ours)];
  for (const [question, values] of here.entries()) {
    const largest = Math.max(...values.map(Math.abs));
    const deviations = values.map((value, i) => Math.abs(value - there[question][i]));
    expect(there[question]).toHaveLength(values.length);
    expect(Math.max(...deviations), `question ${question}`).toBeLessThan(tolerance * largest);
  }
}

describe("an ONNX file scores as the checkpoint it was exported from", () => {
  test("masked, with an integer mask and a tokenizer folder", async () => {
    const { open, model } = await transformer();
    const external = await open();
    await expectSameAnswers(external, model);
    expect(external).toMatchObject({ name: "model", kind: "masked", tokens: "k-mer", batchSize: 32 });
  });

  test("with ids of 32 bits, and a mask of floats", async () => {
    const { open, model } = await transformer(masked, { idType: "int32", maskType: "float32" });
    await expectSameAnswers(await open(), model);
  });

  test("with half-precision outputs and a mask of truth values", async () => {
    const { open, model } = await transformer(masked, { outputType: "float16", maskType: "bool" });
    await expectSameAnswers(await open(), model, 2e-3);
  });

  test("exported for one row of 20 tokens and nothing else", async () => {
    const { open, model } = await transformer(masked, { rows: 1, tokens: 20 });
    const external = await open();
    await expectSameAnswers(external, model);
    await expect(external.logLikelihood!(["ACGT".repeat(30)], corrected)).rejects.toThrow(
      /31 tokens, but model takes at most 20/,
    );
  });

  test("causal, letters of the card, for three rows of 24 tokens, without a mask", async () => {
    const { open, model } = await hyena(causal, { rows: 3, tokens: 24 });
    await expectSameAnswers(await open(), model);
  });
});

test("an ONNX file passes the conformance kit; with its states moved by a token it does not", async () => {
  const { open } = await transformer();
  const model = await open();
  const faults = async (asked: Model) =>
    (await conform(asked)).filter(({ verdict }) => verdict === "fault").map(({ name }) => name);
  expect(await faults(model)).toEqual([]);
  const moved: Model = {
    name: "moved",
    kind: "masked",
    tokens: "k-mer",
    async embed(all, options) {
      const embeddings = await model.embed!(all, options);
      return embeddings.map(({ states, width, ...rest }) => ({
        ...rest,
        width,
        states: Float32Array.of(...states.slice(width), ...states.slice(0, width)),
      }));
    },
  };
  expect(await faults(moved)).toEqual(["k-mer-offset"]);
});

describe("what it can answer follows from its outputs", () => {
  test("logits alone: no embeddings; states alone: no likelihood", async () => {
    const { path, open } = await transformer({ ...masked, outputs: { logits: "logits" } });
    const scoring = await open();
    expect([scoring.embed, scoring.pool]).toEqual([undefined, undefined]);
    expect(await scoring.logLikelihood!(sequences, corrected)).toHaveLength(4);
    writeCard(path, { ...masked, outputs: { hidden: "last_hidden_state" } });
    const embedding = await open();
    expect([embedding.logLikelihood, embedding.compareAlleles]).toEqual([undefined, undefined]);
    expect(await embedding.embed!(sequences, corrected)).toHaveLength(4);
  });

  test("its identity follows weights, card and tokenizer; its name the card or the file", async () => {
    const { path, open } = await transformer();
    const identities = [(await open()).identity, (await open()).identity];
    writeCard(path, { ...masked, name: "mine", maxTokens: 50 });
    const named = await open();
    expect(named.name).toBe("mine");
    writeFileSync(join(path, "..", "tokenizer_config.json"), `{"mask_token":"<mask>"}`);
    identities.push(named.identity, (await open()).identity);
    expect(identities[0]).toBe(identities[1]);
    expect(new Set(identities).size).toBe(3);
  });

  test("the memory estimate grows with the batch and exceeds the file's size", async () => {
    const { open } = await transformer();
    const { memory } = await open();
    expect(memory!(1, 10)).toBeGreaterThan(50e6);
    expect(memory!(64, 60)).toBeGreaterThan(memory!(1, 60));
  });
});

describe("the error for a wrong card names what exists", () => {
  test.each<[string, object, RegExp]>([
    [
      "an unknown input",
      { ...masked, inputs: { ...inputs, ids: "ids" } },
      /no input "ids", which the card names as inputs\.ids\n.*inputs are "input_ids" \(int64 \[b, t\]\), "attention_mask"/,
    ],
    [
      "an input that the card omits",
      { ...masked, inputs: { ids: "input_ids" } },
      /does not name the model's input "attention_mask"\n.*name it under inputs/,
    ],
    [
      "an unknown output",
      { ...masked, outputs: { logits: "scores" } },
      /no output "scores", which the card names as outputs\.logits\n.*outputs are "logits" \(float32/,
    ],
    ["no output", { ...masked, outputs: {} }, /card\.json: outputs: expected logits or hidden/],
    ["an unknown key", { ...masked, tokenizer: { folder: ".", padd: 1 } }, /tokenizer.*padd/],
    ["a letter of two", { ...masked, tokenizer: { letters: { AC: 1 } } }, /expected one character/],
    ["another kind", { ...masked, kind: "seq2seq" }, /kind: expected "/],
    ["a folder outside", { ...masked, tokenizer: { folder: "../.." } }, /is outside the card's folder/],
    [
      "a missing mask token",
      { ...masked, tokenizer: { letters, pad: 4 } },
      /requires a mask token, which the tokenizer does not have\n.*tokenizer\.mask/,
    ],
    [
      "another tokenizer",
      { ...masked, tokenizer: { letters: { ...letters, T: 5000 }, mask: 3 } },
      /logits have \d+ columns, but the tokenizer has ids up to 5000\n/,
    ],
  ])("%s", async (_, card, message) => {
    const { open } = await transformer(card);
    const error = await open().catch((error) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.describe()).toMatch(message);
  });

  test("a fixed number of tokens without a padding token", async () => {
    const { tokenizer, ...rest } = causal;
    const { open } = await hyena({ ...rest, tokenizer: { ...tokenizer, pad: undefined } });
    const error = await open().catch((error) => error);
    expect(error.describe()).toMatch(/rows of exactly 24 tokens.*\n.*tokenizer\.pad/);
  });

  test("inputs and outputs of other types", async () => {
    const floats = await transformer(masked, { maskType: "float16" });
    await expect(floats.open()).rejects.toThrow(/input "attention_mask" is float16 \[b, t\]/);
    const whole = await transformer(masked, { outputType: "int32" });
    await expect(whole.open()).rejects.toThrow(/output "logits" is int32 \[b, t, \d+\]/);
  });

  test("no card, invalid JSON, a repeated key, a large file", async () => {
    const { path, open } = await transformer();
    const card = path.replace(".onnx", ".card.json");
    const refusal = async (text: string) => {
      writeFileSync(card, text);
      return (await open().catch((error) => error)).describe();
    };
    expect(await refusal("{")).toMatch(/model\.card\.json: the card is not JSON/);
    expect(await refusal(`{"kind":1,"kind":2}`)).toMatch(/gives the name "kind" twice/);
    expect(await refusal(" ".repeat(2 ** 20 + 1))).toMatch(/has 1048577 bytes/);
    rmSync(card);
    expect((await open().catch((error) => error)).describe()).toMatch(
      /model\.card\.json: no such file: an ONNX model needs a card next to it\n.*write it with/,
    );
    expect(existsSync(path)).toBe(true);
    rmSync(path);
    expect((await open().catch((error) => error)).describe()).toMatch(/\.onnx: no such file$/);
  });

  test("a character that the card does not have", async () => {
    const { tokenizer, ...rest } = causal;
    const { unknown: _, ...without } = tokenizer;
    const { open } = await hyena({ ...rest, tokenizer: without });
    await expect((await open()).logLikelihood!(["ACX"], corrected)).rejects.toThrow(
      /letter "X" at position 2 is not in the vocabulary of the card/,
    );
  });
});
