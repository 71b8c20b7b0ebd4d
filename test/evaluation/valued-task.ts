import { sha256Hex } from "../../src/base/digest.ts";
import { isInSplit } from "../../src/dna/genome/chromosome-split.ts";
import { asKind, ofKind, type Predictions } from "../../src/evaluation/tasks/prediction.ts";
import { numbersOf } from "../../src/evaluation/tasks/table-rows.ts";
import type { LabelledRow, OpenTask, Supervision, Task } from "../../src/evaluation/tasks/task.ts";
import type { Example } from "../../src/evaluation/tasks/task-rows.ts";
import { trainingRecipes } from "./classified-task.ts";

const WINDOW = 12;
const CHROMOSOMES = ["chr1", "chr1", "chr6", "chr5"];

const RECIPES = trainingRecipes({ learningRate: 0.05, batchSize: 16, dropout: 0 });

const truth = ({ facts }: LabelledRow) => Math.log1p(Number(facts.counts));

function errorOf(predictions: Predictions): number {
  const errors = ofKind("activity", predictions).map(
    (prediction) => (prediction.values[0] - truth(prediction)) ** 2,
  );
  return errors.reduce((a, b) => a + b, 0) / errors.length;
}

export interface ValuedTaskOptions {
  readonly rows?: number;
  readonly rowsOfEpoch?: NonNullable<Supervision["rowsOfEpoch"]>;
  /** Columns of the log beside the loss. */
  readonly alsoValidated?: Readonly<Record<string, number>>;
}

/** A task without files whose rows have a number to be learned: how many of their bases are G. */
export function valuedTask({ rows = 96, rowsOfEpoch, alsoValidated }: ValuedTaskOptions = {}): Task {
  const form = {
    defaultSplit: "test",
    supervision: {
      loss: "squared-error",
      labels: (row) => [truth(row)],
      validate: (predictions) => ({ val_loss: errorOf(predictions), ...alsoValidated }),
      ...(rowsOfEpoch === undefined ? {} : { rowsOfEpoch }),
    },
  } as const satisfies Omit<Task["settings"][string], "recipe">;
  return taskOf({
    name: "valued",
    members: ["sequence"],
    rows,
    settings: {
      probed: { ...form, recipe: RECIPES.probed },
      "fine-tuned": { ...form, recipe: RECIPES["fine-tuned"] },
      "ab-initio": { ...form, recipe: RECIPES["ab-initio"] },
    },
    exampleOf: (row) => exampleOf(row, [`row ${row}`]),
  });
}

/** Compares two sequences per row by a model trained on another task. */
export function comparedTask(training: Task): Task {
  const settings = Object.fromEntries(
    Object.entries(training.settings).map(([name, { recipe }]) => [
      name,
      { defaultSplit: "all", trainedBy: training.name, recipe: { ...recipe, compared: "both" } } as const,
    ]),
  );
  const exampleOfBoth = (row: number) => exampleOf(row, [`first ${row}`, `second ${row}`]);
  return taskOf({
    name: "compared",
    members: ["first", "second"],
    rows: 10,
    settings,
    training,
    exampleOf: exampleOfBoth,
  });
}

interface Parts {
  readonly name: string;
  readonly members: readonly string[];
  readonly rows: number;
  readonly settings: Task["settings"];
  readonly training?: Task;
  readonly exampleOf: (row: number) => Example;
}

function taskOf({ name, members, rows, settings, training, exampleOf }: Parts): Task {
  const task: Task = {
    name,
    version: 1,
    title: name,
    question: "How many G has it?",
    source: "made up",
    window: WINDOW,
    members,
    inputs: [],
    settings,
    ...(training === undefined ? {} : { trainingTasks: [training] }),
    async open(_inputs, options) {
      const table = Array.from({ length: rows }, (_, index) => ({ index, chrom: CHROMOSOMES[index % 4] }));
      const trainer = await training?.open({}, options);
      const opened: OpenTask = {
        task,
        digests: { table: sha256Hex(`${name} ${rows}`), ...trainer?.digests },
        ...(trainer === undefined ? {} : { training: trainer }),
        select: ({ split }) => ({
          rows: numbersOf(table.filter(({ chrom }) => isInSplit(chrom, split))),
          inTable: rows,
          perChromosome: new Map([["chr1", rows]]),
          memory: 0,
        }),
        examples: async (some) => Array.from(some, exampleOf),
        close: async () => trainer?.close(),
      };
      return opened;
    },
    measure(predictions) {
      const value = training === undefined ? errorOf(predictions) : predictions.length;
      return {
        metrics: [{ name: "error", title: "error", better: "lower", main: true, value, intervals: [] }],
        published: { test_loss: value },
        counts: { rows: predictions.length },
        averages: {},
        quirks: [],
        notes: [],
      };
    },
    scores: {
      columns: ["idx", ...members],
      line(prediction) {
        const { row, values } = asKind("activity", prediction);
        return [row, ...values];
      },
    },
  };
  return task;
}

function exampleOf(row: number, names: readonly string[]): Example {
  const sequences = names.map((name) => {
    const digest = sha256Hex(name);
    const rich = Number.parseInt(digest[0], 16);
    return [...digest.slice(1, WINDOW + 1)]
      .map((hex) => (Number.parseInt(hex, 16) < rich ? "G" : "A"))
      .join("");
  });
  const counts = [...sequences[0]].filter((letter) => letter === "G").length;
  return { row, sequences, facts: { counts } };
}
