import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { recordFiles } from "../../src/datasets/sources/data-record.ts";
import { hyenadnaTokenizer } from "../../src/dna/tokenizers/one-letter.ts";
import { comparePaths } from "../../src/evaluation/comparison/compare-paths.ts";
import { benchmarkDataOf } from "../../src/evaluation/published/benchmark-data.ts";
import { comparePublished, whyNotComparable } from "../../src/evaluation/published/compare-published.ts";
import type { PublishedResult } from "../../src/evaluation/published/published-result.ts";
import type { CustomForms } from "../../src/evaluation/runs/forms.ts";
import { mergeRun } from "../../src/evaluation/runs/merge.ts";
import { planRun } from "../../src/evaluation/runs/plan.ts";
import { runShard } from "../../src/evaluation/runs/run-shard.ts";
import { readResults, type StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import type { Setting } from "../../src/evaluation/settings/setting.ts";
import { stratifyRun } from "../../src/evaluation/strata/stratify.ts";
import { sourcesOfSuite } from "../../src/evaluation/suites/inputs.ts";
import { openSuite } from "../../src/evaluation/suites/open-suite.ts";
import { readSuite } from "../../src/evaluation/suites/read-suite.ts";
import { measuredMetric } from "../../src/evaluation/tasks/benchmark.ts";
import { asKind, ofKind } from "../../src/evaluation/tasks/prediction.ts";
import { numbersOf } from "../../src/evaluation/tasks/table-rows.ts";
import type { Task } from "../../src/evaluation/tasks/task.ts";
import { genomicBlocks } from "../../src/metrics/blocks.ts";
import { metricOver } from "../../src/metrics/estimate.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import type { Architecture } from "../../src/models/language/architecture.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { ParameterTable } from "../../src/models/language/parameters.ts";
import { LanguageModel } from "../../src/models/language-model.ts";
import type { Model } from "../../src/models/model.ts";
import { openModel } from "../../src/models/open-model.ts";
import { embed, linear } from "../../src/net/nn/linear.ts";
import { reportDocument } from "../../src/report/documents.ts";
import { exportRuns } from "../../src/report/export/export-runs.ts";
import { renderPage } from "../../src/report/page.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { paperTables } from "../../src/report/paper-tables.ts";
import { scoreQuirksTable } from "../../src/report/quirks-table.ts";
import { gatherReport } from "../../src/report/report.ts";
import { scratchFiles } from "../scratch-files.ts";

// A task, a setting and a model family that no catalogue has: what a user adds, through every command's
// functions.

/** Facts of a row: each is a block of the genome. */
const placeOf = (row: number) => ({ chrom: "chr1", start: row * 5_000_000, end: row * 5_000_000 + 12 });

/**
 * Palindromes: is a hairpin more likely than its sequence in another order? A row is a line of a text file.
 */
const hairpins: Task<ReturnType<typeof placeOf>, { hairpins: string; labels?: string }> = {
  name: "hairpins",
  version: 1,
  title: "Hairpins",
  question: "Does the model prefer a hairpin over its sorted bases?",
  source: "made up",
  window: 12,
  members: ["hairpin", "sorted"],
  inputs: [
    { name: "hairpins", description: "a text file, one sequence per line" },
    { name: "labels", description: "names of the hairpins", optional: true, annotation: true },
  ],
  settings: {
    "zero-shot": {
      recipe: { score: "log-likelihood" },
      scoreQuirks: { H1: ["bigram"] },
      defaultSplit: "all",
    },
    "gc-content": {
      recipe: { sign: 1 },
      overrides: [{ family: "bigram", change: { sign: -1 }, because: "a bigram reads the other strand" }],
      defaultSplit: "all",
    },
  },
  async open({ hairpins: file }) {
    const text = await readFile(file, "utf8");
    const table = text.trim().split("\n");
    return {
      task: hairpins,
      digests: { hairpins: sha256Hex(text) },
      select: ({ limit }) => ({
        rows: numbersOf(table.map((_, index) => ({ index }))).slice(0, limit ?? table.length),
        inTable: table.length,
        perChromosome: new Map([["all", table.length]]),
        memory: 0,
      }),
      examples: async (rows) =>
        Array.from(rows, (row) => ({
          row,
          sequences: [table[row], [...table[row]].sort().join("")],
          facts: placeOf(row),
        })),
      async close() {},
    };
  },
  measure(given) {
    const rows = ofKind("likelihood", given);
    const value = rows.filter(({ values: [first, second] }) => first >= second).length / rows.length;
    return {
      metrics: [
        { name: "paired", title: "paired accuracy", better: "higher", main: true, value, intervals: [] },
      ],
      published: { paired: value },
      counts: { rows: rows.length },
      averages: {},
      quirks: [],
      notes: [],
    };
  },
  mainStatistic(given) {
    const rows = ofKind("likelihood", given);
    const [hairpin, sorted] = [0, 1].map((member) => rows.map(({ values }) => values[member]));
    const blocks = genomicBlocks(rows.map(({ row }) => placeOf(row)));
    return { metric: "paired", blocks, ...metricOver("paired-accuracy", hairpin, sorted, blocks) };
  },
  stratifications: [
    {
      name: "half",
      title: "half of the file",
      valueOf: ({ start }) => (start < 2e7 ? "first" : "second"),
    },
  ],
  scores: {
    columns: ["idx", "hairpin", "sorted"],
    line(prediction) {
      const { row, values } = asKind("likelihood", prediction);
      return [row, ...values];
    },
  },
  benchmark: {
    suite: [{ inputs: { hairpins: "hairpins/table.txt" }, settings: { "zero-shot": {}, "gc-content": {} } }],
    sampleSize: () => ({ limit: 6 }),
    commandsFor: (path) => (path === "hairpins/table.txt" ? ["make hairpins"] : undefined),
    datasets: [{ dataset: null, inputs: { hairpins: ["hairpin-sources"] } }],
    publishedMetrics: { paired_key: measuredMetric("paired") },
    paperTables: [{ caption: "Hairpins", columns: [{ heading: "paired", metric: "paired_key" }] }],
    quirks: [
      {
        label: "H1",
        title: "Loops are left out",
        where: "Hairpins",
        original: "Stems are joined.",
        paper: "Reproduced.",
        corrected: "The same.",
        effect: "None.",
      },
    ],
  },
};

/** Scores a sequence by its G and C. */
const gcContent: Setting = {
  name: "gc-content",
  title: "G+C content",
  description: "G+C content: the model takes no part.",
  readyAtOnce: true,
  unsupportedReason: () => undefined,
  sameUnderBothProtocols: () => true,
  sequencesPerRow: () => 2,
  open: async () => ({
    predict: async (examples) =>
      examples.map(({ row, sequences, facts }) => ({
        kind: "likelihood",
        row,
        values: sequences.map((sequence) => sequence.replace(/[AT]/g, "").length),
        facts,
      })),
    async close() {},
  }),
};

function bigramArchitecture(): Architecture {
  const [vocabulary, width] = [16, 4];
  const table = new ParameterTable();
  const embedding = table.embedding("bigram.embedding", vocabulary, width);
  const head = table.linear("bigram.head", width, vocabulary);
  const score = new ParameterTable();
  const classifier = score.linear("score", width, 2);
  return {
    width,
    layers: 0,
    vocabulary,
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [],
    takesMask: false,
    fixedLength: false,
    forward({ ids }) {
      const lastHidden = embed(embedding, ids);
      return { hiddenStates: [lastHidden], lastHidden, logits: linear(head, lastHidden) };
    },
    classifier: () => ({
      tensors: [...score.tensors.values()],
      logits: ({ lastHidden }) => linear(classifier, lastHidden),
    }),
    adaptedModules: [],
    withLora: bigramArchitecture,
    initializer: ({ shape }) =>
      shape.length === 1 ? { kind: "constant", value: 0 } : { kind: "normal", std: 1 },
    liveValuesPerToken: 20,
  };
}

/** A causal model that reads one base. */
const bigram: LanguageModelCard = {
  name: "bigram",
  title: "Bigram",
  publishedAs: "Bigram-1",
  kind: "causal",
  tokens: "one-letter",
  cite: "made up",
  licence: "MIT",
  recognises: ({ model_type }) => model_type === "bigram",
  architecture: bigramArchitecture,
  tokenizer: async () => hyenadnaTokenizer(),
  checkpoints: [
    {
      preset: "tiny",
      repo: "example/bigram",
      revision: "0123456789012345678901234567890123456789",
      config: { model_type: "bigram" },
      usedByDartEval: true,
    },
  ],
  toys: {},
  referenceOutputs: [],
};

const forms: CustomForms = { tasks: [hairpins], settings: [gcContent], families: [bigram] };

const printed: PublishedResult = {
  task: "hairpins",
  setting: "zero-shot",
  model: "Bigram-1",
  family: "bigram",
  metric: "paired_key",
  of: null,
  dataset: null,
  value: 0.25,
  source: "a paper, Table 1",
  kind: "paper",
  edition: "Table 1",
  unplaced: null,
  note: null,
  superseded: false,
};

const scratch = scratchFiles();
const data = scratch.path("data");
const run = scratch.path("run");
let model: Model;
let results: readonly StoredResult[];
const stored = (setting: string) => results.find(({ result }) => result.cell.setting === setting)!;

beforeAll(async () => {
  await mkdir(join(data, "hairpins"), { recursive: true });
  const table = Array.from({ length: 9 }, (_, row) => {
    const stem = [...sha256Hex(`${row}`).slice(0, 6)].map((hex) => "ACGT"[Number.parseInt(hex, 16) % 4]);
    return [...stem, ...stem.toReversed().map((base) => "TGCA"["ACGT".indexOf(base)])].join("");
  });
  const text = `${table.join("\n")}\n`;
  await writeFile(join(data, "hairpins/table.txt"), text);
  await recordFiles(data, [
    {
      path: "hairpins/table.txt",
      bytes: text.length,
      sha256: sha256Hex(text),
      from: "a test",
      madeOf: "hairpin-sources",
      since: new Date(0).toISOString(),
    },
  ]);
  const checkpoint = scratch.path("bigram");
  await initCheckpoint(bigram, { preset: "tiny", seed: 0, folder: checkpoint });
  model = await LanguageModel.open(checkpoint, [bigram], { checkpoint: bigram.checkpoints[0] });
  const suite = await openSuite(await readSuite("dart-eval", forms), {
    data,
    only: { tasks: ["hairpins"] },
    ...forms,
  });
  const plan = await planRun({
    tasks: suite.tasksFor([model]),
    models: [model],
    protocol: "paper",
    folder: run,
    timing: false,
  });
  await runShard(plan);
  await plan.close();
  await suite.close();
  await mergeRun(run, forms);
  results = await readResults(run);
}, 60_000);

afterAll(() => model.close?.());

test("a run and its merge evaluate the custom task in both settings", async () => {
  expect(results.map(({ result }) => [result.cell.task, result.cell.setting, result.family])).toEqual([
    ["hairpins", "zero-shot", "bigram"],
    ["hairpins", "gc-content", "bigram"],
  ]);
  expect(stored("gc-content").result.metrics[0].value).toBe(1);
  expect(stored("gc-content").result.cell.recipe).toEqual({ sign: -1 });
  const scores = await readFile(join(stored("zero-shot").folder, "scores.tsv"), "utf8");
  expect(scores.split("\n").length).toBe(1 + 9 + 1);
});

test("a plan has the custom task's cells, and openModel the custom family", async () => {
  await using opened = await openModel(scratch.path("bigram"), { families: [bigram] });
  expect(opened.family).toBe("bigram");
  await expect(openModel(scratch.path("bigram"))).rejects.toThrow(/bigram/);
  const plan = await planRun({
    tasks: [{ task: hairpins, inputs: { hairpins: join(data, "hairpins/table.txt") } }],
    models: [opened],
    settings: [gcContent],
    limit: 4,
  });
  expect(plan.cells.map(({ record, rowsToDo }) => [record.cell.setting, rowsToDo])).toEqual([
    ["gc-content", 4],
  ]);
  await plan.close();
});

test("a comparison has the custom task's metric over its blocks", async () => {
  const other = scratch.path("other");
  const reversed: Model = {
    name: "reversed",
    logLikelihood: async (sequences, options) =>
      Array.from(await model.logLikelihood!(sequences, options), (value) => -value),
  };
  const plan = await planRun({
    tasks: [{ task: hairpins, inputs: { hairpins: join(data, "hairpins/table.txt") } }],
    models: [reversed],
    protocol: "paper",
    folder: other,
    timing: false,
  });
  await runShard(plan);
  await plan.close();
  await mergeRun(other, forms);
  const { groups } = await comparePaths([run, other], forms);
  const [group] = groups.filter(({ setting }) => setting === "zero-shot");
  expect(group.rows).toMatchObject({ compared: 9, blocks: 9 });
  const [first, second] = group.models.map(({ value }) => value ?? Number.NaN);
  expect(group.pairs).toHaveLength(1);
  expect(group.pairs[0].value).toBeCloseTo(first - second);
});

test("strata and exports have the custom task's properties and members", async () => {
  const { cells } = await stratifyRun(run, { ...forms, by: ["half"] });
  const [{ strata }] = cells[0].strata.stratifications;
  expect(strata.map(({ name, rows }) => [name, rows])).toEqual([
    ["first", 4],
    ["second", 5],
  ]);
  const folder = scratch.path("export");
  expect(await exportRuns([run], folder, { formats: ["csv"], ...forms })).toContain("rows/hairpins.csv");
  const [header] = (await readFile(join(folder, "rows/hairpins.csv"), "utf8")).split("\n");
  expect(header).toContain("bigram.zero-shot.paper.hairpin");
  expect(header).toContain("bigram.gc-content.paper.sorted");
});

describe("suites", () => {
  test("have the task's rows, in mini with its sample size", async () => {
    const whole = await readSuite("dart-eval", forms);
    expect(whole.rows.at(-1)).toEqual({ task: "hairpins", ...hairpins.benchmark!.suite[0] });
    const mini = await readSuite("mini", forms);
    expect(mini.rows.at(-1)!.settings).toEqual({ "zero-shot": { limit: 6 }, "gc-content": { limit: 6 } });
    expect((await readSuite("dart-eval")).rows.map(({ task }) => task)).not.toContain("hairpins");
  });

  test("name the command that creates a missing file", async () => {
    const suite = await readSuite("mini", forms);
    const opened = openSuite(suite, {
      data: scratch.path("nothing"),
      only: { tasks: ["hairpins"] },
      ...forms,
    });
    await expect(opened).rejects.toThrow(/- hairpins\/table\.txt\n {4}make hairpins/);
    expect(sourcesOfSuite({ ...suite, rows: suite.rows.slice(-1) }, forms)).toEqual([]);
  });
});

describe("published values", () => {
  test("are comparable on the task's data set, with the family's checkpoint", () => {
    const { result } = stored("zero-shot");
    expect(benchmarkDataOf(result, forms)).toEqual({ dataset: null });
    expect(whyNotComparable(result, forms)).toBeUndefined();
    const value = result.metrics[0].value;
    expect(comparePublished(result, [printed], forms)).toEqual([
      { published: printed, own: { title: "paired accuracy", value } },
    ]);
    expect(comparePublished(result, [printed])).toEqual([]);
    const other = { ...result, checkpoint: "example/bigram@main" };
    expect(whyNotComparable(other, forms)).toMatch(/is not known to be example\/bigram@0123/);
  });
});

describe("the report", () => {
  test("shows question, setting and published value", async () => {
    const report = await gatherReport(results, { ...forms, published: [printed] });
    const page = renderPage(report, { script: "", style: "" });
    const setting = "G+C content: the model takes no part.";
    for (const text of [hairpins.question, setting, "paired accuracy", "0.250", "Table 1"]) {
      expect(page).toContain(text);
    }
    expect(reportDocument(report, "text")).toContain("Hairpins");
  });

  test("names the task's quirk where both protocols were scored", () => {
    const paper = stored("zero-shot");
    const { result } = paper;
    const corrected: StoredResult = {
      ...paper,
      result: { ...result, cell: { ...result.cell, protocol: "corrected" } },
    };
    const [panel] = panelsOf([corrected, paper], forms);
    const quirks = scoreQuirksTable({ ...panel, forms })!;
    expect(quirks.rows.map(([labels, model]) => [labels, model])).toEqual([["H1", "bigram"]]);
    expect(quirks.notes).toEqual(["H1: Loops are left out."]);
    expect(scoreQuirksTable(panel)).toBeUndefined();
  });

  test("fills the task's paper tables", () => {
    const [table] = paperTables(results, [printed], forms);
    expect(table.caption).toBe("Hairpins; paper protocol");
    expect(table.rows.map(([setting, label]) => [setting, label])).toEqual([
      ["zero-shot", "bigram"],
      ["zero-shot", "Bigram-1, published"],
      ["gc-content", "bigram"],
    ]);
  });
});
