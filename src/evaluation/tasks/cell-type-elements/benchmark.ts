import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { sourceNamed } from "../../../datasets/sources/catalogue.ts";
import { rowsForMutualInformation, rowsPerClass } from "../../../metrics/sample-size.ts";
import { type FindMeasured, measuredMetric, type TaskBenchmark } from "../benchmark.ts";
import { REPRODUCED, SAME } from "../quirks.ts";

/** Share of the smallest class: HEPG2 has 33,948 of 216,746 peaks. */
const MIN_SHARE = 33_948 / 216_746;

const TRAINED = ["probed", "fine-tuned", "ab-initio"];

/** Task 3 in the suites, the published values and the paper's Table 4. */
export const CELL_TYPES_BENCHMARK: TaskBenchmark = {
  suite: [
    {
      inputs: {
        elements: sourceNamed("cell-type-peaks").path,
        genome: sourceNamed("hg38").path,
        subset: sourceNamed("clustering-rows").path,
      },
      settings: { "zero-shot-embedding": {}, probed: {}, "fine-tuned": {}, "ab-initio": {} },
    },
  ],
  // Accuracy and clustering use all rows; the AUROC of each cell line needs enough rows of that line.
  sampleSize: (width) => ({
    limit: Math.max(Math.ceil(rowsPerClass(width) / MIN_SHARE), rowsForMutualInformation(width)),
  }),
  datasets: [
    {
      dataset: null,
      inputs: { elements: ["cell-type-peaks", "task-3-data"], genome: ["hg38"], subset: ["clustering-rows"] },
    },
  ],
  publishedMetrics: {
    accuracy: measuredMetric("accuracy"),
    auroc: ofLine("auroc"),
    auprc: ofLine("auprc"),
    accuracy_against_rest: ofLine("accuracy-against-rest"),
    adjusted_mutual_information: measuredMetric("adjusted-mutual-information"),
    adjusted_mutual_information_5: measuredMetric("adjusted-mutual-information-5"),
  },
  paperTables: [
    {
      caption: "Task 3, clusters of embeddings against cell lines",
      settings: ["zero-shot-embedding"],
      columns: [
        { heading: "AMI, 50 clusters", metric: "adjusted_mutual_information" },
        { heading: "AMI, 5 clusters", metric: "adjusted_mutual_information_5" },
      ],
    },
    {
      caption: "Task 3, cell-type-specific elements: accuracy, and AUROC of each line (the paper's Table 4)",
      settings: TRAINED,
      columns: [
        { heading: "accuracy", metric: "accuracy" },
        ...CELL_LINES.map((dataset) => ({ heading: `${dataset} AUROC`, metric: "auroc", dataset })),
      ],
    },
    {
      caption: "Task 3, each cell line against the others (as in the paper's supplement)",
      settings: TRAINED,
      lines: { heading: "cell line", datasets: CELL_LINES },
      columns: [
        { heading: "AUROC", metric: "auroc" },
        { heading: "AUPRC", metric: "auprc" },
        { heading: "accuracy", metric: "accuracy_against_rest" },
      ],
    },
  ],
  quirks: [
    {
      label: "Q29",
      title: "Consensus peaks depend on ties",
      where: "Task 3, building the table",
      original: "Touching ends overlap on one side only, and peaks of equal q are sorted unstably.",
      paper: "The same overlap; ties keep the order of the files.",
      corrected: "The same overlap; ties keep the order of the files.",
      effect: "One or two peaks in 2,000.",
    },
    {
      label: "Q30",
      title: "Clustered subset ignores the direction",
      where: "Task 3, building the subset",
      original: "The peaks of smallest adjusted p are taken without a sign, ties in any order.",
      paper: "The same; ties keep the order of the table.",
      corrected: "The same; ties keep the order of the table.",
      effect: "The subset holds peaks that are closed in the line that selected them.",
    },
    {
      label: "Q31",
      title: "k-means by the defaults of scikit-learn 1.4",
      where: "Task 3, zero-shot embedding",
      original: "One start per seed (n_init = 1), 100 seeds.",
      paper: REPRODUCED,
      corrected: SAME,
      effect: "Other versions give other means of the adjusted mutual information.",
    },
  ],
};

/** The metric of one cell line, which is a class of this task: "auroc-k562". */
function ofLine(name: string): FindMeasured {
  return (measured, key) =>
    key.dataset === null ? undefined : measuredMetric(`${name}-${key.dataset.toLowerCase()}`)(measured, key);
}
