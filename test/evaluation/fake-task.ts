import { sha256Hex } from "../../src/base/digest.ts";
import type { SettingContext } from "../../src/evaluation/settings/setting.ts";
import { asKind, ofKind } from "../../src/evaluation/tasks/prediction.ts";
import { numbersOf } from "../../src/evaluation/tasks/table-rows.ts";
import type { OpenTask, Task } from "../../src/evaluation/tasks/task.ts";
import type { Example } from "../../src/evaluation/tasks/task-rows.ts";
import type { Model } from "../../src/models/model.ts";

/**
 * A task without files: row i is a sequence that follows from i, and its reverse. Rows are on chr1 and chr5
 * in turn.
 */
export function fakeTask({ rows = 100, chromosomes = ["chr5"], version = 1 } = {}): Task {
  const task: Task = {
    name: "fake",
    version,
    title: "fake",
    question: "Is a sequence more likely than its reverse?",
    source: "made up",
    window: 8,
    members: ["sequence", "reverse"],
    inputs: [],
    settings: { "zero-shot": { recipe: { score: "log-likelihood" }, defaultSplit: "test" } },
    async open(inputs) {
      const table = Array.from({ length: rows }, (_, index) => ({
        index,
        chrom: chromosomes[index % chromosomes.length],
      }));
      const opened: OpenTask = {
        task,
        digests: { table: sha256Hex(String(inputs.table ?? rows)) },
        select({ split, limit }) {
          const chosen = numbersOf(table.filter(({ chrom }) => split === "all" || chrom === "chr5"));
          const perChromosome = new Map(
            chromosomes.map((chrom) => [chrom, table.filter((row) => row.chrom === chrom).length]),
          );
          return { rows: chosen.slice(0, limit ?? rows), inTable: rows, perChromosome, memory: 0 };
        },
        examples: async (some) => Array.from(some, exampleOf),
        async close() {},
      };
      return opened;
    },
    measure(given) {
      const predictions = ofKind("likelihood", given);
      const wins = predictions.filter(({ values }) => values[0] > values[1]).length;
      // A sum whose rounding shows the order in which it was taken.
      const sum = predictions.reduce((total, { values }) => total + values[0] / 3, 0);
      return {
        metrics: [{ name: "wins", title: "wins", better: "higher", main: true, value: wins, intervals: [] }],
        published: { sum },
        counts: { rows: predictions.length },
        averages: {},
        quirks: [],
        notes: [],
      };
    },
    scores: {
      columns: ["idx", "first", "second"],
      line(prediction) {
        const { row, values } = asKind("likelihood", prediction);
        return [row, ...values];
      },
    },
  };
  return task;
}

/** Sequence of row i, 8 to 23 bases long. */
function exampleOf(index: number): Example {
  const digest = sha256Hex(`row ${index}`);
  const length = 8 + Number.parseInt(digest[0], 16);
  const bases = [...digest.slice(0, length)].map((hex) => "ACGT"[Number.parseInt(hex, 16) % 4]).join("");
  return { row: index, sequences: [bases, [...bases].reverse().join("")], facts: { chrom: "chr5" } };
}

export interface FakeModel extends Model {
  logLikelihood(sequences: readonly string[]): Promise<Float64Array>;
  /** Every call's sequences. */
  readonly calls: (readonly string[])[];
}

/**
 * Scores whose last digits depend on the batch, as on a real device: other batches give other scores.
 *
 * @param milliseconds  duration of each call but the first
 */
export function fakeModel({
  milliseconds = 0,
  identity = "fake 1",
  ...more
}: { milliseconds?: number; identity?: string } & Partial<Model> = {}): FakeModel {
  const calls: (readonly string[])[] = [];
  return {
    name: "fake-model",
    identity,
    batchSize: 10,
    tokenCount: (sequence) => sequence.length + 1,
    calls,
    async logLikelihood(sequences) {
      calls.push(sequences);
      if (milliseconds > 0 && calls.length > 1) await new Promise((done) => setTimeout(done, milliseconds));
      const widest = Math.max(...sequences.map(({ length }) => length));
      return Float64Array.from(sequences, (bases) => {
        const number = Number.parseInt(sha256Hex(bases).slice(0, 12), 16) / 2 ** 48;
        return -bases.length - number - widest * 1e-9 - sequences.length * 1e-10;
      });
    },
    ...more,
  } as FakeModel;
}

/** Context of a cell in memory: corrected, seed 0, on the CPU, with an empty recipe. */
export const settingContext = (
  given: Pick<SettingContext, "task" | "model"> & Partial<SettingContext>,
): SettingContext => ({
  protocol: "corrected",
  seed: 0,
  device: "cpu",
  recipe: {},
  batchSize: 100,
  folder: undefined,
  trained: undefined,
  embeddings: undefined,
  onNote: undefined,
  onStage: undefined,
  signal: undefined,
  ...given,
});
