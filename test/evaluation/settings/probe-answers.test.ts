import { expect, test } from "vitest";
import { Embedder } from "../../../src/evaluation/embeddings/embedder.ts";
import { ProbePredictions, type ReadPositions } from "../../../src/evaluation/settings/probe-predictions.ts";
import { PartPrograms } from "../../../src/evaluation/settings/trained-predictor.ts";
import type { OpenTask, Task } from "../../../src/evaluation/tasks/task.ts";
import type { Example } from "../../../src/evaluation/tasks/task-rows.ts";
import type { Model, SequenceEmbedding } from "../../../src/models/model.ts";
import { type BaseTokens, probingHead } from "../../../src/models/training/probing-head.ts";
import { FreshLayers, initialValues } from "../../../src/net/nn/init.ts";

const BASES = 40;
const WIDTH = 2;

/**
 * Tokens of some letters each between a start and, maybe, an end token; a state encodes its own bases and
 * nothing else.
 */
function localModel(lengthsOf: (letters: string) => readonly number[], ends: number): Model {
  const embed = (letters: string): SequenceEmbedding => {
    const lengths = [...(ends > 1 ? [0] : []), ...lengthsOf(letters), 0];
    const stops = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0));
    const starts = stops.map((stop, i) => stop - lengths[i]);
    const states = stops.flatMap((stop, i) => {
      const own = letters.slice(starts[i], stop);
      return [own.split("G").length - 1, own === "" ? 5 : own.length];
    });
    const spans = (values: readonly number[]) =>
      Int32Array.from(values, (v, i) => (lengths[i] === 0 ? 0 : v));
    return {
      states: Float32Array.from(states),
      tokens: lengths.length,
      width: WIDTH,
      starts: spans(starts),
      ends: spans(stops),
    };
  };
  return {
    name: "local",
    identity: "local",
    embed: (sequences) => sequences.map(embed),
    tokenCount: (letters) => embed(letters).tokens,
  };
}

/** Rows of two sequences each; letter `at` of the second one is another one than the first's. */
const example = (row: number, first: string, at: number): Example => ({
  row,
  sequences: [first, `${first.slice(0, at)}G${first.slice(at + 1)}`],
  facts: {},
});

function taskOf(rows: readonly Example[]): OpenTask {
  const task = { name: "pairs", members: ["first", "second"], window: BASES } as unknown as Task;
  const numbers = Uint32Array.from(rows, ({ row }) => row);
  return {
    task,
    digests: {},
    select: () => ({ rows: numbers, inTable: rows.length, perChromosome: new Map(), memory: 0 }),
    examples: async (asked) => Array.from(asked, (number) => rows.find(({ row }) => row === number)!),
    async close() {},
  };
}

const layers = new FreshLayers();
const head = probingHead(layers, { width: WIDTH, kernel: 3, outputs: 1 });
const parameters = initialValues(layers.tensors, 3);

async function answersOf(
  model: Model,
  rows: readonly Example[],
  options: { readonly read: ReadPositions; readonly basesOf: BaseTokens; readonly batchSize?: number },
) {
  const embedder = new Embedder({ model, protocol: "corrected", batchSize: 4 });
  const context = { task: taskOf(rows), model, signal: undefined };
  const answers = new ProbePredictions(context, { head, width: WIDTH, embedder, batchSize: 256, ...options });
  const parts = await answers.answer(rows);
  const programs = new PartPrograms(parameters);
  const { data, shape } = await programs.run(parts);
  await programs.close();
  expect(shape).toEqual([2 * rows.length, 1]);
  return { parts, values: Array.from(data as Float32Array) };
}

const gather: BaseTokens = { kind: "gather", length: BASES };
const kMers = { ...localModel((letters) => Array(letters.length / 4).fill(4), 2), tokens: "k-mer" } as Model;

test("read by tokens, a change behind so many bases as there are tokens is not seen; read by bases it is", async () => {
  const rows = [example(0, "ACTC".repeat(10), 30), example(1, "ACTC".repeat(10), 6)];
  const bases = await answersOf(kMers, rows, { read: "bases", basesOf: gather });
  expect(bases.values[0]).not.toBe(bases.values[1]);
  const tokens = await answersOf(kMers, rows, { read: "tokens", basesOf: gather });
  expect(tokens.parts.map(({ feeds }) => feeds.index.shape)).toEqual([[4, 12]]);
  expect(tokens.values[0]).toBe(tokens.values[1]);
  expect(tokens.values[2]).not.toBe(tokens.values[3]);
  expect(Array.from(tokens.parts[0].feeds.index.data as Int32Array).slice(0, 12)).toEqual([
    1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
  ]);
});

test("with byte pairs the head reads as many bases as the longest sequence of a batch has tokens, per member", async () => {
  // A token ends behind every G.
  const pairs = {
    ...localModel((letters) => letters.match(/[^G]*G|[^G]+$/g)!.map(({ length }) => length), 2),
    tokens: "bpe",
  } as Model;
  const rows = [
    example(0, "ACTG".repeat(10), 1), // 12 and 13 tokens
    example(1, "ACTA".repeat(10), 20), // 3 and 4
    example(2, "ACTC".repeat(10), 20), // 3 and 4, in the next batch
  ];
  const { parts, values } = await answersOf(pairs, rows, { read: "tokens", basesOf: gather, batchSize: 2 });
  const read = parts.map(({ feeds, sequences }) => [feeds.index.shape[1], sequences]);
  expect(read).toEqual([
    [12, [0, 2]],
    [13, [1, 3]],
    [3, [4]],
    [4, [5]],
  ]);
  for (const [i, row] of rows.slice(0, 2).entries()) {
    // In a table of its own the second row has fewer tokens.
    const alone = await answersOf(pairs, [row], { read: "tokens", basesOf: gather, batchSize: 2 });
    alone.values.forEach((value, member) => {
      const together = values[2 * i + member];
      if (i === 0) expect(value).toBeCloseTo(together, 5);
      else expect(Math.abs(value - together)).toBeGreaterThan(1e-3);
    });
  }
});

test("with one token per base the head reads all tokens including the end token", async () => {
  const letters = { ...localModel((text) => Array(text.length).fill(1), 1), tokens: "one-letter" } as Model;
  const rows = [example(0, "ACTC".repeat(10), 39)];
  const slice = { kind: "slice", length: BASES } as const;
  const all = await answersOf(letters, rows, { read: "tokens", basesOf: slice });
  const ends = await answersOf(letters, rows, { read: "tokens", basesOf: { kind: "ends", length: BASES } });
  const bases = await answersOf(letters, rows, { read: "bases", basesOf: slice });
  expect(all.parts[0].feeds.embedding.shape).toEqual([2, BASES + 1, WIDTH]);
  expect(ends.values).toEqual(all.values);
  expect(bases.values).not.toEqual(all.values);
  expect(bases.values[0]).not.toBe(bases.values[1]);
});
