import { describe, expect, test } from "vitest";
import { textOrder } from "../../../src/evaluation/settings/sequence-files.ts";
import { zeroShotEmbedding } from "../../../src/evaluation/settings/zero-shot-embedding.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import type { Recipe } from "../../../src/evaluation/tasks/recipe.ts";
import { cosineDistance, paperCosineDistance } from "../../../src/metrics/cosine.ts";
import type { Model, PoolOptions, Protocol } from "../../../src/models/model.ts";
import { fakeTask, settingContext } from "../fake-task.ts";

const ROWS = 23;
const task = await fakeTask({ rows: ROWS }).open({}, { seed: 0 });
const { rows } = task.select({ split: "all", purpose: "evaluate", limit: null });
const examples = await task.examples(rows.slice());

/** A vector that encodes the bases, the padding and the rule. */
function vectorOf(bases: string, { protocol, over, padTo = 0 }: PoolOptions): Float64Array {
  const count = (base: string) => [...bases].filter((letter) => letter === base).length / bases.length;
  const places = [...bases].reduce((sum, letter, i) => sum + i * letter.charCodeAt(0), 0);
  return Float64Array.of(
    ...[..."ACGT"].map(count),
    places / 7e3,
    padTo / 1e3,
    over === "row" ? 1 : 0,
    protocol.length / 9,
  );
}

interface Call {
  readonly bases: readonly string[];
  readonly options: PoolOptions;
}

function poolingModel(more: Partial<Model> = {}) {
  const calls: Call[] = [];
  const model: Model = {
    name: "pooling",
    tokens: "bpe",
    tokenCount: (bases) => bases.length + 2,
    pool(bases, options) {
      calls.push({ bases, options });
      return bases.map((sequence) => vectorOf(sequence, options));
    },
    ...more,
  };
  return { model, calls };
}

const DISTANCE: Recipe = {
  answer: "distance",
  pooling: "bases",
  extractionBatchSize: 4,
  order: "file",
  bothOrders: false,
};

async function answers(model: Model, protocol: Protocol, recipe: Recipe, asked = examples, batchSize = 8) {
  const answerer = await zeroShotEmbedding.open(settingContext({ task, model, protocol, recipe, batchSize }));
  return answerer.predict(asked);
}

/** How far the original would have padded a member of a row. */
const padded = (row: number, member: number) => {
  const start = 4 * Math.floor(row / 4);
  return 2 + Math.max(...examples.slice(start, start + 4).map(({ sequences }) => sequences[member].length));
};

