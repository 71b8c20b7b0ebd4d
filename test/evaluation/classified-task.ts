import { sha256Hex } from "../../src/base/digest.ts";
import { isInSplit } from "../../src/dna/genome/chromosome-split.ts";
import { asKind, ofKind, type Predictions } from "../../src/evaluation/tasks/prediction.ts";
import type { Recipe } from "../../src/evaluation/tasks/recipe.ts";
import { numbersOf } from "../../src/evaluation/tasks/table-rows.ts";
import type { OpenTask, Task, TaskSetting } from "../../src/evaluation/tasks/task.ts";
import type { Example } from "../../src/evaluation/tasks/task-rows.ts";
import { predictedClasses } from "../../src/metrics/accuracy.ts";
import { crossEntropyOfRows } from "../../src/metrics/losses.ts";
import { mean } from "../../src/metrics/mean.ts";
import type { Model, SequenceEmbedding } from "../../src/models/model.ts";
import { reduceSum } from "../../src/net/graph/build.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { FreshLayers } from "../../src/net/nn/init.ts";
import { linear } from "../../src/net/nn/linear.ts";

/** Bases of a sequence of the task. */
export const WINDOW = 24;

const CHROMOSOMES = ["chr1", "chr6", "chr5", "chr1"];

/** Recipes of three epochs for a small task. */
export function trainingRecipes({
  learningRate,
  batchSize,
  dropout,
}: Readonly<Record<"learningRate" | "batchSize" | "dropout", number>>) {
  const training = {
    optimizer: "adam",
    learningRate,
    batchSize,
    evaluationBatchSize: batchSize,
    epochs: 3,
    order: "shuffled",
    patience: null,
    trainRows: null,
    valRows: null,
    trainingSeed: 0,
  };
  const head = { head: "cnn", positions: "bases", kernel: 8, extractionBatchSize: 16, storedAs: "float32" };
  const lora = { optimizer: "adamw", weightDecay: 0.01, accumulate: 1, rank: 2, alpha: 4, dropout };
  return {
    probed: { ...training, ...head },
    "fine-tuned": { ...training, ...lora },
    "ab-initio": training,
  } satisfies Readonly<Record<string, Recipe>>;
}

const RECIPES = trainingRecipes({ learningRate: 0.02, batchSize: 8, dropout: 0.1 });

const measured = {
  defaultSplit: "test",
  supervision: {
    loss: "cross-entropy",
    classes: 2,
    labels: () => [1, 0],
    validate: (predictions) => ({ val_loss: lossOf(predictions), val_acc: accuracyOf(predictions) }),
  },
  measure(predictions) {
    const value = accuracyOf(predictions);
    return {
      metrics: [{ name: "accuracy", title: "accuracy", better: "higher", main: true, value, intervals: [] }],
      published: { test_acc: value, test_loss: lossOf(predictions) },
      counts: { rows: predictions.length },
      averages: {},
      quirks: [],
      notes: [],
    };
  },
  scores: {
    columns: ["idx", "a0", "a1", "b0", "b1"],
    line(prediction) {
      const { row, logits } = asKind("logits", prediction);
      return [row, ...logits.flat()];
    },
  },
  publishedFile: "eval",
} satisfies Omit<TaskSetting, "recipe">;

/**
 * A task without files that is easy to learn: the first member of a row has more G, the second more A. Of
 * four rows two are on a training chromosome, one on a validation and one on a test chromosome.
 */
