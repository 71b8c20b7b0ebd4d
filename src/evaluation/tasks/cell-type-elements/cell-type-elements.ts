import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { asKind } from "../prediction.ts";
import type { TaskStratification } from "../stratification.ts";
import type { ScoreTable, Task, TaskSetting } from "../task.ts";
import { CELL_TYPES_BENCHMARK } from "./benchmark.ts";
import {
  type CellTypeMetric,
  cellTypeAccuracyStatistic,
  classOf,
  measureCellTypes,
  validateCellTypes,
} from "./classified.ts";
import { clusteringSeconds } from "./clustering-time.ts";
import { type ClusterMetric, checkClusteringRecipe, clustersStatistic, measureClusters } from "./clusters.ts";
import {
  CELL_TYPES_AB_INITIO,
  CELL_TYPES_CLUSTERED,
  CELL_TYPES_FINE_TUNED,
  CELL_TYPES_PROBED,
} from "./recipes.ts";
import { viewCellTypes } from "./row-view.ts";
import { type CellTypeElementsInputs, openCellTypeElements } from "./rows.ts";
import { CELL_TYPE_FACTS, type CellTypeFacts, CLUSTERING } from "./subset.ts";

/** Stratifications of Task 3; the accuracy of a cell line's stratum is the recall of its class. */
const CELL_TYPES_STRATA: readonly TaskStratification<CellTypeFacts>[] = [
  { name: "cell-line", title: "cell line of the element", valueOf: ({ label }) => label },
  { use: "ccre-class" },
  { use: "gc" },
  { use: "tss" },
  { use: "repeats" },
  { use: "chromosome" },
];

/** Common part of the settings that train: one class per cell line. */
const TRAINED: Omit<TaskSetting<CellTypeFacts, CellTypeMetric>, "recipe"> = {
  defaultSplit: "test",
  supervision: {
    loss: "cross-entropy",
    classes: CELL_LINES.length,
    labels: (example) => [classOf(example)],
    validate: validateCellTypes,
  },
  publishedFile: "eval",
};

const LOGITS: ScoreTable<CellTypeFacts> = {
  columns: ["idx", "label", ...CELL_LINES.map((_, chosen) => `logit_${chosen}`)],
  line(prediction) {
    const { row, logits, facts } = asKind("logits", prediction);
    return [row, facts.label, ...logits[0]];
  },
};

/**
 * Task 3: classification of elements that are open in exactly one of five cell lines, and clustering of their
 * embeddings.
 */
export const cellTypeElements: Task<
  CellTypeFacts,
  CellTypeElementsInputs,
  "cell-type-elements",
  CellTypeMetric | ClusterMetric
> = {
  name: "cell-type-elements",
  number: 3,
  version: 1,
  title: "Cell-type-specific elements",
  question: "In which of five cell lines is a regulatory element accessible?",
  source:
    "DART-Eval task 3 (Patel et al. 2024, arXiv:2412.05430): ATAC-seq peaks of GM12878, H1ESC, HEPG2, IMR90 and K562, from ENCODE",
  window: 500,
  widens: true,
  members: ["element"],
  inputs: [
    {
      name: "elements",
      description:
        "the table of elements, tab-separated (dart-eval build cell-type-elements), or DART-Eval's data.h5",
    },
    {
      name: "genome",
      description: "the reference genome: FASTA, FASTA with bgzip, or 2bit; not needed with data.h5",
    },
    {
      name: "subset",
      optional: true,
      description: "numbers of the rows to cluster, one per line after a header; default: all rows",
    },
  ],
  facts: CELL_TYPE_FACTS,
  stratifications: CELL_TYPES_STRATA,
  settings: {
    "zero-shot-embedding": {
      ...CELL_TYPES_CLUSTERED,
      defaultSplit: "all",
      part: CLUSTERING,
      measuredWhole: true,
      measuringSeconds(rows, [example], { recipe, pause }) {
        const bytes =
          example === undefined ? 0 : Buffer.from(asKind("vector", example).vectors[0], "base64").length;
        return clusteringSeconds({ rows, columns: bytes / 4 }, recipe, pause);
      },
      checkRecipe: checkClusteringRecipe,
      measure: measureClusters,
      mainStatistic: clustersStatistic,
      scores: {
        columns: ["idx", "label", "vector_base64_float32"],
        line(prediction) {
          const { row, vectors, facts } = asKind("vector", prediction);
          return [row, facts.label, vectors[0]];
        },
      },
    },
    probed: { ...CELL_TYPES_PROBED, ...TRAINED },
    "fine-tuned": { ...CELL_TYPES_FINE_TUNED, ...TRAINED },
    "ab-initio": { network: "probing-head-like", ...CELL_TYPES_AB_INITIO, ...TRAINED },
  },
  open: (inputs, options) => openCellTypeElements(cellTypeElements, inputs, options),
  measure: measureCellTypes,
  mainStatistic: cellTypeAccuracyStatistic,
  viewRows: viewCellTypes,
  scores: LOGITS,
  benchmark: CELL_TYPES_BENCHMARK,
};
