import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SyntheticFiles } from "../../../../src/demo/synthetic/files.ts";
import { openBigWig } from "../../../../src/dna/genome/bigwig.ts";
import { openGenome } from "../../../../src/dna/genome/genome.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { cellTitle } from "../../../../src/evaluation/runs/cell.ts";
import { mergeRun } from "../../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../../src/evaluation/runs/run-shard.ts";
import { chromatinActivity } from "../../../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import type { ChromatinActivityInputs } from "../../../../src/evaluation/tasks/chromatin-activity/rows.ts";
import type { Task } from "../../../../src/evaluation/tasks/task.ts";
import { initCheckpoint } from "../../../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../../src/models/language-model.ts";
import type { Model, Protocol } from "../../../../src/models/model.ts";
import { sharedGenome } from "../../../shared-genomes.ts";
import { folderOfFile } from "../../../temporary-folder.ts";
import { onlyTraining } from "../../only-training.ts";
import { siteCounts } from "../../site-counts.ts";

const root = folderOfFile();
let files: SyntheticFiles;
let inputs: ChromatinActivityInputs & { readonly signal: string };
beforeAll(async () => {
  files = await sharedGenome({ seed: 0, scale: 0.5 });
  const line = files.cellLines.GM12878;
  inputs = {
    genome: files.genome,
    peaks: line.peaksTable,
    idr: line.confidentPeaksTable,
    nonpeaks: line.nonPeaksTable,
    signal: line.signal,
    "cell-line": "GM12878",
  };
});

test("a network that counts binding sites recovers the planted activity of peaks that it has not seen", async () => {
  const { metrics, training, counts } = await evaluate({
    task: chromatinActivity,
    inputs,
    model: siteCounts,
    setting: "ab-initio",
    recipe: { epochs: 24, learningRate: 0.03, batchSize: 32 },
  });
  const of = (name: string) => metrics.find((metric) => metric.name === name)!;
  // Measured: Spearman r 0.788 [0.537, 1], AUROC 0.998.
  expect(metrics[0].name).toBe("spearman-peaks");
  expect(metrics[0].value).toBeGreaterThan(0.6);
  expect(metrics[0].intervals[0].low).toBeGreaterThan(0.2);
  expect(of("auroc").value).toBeGreaterThan(0.95);
  expect(of("loss-peaks").value).toBeLessThan(1);
  expect(training!.epochs.length).toBeGreaterThan(10);
  expect(counts).toMatchObject({ peaks: 68, highConfidencePeaks: 55, nonPeaks: 153, rowsInTable: 1376 });
});

describe("the rows", () => {
  test("train and choose among peaks and non-peaks; all three tables are answered", async () => {
    const task = await chromatinActivity.open(inputs, { seed: 0 });
    const setsOf = async (split: "train" | "test", purpose: "train" | "evaluate") => {
      const { rows } = task.select({ split, purpose, limit: 60 });
      const examples = await task.examples(rows.slice());
      return new Set(examples.map(({ facts }) => facts.set));
    };
    expect(await setsOf("train", "train")).toEqual(new Set(["peaks", "nonpeaks"]));
    expect(await setsOf("test", "evaluate")).toEqual(new Set(["peaks", "idr", "nonpeaks"]));
    const all = task.select({ split: "all", purpose: "evaluate", limit: null });
    expect(all.rows).toEqual(all.rows.slice().map((_, i) => i));
    expect(all.tables).toEqual([0, 412, 412 + 324]);
    expect(task.dataset).toBe("GM12878");
    await task.close();
  });

  test("are their windows' bases and the sum of the signal's middle 1,000 bases", async () => {
    const task = await chromatinActivity.open(inputs, { seed: 0 });
    const { rows } = task.select({ split: "val", purpose: "evaluate", limit: 12 });
    const examples = await task.examples(rows.slice());
    await using genome = await openGenome(files.genome);
    const signal = await openBigWig(inputs.signal);
    for (const { sequences, facts } of examples) {
      const [chrom, start, end] = [facts.chrom!, facts.start!, facts.end!];
      const window = { chrom, start: start - 557, end: end + 557 };
      expect(sequences).toEqual([await genome.sequence(window)]);
      const bases = Array.from({ length: 1000 }, (_, i) => ({
        chrom,
        start: start + i,
        end: start + i + 1,
      }));
      const sums = await signal.sums(bases);
      expect(facts.counts).toBe(sums.reduce((a, b) => a + b, 0));
    }
    await signal.close();
    await task.close();
  });

  test("take an open signal; a window may reach beyond its chromosome or lie on one without signal", async () => {
    await using genome = await openGenome(files.genome);
    const length = genome.chromosomes.get("chr5")!;
    const signal = {
      path: "made up",
      chromosomes: new Map([["chr5", length]]),
      sums: async (some: readonly { start: number; end: number }[]) =>
        Float64Array.from(some, ({ start, end }) => Math.max(0, Math.min(end, length) - start)),
      values: async () => [],
      digest: async () => "0".repeat(64),
      close: async () => {},
    };
    const window = (chrom: string, start: number) => [{ index: 0, chrom, start, end: start + 2114 }];
    const task = await chromatinActivity.open(
      {
        ...inputs,
        genome,
        signal,
        peaks: window("chr5", length - 1000),
        idr: window("chr10", 5000),
        nonpeaks: window("chr5", 5000),
      },
      { seed: 0 },
    );
    const { rows } = task.select({ split: "test", purpose: "evaluate", limit: null });
    const [edge, elsewhere] = await task.examples(rows.slice());
    // The last 500 bases of a synthetic chromosome are N.
    expect(edge.facts).toMatchObject({ set: "peaks", counts: 443, unknown: 500 + 1114 });
    expect(edge.sequences[0].slice(500)).toBe("A".repeat(1614));
    expect([...edge.codes![0].subarray(500)]).toEqual(new Array(1614).fill(4));
    expect(edge.codes![0].subarray(0, 500)).not.toContain(4);
    expect(elsewhere.facts).toMatchObject({ set: "idr", unmeasured: 1 });
    await task.close();
  });

  test.each([
    ["cell-line", "", 'needs "cell-line"'],
    ["cell-line", "K562\t", undefined],
    ["cell-line", "../K562", 'the cell-line of chromatin-activity is "../K562"'],
    ["signal", undefined, 'needs "signal"'],
    ["idr", undefined, 'needs "idr"'],
    ["genome", undefined, 'needs "genome"'],
  ])("%s = %j: %s", async (name, value, message) => {
    const given = { ...inputs, [name]: value };
    const task: Task = chromatinActivity;
    const opened = task.open(given, { seed: 0 });
    if (message === undefined) await (await opened).close();
    else await expect(opened).rejects.toThrow(message);
  });

  test("a signal of another genome is refused before anything is trained", async () => {
    const peaks = [{ index: 0, chrom: "5", start: 0, end: 2114 }];
    const given = { ...inputs, peaks, idr: peaks, nonpeaks: peaks };
    await expect(chromatinActivity.open(given, { seed: 0 })).rejects.toThrow(
      /none of the tables' chromosomes: it has chr\w+, .* and they begin with 5/,
    );
  });
});

