import { describe, expect, test } from "vitest";
import { TASKS } from "../../../src/evaluation/tasks/catalogue.ts";
import { parseRecipe, recipeFor } from "../../../src/evaluation/tasks/recipe.ts";
import {
  ELEMENTS_AB_INITIO,
  ELEMENTS_FINE_TUNED,
  ELEMENTS_PROBED,
} from "../../../src/evaluation/tasks/regulatory-elements/recipes.ts";
import type { TaskSetting } from "../../../src/evaluation/tasks/task.ts";
import { NETWORKS } from "../../../src/models/baselines/networks.ts";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import type { Protocol } from "../../../src/models/model.ts";

const form = (table: Omit<TaskSetting, "defaultSplit">): TaskSetting => ({ ...table, defaultSplit: "test" });
const task = "regulatory-elements";
const place = (setting: string, family: string | undefined, protocol: Protocol) => ({
  task,
  setting,
  family,
  protocol,
});
const values = (recipe: object, ...names: string[]) =>
  names.map((name) => (recipe as Record<string, unknown>)[name]);

const FAMILIES = LANGUAGE_MODELS.map(({ name }) => name);

describe("the original's tables for Task 1, row by row", () => {
  // Families in the order of the table: Caduceus, DNABERT-2, GENA-LM, HyenaDNA, Mistral-DNA, NT.
  const ORDER = ["caduceus", "dnabert2", "gena-lm", "hyenadna", "mistral-dna", "nucleotide-transformer"];

  test("every family that the original evaluates has its column", () => {
    const evaluated = LANGUAGE_MODELS.filter(({ publishedAs }) => publishedAs !== undefined);
    expect(evaluated.map(({ name }) => name).sort()).toEqual([...ORDER].sort());
  });

  test("probed: kernel 3 and two tokens for Caduceus, 8 and every base for the others; 2,048 pairs, 2e-3, 150 epochs", () => {
    const recipes = ORDER.map((family) => recipeFor(form(ELEMENTS_PROBED), place("probed", family, "paper")));
    expect(recipes.map(({ kernel }) => kernel)).toEqual([3, 8, 8, 8, 8, 8]);
    expect(recipes.map(({ positions }) => positions)).toEqual(["ends", ...Array(5).fill("bases")]);
    for (const recipe of recipes) {
      expect(values(recipe, "batchSize", "learningRate", "epochs", "optimizer")).toEqual([
        2048,
        2e-3,
        150,
        "adam",
      ]);
      expect(values(recipe, "order", "patience", "extractionBatchSize")).toEqual(["file", null, 512]);
    }
  });

  test("ab initio: 2,048 pairs, 1e-3, 150 epochs", () => {
    const recipe = recipeFor(form(ELEMENTS_AB_INITIO), place("ab-initio", "probing-head-like", "paper"));
    expect(values(recipe, "batchSize", "learningRate", "epochs", "optimizer", "order")).toEqual([
      2048,
      1e-3,
      150,
      "adam",
      "file",
    ]);
    expect(NETWORKS.map(({ family }) => family)).toContain("probing-head-like");
  });

  test("fine-tuned: batches, accumulation, epochs and evaluation batches", () => {
    const recipes = ORDER.map((family) =>
      recipeFor(form(ELEMENTS_FINE_TUNED), place("fine-tuned", family, "paper")),
    );
    const column = (name: string) => recipes.map((recipe) => recipe[name]);
    expect(column("batchSize")).toEqual([64, 128, 128, 128, 128, 128]);
    expect(column("accumulate")).toEqual([2, 1, 1, 1, 1, 1]);
    expect(column("epochs")).toEqual([16, 10, 10, 20, 25, 5]);
    expect(column("evaluationBatchSize")).toEqual([2048, 4096, 1024, 4096, 2048, 4096]);
    for (const recipe of recipes) {
      expect(values(recipe, "rank", "alpha", "dropout", "learningRate", "weightDecay", "optimizer")).toEqual([
        8,
        16,
        0.05,
        1e-4,
        0.01,
        "adamw",
      ]);
    }
  });

  test("corrected: shuffled from a recorded seed, an end when nothing improves, every base for Caduceus too", () => {
    const recipe = recipeFor(form(ELEMENTS_PROBED), place("probed", "caduceus", "corrected"));
    expect(values(recipe, "kernel", "positions", "order", "patience", "trainingSeed")).toEqual([
      8,
      "bases",
      "shuffled",
      10,
      0,
    ]);
    const own = recipeFor(form(ELEMENTS_PROBED), place("probed", undefined, "corrected"));
    expect(own).toEqual(recipe);
  });
});

