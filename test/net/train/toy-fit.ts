import { setTimeout } from "node:timers/promises";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { FreshLayers, initialValues } from "../../../src/net/nn/init.ts";
import { linear } from "../../../src/net/nn/linear.ts";
import { crossEntropy, crossEntropyPerRow } from "../../../src/net/nn/losses.ts";
import type { ExampleSource } from "../../../src/net/train/batches.ts";
import type { FitRecipe, FitRequest } from "../../../src/net/train/fit.ts";

const WIDTH = 6;

const layers = new FreshLayers();
const hidden = layers.linear("hidden", WIDTH, 8);
const output = layers.linear("output", 8, 2);
const labels = g.input("labels", "int32", ["b"]);
const logits = linear(output, g.tanh(linear(hidden, g.input("x", "float32", ["b", WIDTH]))));

/**
 * Rows of numbers; the label is 1 where the first two sum to more than 0. One value of row `wrong` is NaN.
 */
export function toyExamples(
  examples: number,
  seed: number,
  { wrong = -1, milliseconds = 0 } = {},
): ExampleSource {
  const rng = new Pcg64(seed);
  const values = Float32Array.from({ length: examples * WIDTH }, () => normal(rng));
  if (wrong >= 0) values[wrong * WIDTH] = Number.NaN;
  return {
    examples,
    async batch(rows) {
      if (milliseconds > 0) await setTimeout(milliseconds);
      const x = new Float32Array(rows.length * WIDTH);
      rows.forEach((row, i) => {
        x.set(values.subarray(row * WIDTH, (row + 1) * WIDTH), i * WIDTH);
      });
      const label = Int32Array.from(rows, (row) => Number(values[row * WIDTH] + values[row * WIDTH + 1] > 0));
      return {
        x: { dtype: "float32", shape: [rows.length, WIDTH], data: x },
        labels: { dtype: "int32", shape: [rows.length], data: label },
      };
    },
  };
}

/** A small training run in a folder. */
export function toyFit(
  folder: string,
  { recipe, ...more }: Partial<Omit<FitRequest, "recipe">> & { recipe?: Partial<FitRecipe> } = {},
): FitRequest {
  return {
    step: {
      loss: crossEntropy(logits, labels),
      trained: initialValues(layers.tensors, 1) as ReadonlyMap<string, NdArray>,
      frozen: new Map(),
      optimizer: { learningRate: 0.02, weightDecay: 0.01 },
      accumulate: 3,
      program: { threads: 1 },
    },
    training: toyExamples(100, 1),
    validation: {
      data: toyExamples(40, 2),
      batchSize: 16,
      outputs: { losses: crossEntropyPerRow(logits, labels) },
      tally() {
        let sum = 0;
        let rows = 0;
        return {
          add({ losses }) {
            for (const loss of losses.data as Float32Array) sum += loss;
            rows += losses.data.length;
          },
          columns: () => ({ val_loss: sum / rows, val_rows: rows }),
        };
      },
    },
    recipe: { epochs: 4, batchSize: 8, order: { kind: "shuffled", seed: 5 }, ...recipe },
    folder,
    identity: { data: "toy" },
    ...more,
  };
}
