import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { CELL_LINES } from "../../../../src/datasets/cell-lines.ts";
import {
  readCellTypeElements,
  writeCellTypeElements,
} from "../../../../src/datasets/cell-type-elements/table.ts";
import { type SyntheticGenome, writeSyntheticGenome } from "../../../../src/demo/synthetic/write.ts";
import { CHROMOSOME_SPLIT } from "../../../../src/dna/genome/chromosome-split.ts";
import { openGenome } from "../../../../src/dna/genome/genome.ts";
import { readMotifs } from "../../../../src/dna/motifs/meme.ts";
import { evaluate } from "../../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../../src/evaluation/runs/run-shard.ts";
import { cellTypeElements } from "../../../../src/evaluation/tasks/cell-type-elements/cell-type-elements.ts";
import type { CellTypeElementsInputs } from "../../../../src/evaluation/tasks/cell-type-elements/rows.ts";
import { recipeFor } from "../../../../src/evaluation/tasks/recipe.ts";
import type { OpenTask } from "../../../../src/evaluation/tasks/task.ts";
import { motifCounts } from "../../../../src/models/baselines/motif-counts.ts";
import type { Protocol } from "../../../../src/models/model.ts";
import { scratchFiles } from "../../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../../shared-data.ts";
import { oneHot, writeHdf5 } from "../../hdf5-file.ts";
import { siteModel } from "../../site-model.ts";

const scratch = scratchFiles();
let synthetic: SyntheticGenome;
beforeAll(async () => {
  synthetic = await writeSyntheticGenome(scratch.path("synthetic"), { seed: 2, scale: 0.4 });
});
const inputs = (): CellTypeElementsInputs => ({
  elements: synthetic.files.cellTypePeaks,
  genome: synthetic.files.genome,
});

const rowsOf = (task: OpenTask, part: Parameters<OpenTask["select"]>[0]["split"], clustering = false) =>
  task
    .select({
      split: part,
      purpose: "evaluate",
      limit: null,
      ...(clustering ? { part: "clustering" } : {}),
    })
    .rows.slice();

testWithSharedData(
  "the table of the test bed: rows per line and split, bases of the genome, and written back as it was",
  "task3/peaks_by_cell_label.tsv",
  async (elements) => {
    const table = await readCellTypeElements(elements);
    const perLine = Object.fromEntries(
      CELL_LINES.map((line) => [line, table.filter(({ label }) => label === line).length]),
    );
    expect(perLine).toEqual({ GM12878: 116, H1ESC: 150, HEPG2: 343, IMR90: 62, K562: 591 });
    const out = scratch.path("again.tsv");
    await writeCellTypeElements(out, table);
    expect(await readFile(out, "utf8")).toBe(await readFile(elements, "utf8"));

    const genome = await openGenome(sharedData("genome/mini.hg38.fa.gz")!);
    const task = await cellTypeElements.open({ elements, genome }, { seed: 0 });
    expect((["train", "val", "test"] as const).map((part) => rowsOf(task, part).length)).toEqual([
      127, 178, 957,
    ]);
    const rows = rowsOf(task, "all").filter((_, i) => i % 50 === 0);
    for (const [i, example] of (await task.examples(rows)).entries()) {
      const { chrom, inputStart: start, inputEnd: end, label } = table[rows[i]];
      expect(example.sequences[0]).toBe((await genome.sequence({ chrom, start, end })).replaceAll("N", "A"));
      expect(example.facts).toMatchObject({ chrom, start, end, label });
    }
    await genome.close();
  },
);

