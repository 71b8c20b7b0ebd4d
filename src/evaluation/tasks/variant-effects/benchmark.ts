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
import { REPRODUCED, SAME } from "../quirks.ts";

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
  quirks: [
    {
      label: "Q4",
      title: "Probes of variants miss the variant",
      where: "Task 5, probed, all families but Caduceus",
      original:
        "The map from bases to tokens is as long as the batch has tokens, so heads read the first 200 to 500 of 2,114 bases; HyenaDNA's slice includes [SEP].",
      paper: REPRODUCED,
      corrected: "The head reads all bases.",
      effect: "The variant, at base 1,057, lies outside the window; the published results are near chance.",
    },
    {
      label: "Q5",
      title: "Caduceus probe scored on other positions than trained on",
      where: "Task 5, probed, Caduceus",
      original: "Weights trained on two tokens (Q1) are applied to all 2,115 tokens.",
      paper: REPRODUCED,
      corrected: "Training and scoring read the same bases.",
      effect: "Scores of a head outside its training distribution.",
    },
    {
      label: "Q8",
      title: "Attention mask in scoring but not in training",
      where: "Task 5, probed, byte-pair families",
      original: "Probes are trained on embeddings without a mask (Q7) and scored on embeddings with one.",
      paper: REPRODUCED,
      corrected: "Neither training nor scoring sees padding.",
      effect: "A mismatch between training and scoring.",
    },
    {
      label: "Q9",
      title: "Padding and special tokens inside the mean",
      where: "Task 5, zero-shot embedding",
      original: "The mean runs over the padded row, special tokens included.",
      paper: "Reproduced, with the original's batch sizes.",
      corrected: "The mean runs over the tokens of bases.",
      effect: "Distances of byte-pair models depend on the batch.",
    },
    {
      label: "Q19",
      title: "Windows beyond the ends of a chromosome",
      where: "Task 5",
      original: "A window that starts before the chromosome is cut from its other end and fails.",
      paper: "Such variants are left out.",
      corrected: "The window is padded with N.",
      effect: "Few variants.",
    },
    {
      label: "Q20",
      title: "Insertions and deletions fail",
      where: "Task 5",
      original: "Alleles of several bases stop the program.",
      paper: "Such variants are left out.",
      corrected: "Scored in windows centred on the variant.",
      effect: "None on the published tables.",
    },
    {
      label: "Q21",
      title: "Reference mismatches are scored",
      where: "Task 5",
      original: "Where neither allele is the reference base, both are substituted.",
      paper: SAME,
      corrected: "The same; the rows are counted and `check variants` reports them.",
      effect: "Signs of such rows have no meaning.",
    },
    {
      label: "Q22",
      title: "Sign of the Yoruban dsQTLs",
      where: "Task 5, zero-shot likelihood, Yoruban",
      original: "Effects refer to allele 1; likelihoods are compared as allele 2 minus allele 1.",
      paper: REPRODUCED,
      corrected: "Allele 1 minus allele 2, as for probed and fine-tuned models.",
      effect: "The sign of the correlation.",
    },
    {
      label: "Q23",
      title: "is_causal is not the label",
      where: "Task 5, data.h5",
      original: "The exported column is_causal holds the filter of used variants.",
      paper: "Labels come from the variant tables.",
      corrected: "Labels come from the variant tables.",
      effect: "An AUROC against that column describes the filter.",
    },
    {
      label: "Q39",
      title: "Duplicate variants multiply",
      where: "Task 5",
      original:
        "Scores and table are joined by position and alleles, so a variant listed k times counts k² times.",
      paper: REPRODUCED,
      corrected: "Each row counts once.",
      effect: "Visible on tables with duplicates.",
    },
    {
      label: "Q41",
      title: "Signs of African caQTL effects",
      where: "Task 5, African",
      original:
        "beta is used unchanged also where allele 2 is the reference base and beta refers to allele 1 (39,504 of 219,382 rows).",
      paper: REPRODUCED,
      corrected: "beta is negated in those rows.",
      effect: "18 % of the signs are wrong in the published correlations; AUROC and AUPRC are unaffected.",
    },
  ],
};
