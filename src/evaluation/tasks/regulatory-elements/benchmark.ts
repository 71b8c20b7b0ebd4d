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
};