test("refuses unreadable and inconsistent inputs", async () => {
  const header = "chr\tinput_start\tinput_end\telem_start\telem_end\tis_peak\tlabel\n";
  const table = (text: string) => scratch.write("bad.tsv", header + text);
  const open = async (elements: string, more: Partial<CellTypeElementsInputs> = {}) => {
    const task = await cellTypeElements.open({ ...inputs(), elements, ...more }, { seed: 0 });
    try {
      return rowsOf(task, "all").length;
    } finally {
      await task.close();
    }
  };
  expect(await open(await table("chr1\t100\t600\t100\t600\tTrue\tK562\n"))).toBe(1);
  await expect(open(await table("chr1\t100\t600\t100\t600\tTrue\tHELA\n"))).rejects.toThrow(
    /label is "HELA"/,
  );
  await expect(open(await table("chr1\t600\t100\t100\t600\tTrue\tK562\n"))).rejects.toThrow(/not after/);
  await expect(open(await table("chr1\t100\t450\t100\t450\tTrue\tK562\n"))).rejects.toThrow(/350 bases/);
  await expect(open(await table("chr31\t100\t600\t100\t600\tTrue\tK562\n"))).rejects.toThrow(/chr31/);
  await expect(open(await table("chr1\t99999999\t100000499\t0\t500\tTrue\tK562\n"))).rejects.toThrow(
    /no base of the window chr1/,
  );
  const one = await table("chr1\t100\t600\t100\t600\tTrue\tK562\n");
  await expect(open(one, { genome: undefined })).rejects.toThrow(/needs "genome"/);
  const subset = (text: string) => scratch.write("subset.tsv", text);
  await expect(open(one, { subset: await subset("index\n1\n") })).rejects.toThrow(
    /row 1 is not in the table/,
  );
  await expect(open(one, { subset: await subset("index\n") })).rejects.toThrow(/no row is listed/);
});

test("networks get unknown bases as such, language models as A", async () => {
  const length = synthetic.chromosomes.find(({ name }) => name === "chr1")!.codes.length;
  const row = { chrom: "chr1", inputStart: length - 300, inputEnd: length + 200, label: "K562" } as const;
  const elements = [{ index: 0, ...row, elementStart: row.inputStart, elementEnd: row.inputEnd }];
  const task = await cellTypeElements.open({ ...inputs(), elements }, { seed: 0 });
  const [example] = await task.examples(rowsOf(task, "all"));
  expect(example.sequences[0].slice(300)).toBe("A".repeat(200));
  expect([...example.codes![0].subarray(300)]).toEqual(Array(200).fill(4));
  expect(example.facts.unknown).toBeGreaterThanOrEqual(200);
  await task.close();
});

test("the list of rows selects what is clustered and does not affect training", async () => {
  const subset = await scratch.write("some.tsv", "index\n40\n3\n17\n");
  const task = await cellTypeElements.open({ ...inputs(), subset }, { seed: 0 });
  expect([...rowsOf(task, "all", true)]).toEqual([3, 17, 40]);
  expect(rowsOf(task, "all").length).toBeGreaterThan(100);
  const examples = await task.examples(rowsOf(task, "all", true));
  expect(examples.map(({ facts }) => facts.place)).toEqual([1, 2, 0]);
  await task.close();
});

test("data.h5 in place of table and genome: the same bases, labels and rows", async () => {
  const plain = await cellTypeElements.open(inputs(), { seed: 0 });
  const arrays: Parameters<typeof writeHdf5>[1] = {};
  for (const split of ["train", "val", "test"] as const) {
    const examples = await plain.examples(rowsOf(plain, split));
    Object.assign(arrays, {
      [`${split}/seqs`]: oneHot(examples.map(({ sequences }) => sequences[0])),
      [`${split}/labels`]: {
        type: "uint8",
        shape: [examples.length],
        data: examples.map(({ facts }) => CELL_LINES.indexOf(facts.label as (typeof CELL_LINES)[number])),
      },
      [`${split}/idxs`]: { type: "uint32", shape: [examples.length], data: examples.map(({ row }) => row) },
    });
  }
  const elements = scratch.path("data.h5");
  await writeHdf5(elements, arrays);
  const exported = await cellTypeElements.open({ elements }, { seed: 0 });
  for (const split of ["train", "val", "test"] as const) {
    const asked = (task: OpenTask) => task.examples(rowsOf(task, split).filter((_, i) => i % 3 !== 1));
    const [ours, theirs] = [await asked(plain), await asked(exported)];
    expect(theirs.map(({ row, sequences }) => ({ row, sequences }))).toEqual(
      ours.map(({ row, sequences }) => ({ row, sequences })),
    );
    expect(theirs.map(({ facts }) => facts.label)).toEqual(ours.map(({ facts }) => facts.label));
  }
  await plain.close();
  await exported.close();
});

