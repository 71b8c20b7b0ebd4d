import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { CELL_LINES } from "../../../src/datasets/cell-lines.ts";
import type { CellRecord } from "../../../src/evaluation/runs/cell.ts";
import { mainStatisticOf, measureCell } from "../../../src/evaluation/runs/merge.ts";
import { TASKS } from "../../../src/evaluation/tasks/catalogue.ts";
import { mainEstimate } from "../../../src/evaluation/tasks/intervals.ts";
import type { Prediction, RowFacts } from "../../../src/evaluation/tasks/prediction.ts";
import { recipeFor } from "../../../src/evaluation/tasks/recipe.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";

const PROTOCOLS = ["corrected", "paper"] as const;
const ROWS = 240;
const CHROMOSOMES = Array.from({ length: 12 }, (_, i) => `chr${i + 1}`);

type Draw = (row: number, rng: Pcg64) => Prediction;

const positionOf = (row: number) => {
  const start = 350_000 * row;
  return { chrom: CHROMOSOMES[row % CHROMOSOMES.length], start, end: start + 350 };
};

const likelihood =
  (members: number, factsOf: (row: number, rng: Pcg64) => RowFacts): Draw =>
  (row, rng) => ({
    kind: "likelihood",
    row,
    values: Array.from({ length: members }, (_, member) => -400 + (members - member) + 3 * normal(rng)),
    facts: factsOf(row, rng),
  });

const logits =
  (members: number, classes: number, factsOf: (row: number) => RowFacts): Draw =>
  (row, rng) => ({
    kind: "logits",
    row,
    logits: Array.from({ length: members }, () => Array.from({ length: classes }, () => normal(rng))),
    facts: factsOf(row),
  });

const activity =
  (members: number, factsOf: (row: number, rng: Pcg64) => RowFacts): Draw =>
  (row, rng) => {
    const facts = factsOf(row, rng);
    const counts = typeof facts.counts === "number" ? facts.counts : 0;
    return {
      kind: "activity",
      row,
      values: Array.from({ length: members }, () => Math.log1p(counts) + normal(rng)),
      facts,
    };
  };

const distance =
  (members: number, factsOf: (row: number, rng: Pcg64) => RowFacts): Draw =>
  (row, rng) => ({
    kind: "distance",
    row,
    values: Array.from({ length: members }, () => rng.nextFloat64()),
    facts: factsOf(row, rng),
  });

const pairFacts = (row: number) => ({ ...positionOf(row), unknown: 0, same: 0 });
const footprintFacts = (row: number) => ({ background: row % 30, motif: `motif ${row % 8}`, strand: "+" });
const lineOf = (row: number) => CELL_LINES[row % CELL_LINES.length];
const cellTypeFacts = (row: number) => ({ ...positionOf(row), label: lineOf(row), unknown: 0 });
const activityFacts = (row: number, rng: Pcg64) => ({
  ...positionOf(row),
  set: ["peaks", "idr", "nonpeaks"][row % 3],
  counts: Math.floor(row % 3 === 2 ? 3 * rng.nextFloat64() : 40 * rng.nextFloat64()),
  unknown: 0,
});
const variantFacts = (row: number, rng: Pcg64) => ({
  ...positionOf(row),
  allele1: "A",
  allele2: "G",
  reference: 1,
  original: "ok",
  form: "caqtl",
  favours: "allele2",
  significant: row % 4 === 0 ? 1 : 0,
  used: 1,
  inPeaks: 1,
  effect: normal(rng),
  unknown: 0,
});

/** Predictions by task and setting; "*" for settings without a line. */
const DRAWS: Readonly<Record<string, Readonly<Record<string, Draw>>>> = {
  "regulatory-elements": { "zero-shot": likelihood(2, pairFacts), "*": logits(2, 2, pairFacts) },
  "motif-footprinting": {
    "zero-shot": likelihood(3, footprintFacts),
    "zero-shot-embedding": distance(2, footprintFacts),
  },
  "cell-type-elements": {
    "zero-shot-embedding": (row, rng) => {
      const vector = Buffer.alloc(24);
      for (let i = 0; i < 6; i++) vector.writeFloatLE((row % 5 === i ? 2 : 0) + normal(rng), 4 * i);
      return { kind: "vector", row, vectors: [vector.toString("base64")], facts: cellTypeFacts(row) };
    },
    "*": logits(1, CELL_LINES.length, cellTypeFacts),
  },
  "chromatin-activity": { "*": activity(1, activityFacts) },
  "variant-effects": {
    "zero-shot": likelihood(2, variantFacts),
    "zero-shot-embedding": distance(1, variantFacts),
    "*": activity(2, variantFacts),
  },
};

const recordOf = (task: Task, setting: string, protocol: (typeof PROTOCOLS)[number]): CellRecord => {
  const recipe = recipeFor(task.settings[setting], { task: task.name, setting, family: undefined, protocol });
  return {
    identity: "",
    cell: {
      identityVersion: 1,
      task: task.name,
      taskVersion: task.version,
      model: { name: "model", identity: null },
      setting,
      protocol,
      seed: 0,
      split: "all",
      limit: null,
      recipe: "clusterSeeds" in recipe ? { ...recipe, clusters: 8, clusterSeeds: 3, components: 4 } : recipe,
      data: {},
    },
    rows: { inTable: ROWS, selected: ROWS, digest: "" },
  };
};

describe.each(TASKS.flatMap((task) => Object.keys(task.settings).map((setting) => ({ task, setting }))))(
  "the comparison of $task.name in $setting has the estimate of the result",
  ({ task, setting }) => {
    test.each(PROTOCOLS)("under %s", async (protocol) => {
      const draw = DRAWS[task.name][setting] ?? DRAWS[task.name]["*"];
      const rng = new Pcg64(1);
      const predictions = Array.from({ length: ROWS }, (_, row) => draw(row, rng));
      const record = recordOf(task, setting, protocol);
      const [main] = (await measureCell(task, record, predictions)).metrics;
      const statistic = (await mainStatisticOf(task, record, predictions))!;
      expect(statistic.metric).toBe(main.name);
      const every = new Int32Array(statistic.blocks.sizes.length).fill(1);
      // Sums over blocks and over rows round differently.
      expect(statistic.statistic(every)).toBeCloseTo(main.value!, 12);
      const printed = main.intervals.find(({ basis }) => basis !== undefined);
      const paperRanks =
        protocol === "paper" && task.name === "chromatin-activity" && setting !== "predicted";
      if (paperRanks) expect(main.intervals).toEqual([]);
      else expect(mainEstimate(statistic)).toEqual(printed);
    });
  },
);