test("every override names a known family and values that the recipe has, with its reason", () => {
  const known = [...FAMILIES, ...NETWORKS.map(({ family }) => family), "motif-counts"];
  const rows = TASKS.flatMap(({ name, settings }) =>
    Object.entries(settings).flatMap(([setting, { recipe, overrides = [] }]) =>
      overrides.map((override) => ({ cell: `${name} × ${setting}`, recipe, ...override })),
    ),
  );
  expect(rows.map(({ cell, family }) => `${cell}: ${family}`)).toEqual([
    "regulatory-elements × probed: caduceus",
    "regulatory-elements × fine-tuned: caduceus",
    "cell-type-elements × zero-shot-embedding: motif-counts",
    "cell-type-elements × probed: caduceus",
    "cell-type-elements × probed: nucleotide-transformer",
    "cell-type-elements × fine-tuned: caduceus",
    "cell-type-elements × ab-initio: chrombpnet-like",
    "chromatin-activity × probed: caduceus",
    "chromatin-activity × fine-tuned: caduceus",
    "variant-effects × probed: caduceus",
    "variant-effects × fine-tuned: caduceus",
  ]);
  for (const { cell, recipe, family, change, because } of rows) {
    expect(known, cell).toContain(family);
    for (const name of Object.keys(change)) expect(recipe, cell).toHaveProperty(name);
    expect(because.length).toBeGreaterThan(30);
  }
});

describe("requested values", () => {
  const asked = (recipe: Record<string, string | number | boolean | null>) =>
    recipeFor(form(ELEMENTS_PROBED), place("probed", "caduceus", "paper"), recipe);

  test("come last, over the protocol's and the overrides'", () => {
    expect(
      values(asked({ kernel: 5, order: "shuffled", patience: 3 }), "kernel", "order", "patience"),
    ).toEqual([5, "shuffled", 3]);
    expect(asked({ trainRows: 100 }).trainRows).toBe(100);
    expect(asked({ trainRows: null }).trainRows).toBeNull();
  });

  test("must have a name and type of the recipe", () => {
    expect(() => asked({ depth: 1 })).toThrow(/probed has no "depth"/);
    expect(() => asked({ epochs: "two" })).toThrow(/epochs of the recipe is "two"; expected a number/);
    expect(() => asked({ order: 3 })).toThrow(/order of the recipe is 3; expected a string/);
    expect(() => asked({ order: null })).toThrow(/expected a string/);
  });

  test("are parsed from the command line", () => {
    expect(
      parseRecipe(["epochs=2", " learningRate = 1e-3 ", "order=file", "patience=none", "fast=true"]),
    ).toEqual({
      epochs: 2,
      learningRate: 1e-3,
      order: "file",
      patience: null,
      fast: true,
    });
    expect(parseRecipe([])).toEqual({});
    for (const text of ["epochs", "=2", "epochs=", "2=epochs", "epochs=2 rows=3"]) {
      expect(() => parseRecipe([text]), text).toThrow(/is not a value of a recipe/);
    }
    expect(() => parseRecipe(["epochs=2", "epochs=3"])).toThrow(/epochs is given twice/);
  });
});
