import { afterAll, describe, expect, test } from "vitest";
import { hyenadnaTokenizer } from "../../../src/dna/tokenizers/one-letter.ts";
import type { Tokens } from "../../../src/dna/tokenizers/tokenizer.ts";
import type { Model, PoolOptions, SequenceEmbedding } from "../../../src/models/model.ts";
import {
  meanOverBases,
  pooledEmbeddings,
  poolSequences,
  tokenStates,
} from "../../../src/models/queries/embeddings.ts";
import { TINY_ENCODERS, tinyEncoder } from "../tiny-encoders.ts";
import { tokensOf } from "../tiny-query.ts";

const encoder = TINY_ENCODERS[0];

function mean({ states, width }: SequenceEmbedding, from: number, to: number): number[] {
  return Array.from({ length: width }, (_, column) => {
    let sum = 0;
    for (let row = from; row < to; row++) sum += states[row * width + column];
    return sum / (to - from);
  });
}

function expectClose(values: ArrayLike<number>, expected: readonly number[]) {
  expect(values.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(values[i] - value)).toBeLessThan(1e-9);
  });
}

describe("a model of byte pairs", () => {
  const query = tinyEncoder(encoder);
  afterAll(() => query.close());
  const rows = [tokensOf([1, 7, 8, 9, 2]), tokensOf([1, 10, 2])];
  const bases = [3, 1];
  const pool = (options: PoolOptions) => pooledEmbeddings(query, rows, bases, options);

  test("corrected: the tokens of the bases, for both kinds of pooling", async () => {
    const outputs = await tokenStates(query, rows, { protocol: "corrected" });
    for (const over of ["bases", "row"] as const) {
      const pooled = await pool({ protocol: "corrected", over });
      expectClose(pooled[0], mean(outputs[0], 1, 4));
      expectClose(pooled[1], mean(outputs[1], 1, 2));
    }
  });

  test("paper, over bases: the same tokens, with padding attended to", async () => {
    const outputs = await tokenStates(query, rows, { protocol: "paper" });
    const pooled = await pool({ protocol: "paper", over: "bases" });
    expectClose(pooled[0], mean(outputs[0], 1, 4));
    expectClose(pooled[1], mean(outputs[1], 1, 2));
  });

  test("paper, over the row: special tokens and padding too, which is 0 in DNABERT-2", async () => {
    const outputs = await tokenStates(query, rows, { protocol: "paper", paddingHidden: true });
    const pooled = await pool({ protocol: "paper", over: "row" });
    expectClose(pooled[0], mean(outputs[0], 0, 5));
    expectClose(
      pooled[1],
      mean(outputs[1], 0, 3).map((value) => (value * 3) / 5),
    );
  });
});

test("a model with one token per base includes [SEP] in the mean under the paper's protocol only", async () => {
  const tiny = tinyEncoder(encoder);
  const query = { ...tiny, tokenizer: hyenadnaTokenizer() };
  const rows: readonly Tokens[] = [query.tokenizer.encode("ACGTT")];
  const [output] = await tokenStates(query, rows, { protocol: "corrected" });
  const [corrected] = await pooledEmbeddings(query, rows, [5], { protocol: "corrected", over: "bases" });
  const [paper] = await pooledEmbeddings(query, rows, [5], { protocol: "paper", over: "bases" });
  expectClose(corrected, mean(output, 0, 5));
  expectClose(paper, mean(output, 0, 6));
  await tiny.close();
});

describe("any model", () => {
  const embedding = {
    states: Float32Array.of(9, 9, 1, 2, 3, 4, 9, 9),
    tokens: 4,
    width: 2,
    starts: Int32Array.of(0, 0, 4, 0),
    ends: Int32Array.of(0, 4, 6, 0),
  };
  const options = { protocol: "corrected", over: "bases" } as const;

  test("is pooled over the tokens of its bases, or by its own method", async () => {
    const custom: Model = { name: "custom", embed: () => [embedding] };
    expect(await poolSequences(custom, ["ACGTAC"], options)).toEqual([Float64Array.of(2, 3)]);
    const own: Model = { name: "own", pool: () => [Float64Array.of(7)] };
    expect(await poolSequences(own, ["ACGTAC"], options)).toEqual([Float64Array.of(7)]);
  });

  test("without embeddings is an error", async () => {
    const silent: Model = { name: "silent", logLikelihood: () => [0] };
    await expect(poolSequences(silent, ["A"], options)).rejects.toThrow(/"silent" gives no embeddings/);
  });

  test("the mean over no bases is not a number", () => {
    const none = { ...embedding, ends: new Int32Array(4) };
    expect(meanOverBases(none)).toEqual(Float64Array.of(Number.NaN, Number.NaN));
  });
});
