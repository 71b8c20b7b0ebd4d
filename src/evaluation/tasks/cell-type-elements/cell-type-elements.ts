import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { asKind } from "../prediction.ts";
import type { ScoreTable, Task, TaskSetting } from "../task.ts";
import { classOf, measureCellTypes, validateCellTypes } from "./classified.ts";
import { checkClusteringRecipe, measureClusters } from "./clusters.ts";
import { CLUSTERING } from "./example.ts";
import { AB_INITIO, CLUSTERED, FINE_TUNED, PROBED } from "./recipes.ts";
import { openCellTypeElements } from "./rows.ts";

/** What the settings that train have in common: a class for each cell line. */
const TRAINED: Omit<TaskSetting, "recipe"> = {
  defaultSplit: "test",
  supervision: {
    loss: "cross-entropy",
    classes: CELL_LINES.length,
    labels: (example) => [classOf(example)],
    validate: validateCellTypes,
  },
  publishedFile: "eval",
};

const LOGITS: ScoreTable = {
  columns: ["idx", "label", ...CELL_LINES.map((_, chosen) => `logit_${chosen}`)],
  line(prediction) {
    const { row, logits, facts } = asKind("logits", prediction);
    return [row, facts.label!, ...logits[0]!];
  },
};

/**
 * Task 3: elements that are open in one of five cell lines only; which one?
 * Inputs: `elements`, a table's path, its rows, or DART-Eval's data.h5; `genome`, a path or an open `Genome`, which data.h5
 * does without; `subset`, a list of the rows that are clustered.
 */
export const cellTypeElements: Task = {
  name: "cell-type-elements",
  number: 3,
  version: 1,
  title: "Cell-type-specific elements",
  asks: "In which of five cell lines is a regulatory element open?",
  source:
    "DART-Eval task 3 (Patel et al. 2024, arXiv:2412.05430): ATAC-seq peaks of GM12878, H1ESC, HEPG2, IMR90 and K562, from ENCODE",
  window: 500,
  members: ["element"],
  inputs: [
    {
      name: "elements",
      what: "the table of elements, tab-separated (dart-eval build cell-type-elements), or DART-Eval's data.h5",
    },
    {
      name: "genome",
      what: "the reference genome: FASTA, FASTA with bgzip, or 2bit; not needed with data.h5",
    },
    {
      name: "subset",
      optional: true,
      what: "numbers of the rows that are clustered, one per line after a header; all rows without it",
    },
  ],
  settings: {
    "zero-shot-embedding": {
      ...CLUSTERED,
      defaultSplit: "all",
      part: CLUSTERING,
      measuredWhole: true,
      checkRecipe: checkClusteringRecipe,
      measure: measureClusters,
      scores: {
        columns: ["idx", "label", "vector_base64_float32"],
        line(prediction) {
          const { row, vectors, facts } = asKind("vector", prediction);
          return [row, facts.label!, vectors[0]!];
        },
      },
    },
    probed: { ...PROBED, ...TRAINED },
    "fine-tuned": { ...FINE_TUNED, ...TRAINED },
    "ab-initio": { ...AB_INITIO, ...TRAINED },
  },
  open: (inputs) => openCellTypeElements(cellTypeElements, inputs),
  measure: measureCellTypes,
  scores: LOGITS,
};
