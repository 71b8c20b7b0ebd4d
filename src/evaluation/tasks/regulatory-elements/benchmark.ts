import { sourceNamed } from "../../../datasets/sources/catalogue.ts";
import { fetchCommand, measuredMetric, type TaskBenchmark } from "../benchmark.ts";

/** The built table, by its path in the data folder. */
export const ELEMENTS_TABLE = "task_1_ccre/processed_inputs/ENCFF420VPZ_processed.tsv";

/** Task 1 in the suites, the published values and the paper's Table 3. */
export const ELEMENTS_BENCHMARK: TaskBenchmark = {
  suite: [
    {
      inputs: { elements: ELEMENTS_TABLE, genome: sourceNamed("hg38").path },
      settings: { "zero-shot": {}, probed: {}, "fine-tuned": {}, "ab-initio": {} },
    },
  ],
  builtFrom: { [ELEMENTS_TABLE]: "ccres" },
  commandsFor(path, folder) {
    if (path !== ELEMENTS_TABLE) return undefined;
    const ccres = `${folder}/${sourceNamed("ccres").path}`;
    return [
      fetchCommand("ccres", folder),
      `dart-eval build regulatory-elements --ccres ${ccres} --out ${folder}/${path}`,
    ];
  },
  datasets: [{ dataset: null, inputs: { elements: ["ccres", "task-1-data"], genome: ["hg38"] }, seed: 0 }],
  publishedMetrics: {
    absolute_accuracy: measuredMetric("accuracy"),
    paired_accuracy: measuredMetric("paired-accuracy"),
    auroc: measuredMetric("auroc"),
    auprc: measuredMetric("auprc"),
  },
  paperTables: [
    {
      caption: "Task 1, regulatory elements against shuffled controls (the paper's Table 3)",
      columns: [
        { heading: "absolute accuracy", metric: "absolute_accuracy" },
        { heading: "paired accuracy", metric: "paired_accuracy" },
      ],
    },
    {
      caption: "Task 1, the same by other measures (as in the paper's supplement)",
      settings: ["probed", "fine-tuned", "ab-initio"],
      columns: [
        { heading: "AUROC", metric: "auroc" },
        { heading: "AUPRC", metric: "auprc" },
      ],
    },
  ],
  quirks: [
    {
      label: "Q24",
      title: "Defaults of the generator",
      where: "Task 1, building the table",
      original: "The documented command omits --input_size 350 and --max_jitter 0, and makes another table.",
      paper: "`build` uses the published values.",
      corrected: "`build` uses the published values.",
      effect: "None on the published table.",
    },
    {
      label: "Q34",
      title: "Attention kernel of DNABERT-2",
      where: "Task 1, probed, DNABERT-2",
      original: "The fused half-precision kernel may have been used for embeddings.",
      paper: "Not reproduced: attention runs in float32.",
      corrected: "Attention runs in float32.",
      effect: "At the level of half-precision rounding.",
    },
  ],
};
