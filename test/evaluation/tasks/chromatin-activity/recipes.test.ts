import { describe, expect, test } from "vitest";
import { abInitio } from "../../../../src/evaluation/settings/ab-initio.ts";
import { fineTuned } from "../../../../src/evaluation/settings/fine-tuned.ts";
import { probed } from "../../../../src/evaluation/settings/probed.ts";
import { chromatinActivity } from "../../../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import { checkEpochRecipe } from "../../../../src/evaluation/tasks/chromatin-activity/training.ts";
import { type Recipe, recipeFor } from "../../../../src/evaluation/tasks/recipe.ts";
import type { Protocol } from "../../../../src/models/model.ts";

// Families in the order of the table: Caduceus, DNABERT-2, GENA-LM, HyenaDNA, Mistral-DNA, NT.
const ORDER = ["caduceus", "dnabert2", "gena-lm", "hyenadna", "mistral-dna", "nucleotide-transformer"];

const recipeOf = (setting: string, family: string | undefined, protocol: Protocol): Recipe =>
  recipeFor(chromatinActivity.settings[setting], {
    task: chromatinActivity.name,
    setting,
    family,
    protocol,
  });
const columns = (setting: string, protocol: Protocol, name: string) =>
  ORDER.map((family) => recipeOf(setting, family, protocol)[name]);

describe("the original's tables for Task 4, row by row", () => {
  test("probed: batches, kernels, batches of extraction", () => {
    const column = (name: string) => columns("probed", "paper", name);
    expect(column("batchSize")).toEqual([512, 512, 1024, 1024, 1024, 1024]);
    expect(column("kernel")).toEqual([3, 8, 8, 8, 8, 8]);
    expect(column("positions")).toEqual(["ends", ...new Array(5).fill("bases")]);
    expect(column("extractionBatchSize")).toEqual([256, 64, 64, 512, 512, 64]);
    expect(recipeOf("probed", "hyenadna", "paper")).toMatchObject({
      optimizer: "adam",
      learningRate: 2e-3,
      epochs: 150,
      evaluationBatchSize: 1024,
      order: "file",
      negatives: "first-segment",
      negativeRatio: 10,
      patience: null,
    });
  });

  test("fine-tuned: batches, accumulation, epochs and evaluation batches", () => {
    const column = (name: string) => columns("fine-tuned", "paper", name);
    expect(column("batchSize")).toEqual([12, 24, 24, 24, 24, 24]);
    expect(column("accumulate")).toEqual([8, 4, 4, 4, 4, 4]);
    expect(column("epochs")).toEqual([50, 25, 25, 45, 25, 10]);
    expect(column("evaluationBatchSize")).toEqual([24, 24, 512, 24, 24, 24]);
    expect(recipeOf("fine-tuned", "hyenadna", "paper")).toMatchObject({
      optimizer: "adamw",
      learningRate: 1e-4,
      weightDecay: 0.01,
      rank: 8,
      alpha: 16,
      dropout: 0.05,
      order: "shuffled",
      negatives: "strided",
      negativeRatio: 10,
      patience: null,
    });
  });

  test("corrected: the tenths of the non-peaks take turns, rows are shuffled, every base is seen", () => {
    expect(recipeOf("probed", "caduceus", "corrected")).toMatchObject({
      positions: "bases",
      kernel: 8,
      order: "shuffled",
      negatives: "segments",
      patience: 10,
    });
  });
});

test("every recipe is valid for its setting and task", () => {
  for (const setting of [probed, fineTuned, abInitio]) {
    for (const family of [undefined, ...ORDER]) {
      for (const protocol of ["paper", "corrected"] as const) {
        const recipe = recipeOf(setting.name, family, protocol);
        expect(() => setting.checkRecipe!(recipe)).not.toThrow();
        expect(() => checkEpochRecipe(recipe)).not.toThrow();
      }
    }
  }
});