export function classifiedTask({ rows = 96 } = {}): Task {
  const task: Task = {
    name: "classified",
    version: 1,
    title: "classified",
    question: "Has it more G?",
    source: "made up",
    window: WINDOW,
    members: ["first", "second"],
    inputs: [],
    settings: {
      probed: { ...measured, recipe: RECIPES.probed },
      "fine-tuned": { ...measured, recipe: RECIPES["fine-tuned"] },
      "ab-initio": { ...measured, recipe: RECIPES["ab-initio"] },
    },
    async open() {
      const table = Array.from({ length: rows }, (_, index) => ({ index, chrom: CHROMOSOMES[index % 4] }));
      const opened: OpenTask = {
        task,
        digests: { table: sha256Hex(String(rows)) },
        select({ split, limit }) {
          const chosen = numbersOf(table.filter(({ chrom }) => isInSplit(chrom, split)));
          return {
            rows: chosen.slice(0, limit ?? rows),
            inTable: rows,
            perChromosome: new Map([["chr1", rows]]),
            memory: 0,
          };
        },
        examples: async (some) => Array.from(some, exampleOf),
        async close() {},
      };
      return opened;
    },
    measure: measured.measure,
    scores: measured.scores,
  };
  return task;
}

function exampleOf(index: number): Example {
  return {
    row: index,
    sequences: [bases(index, "AGCGTG"), bases(index, "AGCATA")],
    facts: { chrom: "x" },
  };
}

function bases(index: number, alphabet: string): string {
  const digest = sha256Hex(`row ${index}`);
  return Array.from({ length: WINDOW }, (_, i) => alphabet[Number.parseInt(digest[i], 16) % 6]).join("");
}

function columns(given: Predictions) {
  const logits = ofKind("logits", given).flatMap((prediction) => prediction.logits);
  const data = Float64Array.from(logits.flat());
  return { logits: { data, rows: logits.length, columns: 2 }, labels: logits.map((_, i) => 1 - (i % 2)) };
}

function accuracyOf(given: Predictions): number {
  const { logits, labels } = columns(given);
  return mean([...predictedClasses(logits)].map((predicted, i) => Number(predicted === labels[i])));
}

function lossOf(given: Predictions): number {
  const { logits, labels } = columns(given);
  return mean(crossEntropyOfRows(logits, labels));
}

export interface EmbeddingModel extends Model {
  /** Every call's sequences. */
  readonly calls: (readonly string[])[];
}

/** States that encode the bases of each token and a little of the batch it was padded in. */
export function embeddingModel({
  perToken = 1,
  identity = "embedding 1",
  failAt = Number.POSITIVE_INFINITY,
}: {
  readonly perToken?: number;
  readonly identity?: string;
  /** The call that fails, 1-based. */
  readonly failAt?: number;
} = {}): EmbeddingModel {
  const calls: (readonly string[])[] = [];
  return {
    name: "embedding-model",
    identity,
    tokens: perToken === 1 ? "one-letter" : "bpe",
    batchSize: 16,
    calls,
    tokenCount: (sequence) => Math.ceil(sequence.length / perToken) + 1,
    embed(sequences) {
      calls.push(sequences);
      if (calls.length === failAt) throw new Error("killed");
      return sequences.map((sequence) => embeddingOf(sequence, perToken));
    },
  };
}

function embeddingOf(sequence: string, perToken: number): SequenceEmbedding {
  const tokens = Math.ceil(sequence.length / perToken) + 1;
  const width = 4;
  const states = new Float32Array(tokens * width);
  const starts = new Int32Array(tokens);
  const ends = new Int32Array(tokens);
  for (let token = 0; token < tokens - 1; token++) {
    starts[token] = token * perToken;
    ends[token] = Math.min((token + 1) * perToken, sequence.length);
    for (const letter of sequence.slice(starts[token], ends[token])) {
      states[token * width + "ACGT".indexOf(letter)] += 1;
    }
  }
  return { states, tokens, width, starts, ends };
}

/** A network whose outputs are a dense layer of the counts of the bases, or of what `pool` makes of them. */
export const baseCountModel = (name: string, pool: (x: Sym) => Sym = (x) => reduceSum(x, [1])): Model => ({
  name,
  identity: `${name} 1`,
  network: {
    shortest: 1,
    build({ outputs }) {
      const layers = new FreshLayers();
      const output = layers.linear("output", 4, outputs);
      return { tensors: layers.tensors, logits: (x) => linear(output, pool(x)) };
    },
  },
});