test("scores a model's own prediction of activity", async () => {
  const bases = await knownCounts();
  const oracle: Model = {
    name: "oracle",
    predictActivity: (sequences) => sequences.map((sequence) => Math.log1p(bases.get(sequence)!)),
  };
  const { metrics, published } = await evaluate({
    task: chromatinActivity,
    inputs,
    model: oracle,
    setting: "predicted",
    protocol: "paper",
  });
  expect(metrics[0].value).toBeCloseTo(1, 9);
  expect(published.test_loss_all).toBeCloseTo(0, 9);
  expect(published.test_auroc).toBeGreaterThan(0.99);
});

/** Counts of the test windows by their bases. */
async function knownCounts(): Promise<Map<string, number>> {
  const task = await chromatinActivity.open(inputs, { seed: 0 });
  const { rows } = task.select({ split: "test", purpose: "evaluate", limit: null });
  const examples = await task.examples(rows.slice());
  await task.close();
  return new Map(examples.map(({ sequences, facts }) => [sequences[0], facts.counts]));
}

describe("a language model of a long enough context, DNABERT-2's toy", () => {
  const card = languageModelCard("dnabert2");
  let model: LanguageModel;
  beforeAll(async () => {
    const folder = join(root, "dnabert2-toy");
    await initCheckpoint(card, { preset: "toy", seed: 0, folder });
    model = await LanguageModel.open(folder, [card], { device: "cpu" });
  });
  afterAll(() => model.close());

  const run = async (folder: string, setting: string, protocol: Protocol) => {
    const recipe = { epochs: 2, trainRows: 10, valRows: 5, batchSize: 8, evaluationBatchSize: 4 };
    const plan = await planRun({
      tasks: [{ task: chromatinActivity, inputs }],
      models: [model],
      settings: [setting],
      protocol,
      folder,
      recipe,
      limit: 6,
      timing: false,
    });
    try {
      await runShard(plan);
    } finally {
      await plan.close();
    }
    const [result] = await mergeRun(folder);
    return { result, cell: join(folder, plan.cells[0].name) };
  };

  test.each([
    ["probed", "paper"],
    ["fine-tuned", "corrected"],
  ] as const)("is %s under the %s protocol, and leaves the original's files", async (setting, protocol) => {
    const folder = join(root, `${setting}-${protocol}`);
    const { result, cell } = await run(folder, setting, protocol);
    expect(cellTitle(result.cell)).toBe(`chromatin-activity GM12878 × dnabert2-toy × ${setting}`);
    expect(result.training!.epochs).toHaveLength(2);
    expect(result.counts.rows).toBe(6);
    const log = await readFile(join(await onlyTraining(folder), "train.log"), "utf8");
    expect(log.split("\n")[0]).toBe(
      "epoch\tval_loss\tval_pearson_all\tval_spearman_all\tval_pearson_peaks\tval_spearman_peaks",
    );
    const published = JSON.parse(await readFile(join(cell, "eval_test.json"), "utf8"));
    expect(Object.keys(published)).toEqual(
      expect.arrayContaining(["test_loss_all", "test_pearson_pos", "test_spearman_idr", "test_auroc"]),
    );
    const [head, ...lines] = (await readFile(join(cell, "scores.tsv"), "utf8")).trimEnd().split("\n");
    expect(head).toBe("idx\tset\tlog1p_counts\tprediction");
    expect(lines).toHaveLength(6);
    expect(result.cell.recipe).toMatchObject(
      protocol === "paper"
        ? { negatives: "first-segment", order: "file", patience: null }
        : { negatives: "strided", order: "shuffled", patience: 10 },
    );
  });
});