describe("distances", () => {
  test("corrected: of the sequences alone, in float64, with what float32 would give", async () => {
    const { model } = poolingModel();
    const given = ofKind("distance", await answers(model, "corrected", DISTANCE));
    given.forEach((prediction, i) => {
      const [a, b] = examples[i].sequences.map((bases) =>
        vectorOf(bases, { protocol: "corrected", over: "bases" }),
      );
      expect(prediction).toEqual({
        kind: "distance",
        row: i,
        values: [cosineDistance(a, b)],
        byVariant: { float32: [paperCosineDistance(a, b)] },
        facts: { chrom: "chr5" },
      });
    });
  });

  test("paper: each sequence is padded to the longest of the original's batch", async () => {
    const { model } = poolingModel();
    const given = ofKind(
      "distance",
      await answers(model, "paper", { ...DISTANCE, pooling: "row" }, examples.slice(3, 9)),
    );
    given.forEach(({ row, values, byVariant }) => {
      const [a, b] = examples[row].sequences.map((bases, member) =>
        vectorOf(bases, { protocol: "paper", over: "row", padTo: padded(row, member) }),
      );
      expect(values).toEqual([paperCosineDistance(a, b)]);
      expect(byVariant).toEqual({ float64: [cosineDistance(a, b)] });
    });
    expect(given.map(({ row }) => row)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test("in text order rows have the vectors of other rows, for any selection", async () => {
    const recipe = { ...DISTANCE, order: "text", bothOrders: true };
    const { model } = poolingModel();
    const at = textOrder(ROWS, 4);
    const vectors = (row: number) =>
      examples[row].sequences.map((bases, member) =>
        vectorOf(bases, { protocol: "paper", over: "bases", padTo: padded(row, member) }),
      );
    const all = ofKind("distance", await answers(model, "paper", recipe));
    for (const { row, values, byVariant } of all) {
      const [a, b] = vectors(at(row));
      const [own, ownReverse] = vectors(row);
      expect(values).toEqual([paperCosineDistance(a, b)]);
      expect(byVariant).toEqual({
        float64: [cosineDistance(a, b)],
        "file-order": [paperCosineDistance(own, ownReverse)],
      });
    }
    expect(all.filter(({ row }) => at(row) !== row).length).toBeGreaterThan(ROWS / 2);
    const few = await answers(model, "paper", recipe, [examples[9], examples[22]], 3);
    expect(few).toEqual([all[9], all[22]]);
  });

  test("does not read the original's batches for models with one token per base", async () => {
    const { model, calls } = poolingModel({ tokens: "one-letter" });
    await answers(model, "paper", DISTANCE, examples.slice(0, 4), 3);
    expect(calls.map(({ bases }) => bases.length)).toEqual([3, 3, 2]);
    expect(calls.every(({ options }) => options.padTo === undefined)).toBe(true);
    expect(calls[0].options.origins).toEqual([
      { task: "fake", row: 0, member: 0 },
      { task: "fake", row: 0, member: 1 },
      { task: "fake", row: 1, member: 0 },
    ]);
  });
});

test("equal sequences of a call are embedded once", async () => {
  const { model, calls } = poolingModel();
  const twice = [...examples.slice(0, 3), ...examples.slice(0, 3)];
  const given = await answers(model, "corrected", DISTANCE, twice, 100);
  expect(calls.map(({ bases }) => bases.length)).toEqual([6]);
  expect(given.slice(3)).toEqual(given.slice(0, 3));
});

test("stores vectors as little-endian float32", async () => {
  const { model } = poolingModel();
  const [first] = ofKind("vector", await answers(model, "corrected", { ...DISTANCE, answer: "vector" }));
  const bytes = Uint8Array.from(Buffer.from(first.vectors[1], "base64"));
  const bases = examples[0].sequences[1];
  expect(new Float32Array(bytes.buffer)).toEqual(
    Float32Array.from(vectorOf(bases, { protocol: "corrected", over: "bases" })),
  );
  expect(first.vectors.length).toBe(2);
});

describe("a model with token states only", () => {
  /** One token per base with a special one on either side; states are the token's number and its square. */
  const tokens = (bases: string) => bases.length + 2;
  const model: Model = {
    name: "states",
    embed: (sequences) =>
      sequences.map((bases) => {
        const places = Array.from({ length: tokens(bases) }, (_, token) => token);
        const base = (token: number) => token > 0 && token <= bases.length;
        return {
          states: Float32Array.from(places.flatMap((token) => [token, token * token])),
          tokens: tokens(bases),
          width: 2,
          starts: Int32Array.from(places, (token) => (base(token) ? token - 1 : 0)),
          ends: Int32Array.from(places, (token) => (base(token) ? token : 0)),
        };
      }),
  };
  const mean = (from: number, to: number) => {
    const range = Array.from({ length: to - from }, (_, i) => from + i);
    return [range, range.map((token) => token * token)].map((values) =>
      Math.fround(values.reduce((a, b) => a + b) / values.length),
    );
  };
  const given = async (protocol: Protocol, pooling: string) => {
    const recipe = { ...DISTANCE, answer: "vector", pooling };
    const [first] = ofKind("vector", await answers(model, protocol, recipe, examples.slice(0, 1)));
    return [...new Float32Array(Uint8Array.from(Buffer.from(first.vectors[0], "base64")).buffer)];
  };
  const length = examples[0].sequences[0].length;

  test("corrected: over the bases", async () => {
    expect(await given("corrected", "bases")).toEqual(mean(1, length + 1));
    expect(await given("corrected", "row")).toEqual(mean(1, length + 1));
  });
  test("paper, over bases: with the token after the last", async () => {
    expect(await given("paper", "bases")).toEqual(mean(1, length + 2));
  });
  test("paper, over the row: everything", async () => {
    expect(await given("paper", "row")).toEqual(mean(0, length + 2));
  });
});

describe("invalid models and recipes", () => {
  test("refuses a model without embeddings", () => {
    expect(
      zeroShotEmbedding.unsupportedReason(task.task, { name: "m", logLikelihood: () => [] }, "corrected"),
    ).toContain("embeddings");
    expect(
      zeroShotEmbedding.unsupportedReason(task.task, { name: "m", embed: () => [] }, "corrected"),
    ).toBeUndefined();
  });
  test.each([
    [() => [], /returned 0 vectors for 8 sequences/],
    [
      (bases: readonly string[]) => bases.map(() => Float64Array.of(1, Number.NaN)),
      /a vector with NaN for row 0/,
    ],
    [(bases: readonly string[]) => bases.map(() => Float64Array.of(0, 0)), /vector of zeros for row 0/],
    [
      (bases: readonly string[]) => bases.map((_, i) => new Float64Array(i + 1)),
      /vector of 2 numbers for row 0/,
    ],
  ])("a model's bad vectors are named", async (pool, message) => {
    await expect(answers({ name: "m", pool }, "corrected", DISTANCE)).rejects.toThrow(message);
  });
  test("refuses an invalid recipe", () => {
    expect(() => zeroShotEmbedding.checkRecipe!({ ...DISTANCE, order: "random" })).toThrow(
      /order of the recipe/,
    );
  });
});