test("a run evaluates the list's rows in shards and measures only the whole", async () => {
  const folder = scratch.path("run");
  const subset = await scratch.write(
    "sixty.tsv",
    `index\n${Array.from({ length: 60 }, (_, i) => 3 * i).join("\n")}\n`,
  );
  for (const index of [1, 2]) {
    const plan = await planRun({
      tasks: [{ task: cellTypeElements, inputs: { ...inputs(), subset } }],
      models: [siteModel],
      settings: ["zero-shot-embedding"],
      recipe: { clusterSeeds: 2, clusters: 8 },
      folder,
      shard: { index, count: 2 },
      timing: false,
    });
    const [outcome] = await runShard(plan);
    expect(outcome).toMatchObject({ state: "done", measurement: null });
    await plan.close();
  }
  const [merged] = await mergeRun(folder);
  expect(merged.counts.rows).toBe(60);
  expect(merged.metrics[0].value).not.toBeNull();
});

describe("recipes of the original", () => {
  const recipe = (setting: string, family: string | undefined, protocol: Protocol = "paper") =>
    recipeFor(cellTypeElements.settings[setting], {
      task: cellTypeElements.name,
      setting,
      family,
      protocol,
    });

  test.each([
    ["caduceus", { batchSize: 256, learningRate: 2e-3, kernel: 3, positions: "ends" }],
    ["dnabert2", { batchSize: 1024, learningRate: 2e-3, kernel: 8, positions: "bases" }],
    ["gena-lm", { batchSize: 1024, learningRate: 2e-3, kernel: 8 }],
    ["hyenadna", { batchSize: 512, learningRate: 2e-3, kernel: 8 }],
    ["mistral-dna", { batchSize: 512, learningRate: 2e-3, kernel: 8 }],
    ["nucleotide-transformer", { batchSize: 1024, learningRate: 1e-3, kernel: 8 }],
  ])("probed %s", (family, values) => {
    expect(recipe("probed", family)).toMatchObject({
      ...values,
      epochs: 150,
      evaluationBatchSize: 1024,
      optimizer: "adam",
      order: "file",
      saturated: "minus-999",
    });
  });

  test.each([
    ["caduceus", { batchSize: 64, accumulate: 2, epochs: 40 }],
    ["dnabert2", { batchSize: 128, accumulate: 1, epochs: 15 }],
    ["gena-lm", { batchSize: 128, accumulate: 1, epochs: 15 }],
    ["hyenadna", { batchSize: 128, accumulate: 1, epochs: 30 }],
    ["mistral-dna", { batchSize: 128, accumulate: 1, epochs: 50 }],
    ["nucleotide-transformer", { batchSize: 128, accumulate: 1, epochs: 10 }],
  ])("fine-tuned %s", (family, values) => {
    expect(recipe("fine-tuned", family)).toMatchObject({
      ...values,
      rank: 8,
      alpha: 16,
      dropout: 0.05,
      learningRate: 1e-4,
      weightDecay: 0.01,
      evaluationBatchSize: 128,
    });
  });

  test("ab initio: both networks, each with its recipe", () => {
    expect(recipe("ab-initio", "probing-head-like")).toMatchObject({
      batchSize: 512,
      learningRate: 2e-3,
      epochs: 150,
      optimizer: "adam",
      saturated: "minus-999",
    });
    expect(recipe("ab-initio", "chrombpnet-like")).toMatchObject({
      evaluationBatchSize: 2048,
      batchSize: 2048,
      learningRate: 1e-4,
      epochs: 200,
      optimizer: "adamw",
      weightDecay: 0,
      saturated: "largest-float32",
    });
  });

  test("clusters", () => {
    const values = { components: 60, clusters: 50, clusterSeeds: 100, extractionBatchSize: 64 };
    expect(recipe("zero-shot-embedding", "hyenadna")).toMatchObject({
      ...values,
      order: "text",
      solver: "randomised",
    });
    expect(recipe("zero-shot-embedding", "hyenadna", "corrected")).toMatchObject({
      ...values,
      order: "file",
      solver: "full",
      transform: "raw",
    });
    // The original counted motifs into a table of its own, in row order: quirk Q2 is one of stored
    // embeddings.
    expect(recipe("zero-shot-embedding", "motif-counts")).toMatchObject({
      transform: "motif-counts",
      order: "file",
      bothOrders: false,
      solver: "randomised",
    });
    expect(recipe("zero-shot-embedding", "motif-counts", "corrected").transform).toBe("raw");
  });
});

