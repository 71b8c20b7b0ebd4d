import { AFRICAN_CAQTLS, sourceNamed, YORUBAN_DSQTLS } from "../../../datasets/sources/catalogue.ts";
import { rowsForCorrelation, rowsPerClass } from "../../../metrics/sample-size.ts";
import {
  measuredMetric,
  measuredProbability,
  type PaperColumn,
  type TaskBenchmark,
  type TaskSuiteRow,
} from "../benchmark.ts";
import { activityFiles, activitySources, exportedActivity } from "../chromatin-activity/benchmark.ts";

/** Models that the benchmark's paper leaves out where it compares the likelihoods of two alleles. */
const BYTE_PAIRS = {
  tokens: "bpe",
  because:
    "one base can change how byte pairs cut the whole window, so the benchmark's paper leaves such models out; --task variant-effects --setting zero-shot evaluates them",
} as const;

/** A study twice: settings without training, and those that evaluate a model trained by task 4 on GM12878. */
function studyRows(dataset: string, table: string, assembly: "hg38" | "hg19"): readonly TaskSuiteRow[] {
  const inputs = { variants: sourceNamed(table).path, genome: sourceNamed(assembly).path, dataset };
  return [
    {
      inputs: { ...inputs, "cell-line": "GM12878" },
      settings: { "zero-shot": { except: BYTE_PAIRS }, "zero-shot-embedding": {}, predicted: {} },
    },
    {
      inputs: {
        ...inputs,
        ...activityFiles("GM12878"),
        "cell-line": "GM12878",
        ...(assembly === "hg38" ? {} : { "training-genome": sourceNamed("hg38").path }),
      },
      fallback: { ...inputs, ...exportedActivity("GM12878") },
      settings: { probed: {}, "fine-tuned": {} },
    },
  ];
}

const byStudy = (heading: string, metric: string): readonly PaperColumn[] =>
  [AFRICAN_CAQTLS, YORUBAN_DSQTLS].map((dataset) => ({
    heading: `${dataset.split(" ")[0]} ${heading}`,
    metric,
    dataset,
  }));

const TRAINING_SOURCES = { ...activitySources("GM12878"), "training-genome": ["hg38"] };

/** Task 5 in the suites, the published values and the paper's Table 6. */
export const VARIANTS_BENCHMARK: TaskBenchmark = {
  suite: [
    ...studyRows(AFRICAN_CAQTLS, "african-caqtls", "hg38"),
    ...studyRows(YORUBAN_DSQTLS, "yoruban-dsqtls", "hg19"),
  ],
  // Correlations use the significant variants only.
  sampleSize: (width) => ({
    sample: { significant: rowsForCorrelation(width), control: rowsPerClass(width) },
  }),
  datasets: [
    {
      dataset: AFRICAN_CAQTLS,
      alias: /afr/,
      inputs: {
        variants: ["african-caqtls"],
        effects: ["task-5-data"],
        genome: ["hg38"],
        ...TRAINING_SOURCES,
      },
    },
    {
      dataset: YORUBAN_DSQTLS,
      alias: /yor/,
      inputs: { variants: ["yoruban-dsqtls"], genome: ["hg19"], ...TRAINING_SOURCES },
    },
  ],
  // The authors evaluated ChromBPNets that had been trained before.
  publishedSettings: { ab_initio: "predicted" },
  publishedDatasets: {
    "African LCL caQTLs": AFRICAN_CAQTLS,
    "Yoruban LCL dsQTLs": YORUBAN_DSQTLS,
  },
  publishedScores: "chrombpnet",
  publishedMetrics: {
    auroc: measuredMetric("auroc"),
    auprc: measuredMetric("auprc"),
    pearson: measuredMetric("pearson"),
    spearman: measuredMetric("spearman"),
    mannwhitney_p_less: measuredProbability("mann-whitney-p"),
  },
  paperTables: [
    {
      caption: "Task 5, variant effects: Pearson r over QTLs, AUROC of QTLs (the paper's Table 6)",
      columns: [...byStudy("Pearson r", "pearson"), ...byStudy("AUROC", "auroc")],
    },
    {
      caption: "Task 5, the same by other measures (as the notebooks print them)",
      columns: [
        ...byStudy("Spearman", "spearman"),
        ...byStudy("AUPRC", "auprc"),
        ...byStudy("Mann-Whitney p", "mannwhitney_p_less"),
      ],
    },
  ],
};