describe("a model that knows the planted sites", () => {
  test("probed: classifies cell lines far above chance", async () => {
    const { metrics, counts, published, training } = await evaluate({
      task: cellTypeElements,
      inputs: inputs(),
      model: siteModel,
      setting: "probed",
      recipe: { epochs: 6, batchSize: 32, learningRate: 0.01, kernel: 1 },
    });
    const table = await readCellTypeElements(synthetic.files.cellTypePeaks);
    const test = table.filter(({ chrom }) => (CHROMOSOME_SPLIT.test as readonly string[]).includes(chrom));
    expect(counts.rows).toBe(test.length);
    const largest = Math.max(...CELL_LINES.map((line) => test.filter(({ label }) => label === line).length));
    const [accuracy] = metrics;
    expect(accuracy.name).toBe("accuracy");
    expect(accuracy.intervals[0].low).toBeGreaterThan(largest / test.length + 0.1);
    expect(published.test_acc).toBe(accuracy.value);
    expect(metrics.find(({ name }) => name === "macro-auroc")!.intervals[0].low).toBeGreaterThan(0.7);
    expect(training!.epochs[0].validation).toHaveProperty("val_acc");
  }, 180_000);

  test("clustered: AMI above chance in file order, at chance in the original's order of vectors", async () => {
    const ask = (protocol: Protocol) =>
      evaluate({
        task: cellTypeElements,
        inputs: inputs(),
        model: siteModel,
        setting: "zero-shot-embedding",
        protocol,
        recipe: { clusterSeeds: 10, clusters: 20 },
      });
    const corrected = await ask("corrected");
    const [main] = corrected.metrics;
    expect(main.name).toBe("adjusted-mutual-information");
    expect(main.intervals[0].low).toBeGreaterThan(0.05);
    const paper = await ask("paper");
    expect(paper.metrics[0].value!).toBeLessThan(0.03);
    const effect = paper.quirks.find(({ label }) => label === "Q2")!.effect;
    expect((effect.corrected as { value: number }).value).toBeGreaterThan(0.05);
  }, 180_000);

  test("motif counts find the cell lines under both protocols: the original's baseline has no quirk Q2", async () => {
    const { motifs } = await readMotifs(synthetic.files.motifs);
    for (const protocol of ["paper", "corrected"] as const) {
      const { metrics, quirks } = await evaluate({
        task: cellTypeElements,
        inputs: inputs(),
        model: motifCounts(motifs, { threshold: 1e-3 }),
        setting: "zero-shot-embedding",
        protocol,
        recipe: { transform: "raw", clusterSeeds: 10, clusters: 20 },
      });
      expect(metrics[0].intervals[0].low, protocol).toBeGreaterThan(0.05);
      expect(quirks.map(({ label }) => label)).not.toContain("Q2");
    }
  }, 180_000);
});
