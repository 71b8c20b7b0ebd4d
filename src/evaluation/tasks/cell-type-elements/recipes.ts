import { BYTE_PAIR_FAMILIES, ONE_LETTER_FAMILIES, ORIGINAL_FAMILIES } from "../quirks.ts";
import type { RecipeTable } from "../recipe.ts";
import {
  ALL_ROWS,
  CADUCEUS_ENDS,
  CORRECTED_TRAINING,
  LORA,
  PAPER_TRAINING,
  PROBING_HEAD,
} from "../training-recipes.ts";

/*
 * The original's training recipes for Task 3, one table per setting. A family's row has only the values that
 * differ; an override has its reason. `null` is "unlimited" or "never".
 */

/**
 * Replacement of infinite log-odds, for classes whose probability is 1 in float32: ln(1 − p) = −999 in the
 * original's scripts for heads, the largest float32 in those for whole models.
 */
const HEAD_SCRIPTS = { saturated: "minus-999" } as const;
const SEQUENCE_SCRIPTS = { saturated: "largest-float32" } as const;

/** A head on stored embeddings: Adam, 150 epochs. */
export const CELL_TYPES_PROBED: RecipeTable = {
  recipe: {
    ...PROBING_HEAD,
    batchSize: 1024,
    evaluationBatchSize: 1024,
    epochs: 150,
    ...CORRECTED_TRAINING,
    /** The original's batch size: under `paper` a row is padded to the longest of its batch (quirk Q7). */
    extractionBatchSize: 64,
    /** "auto": float16 if it changes loss and metric of a sample by less than a tenth of their intervals. */
    storedAs: "auto",
    ...HEAD_SCRIPTS,
    ...ALL_ROWS,
  },
  byProtocol: { paper: { ...PAPER_TRAINING, storedAs: "float32" } },
  byFamily: {
    caduceus: { batchSize: 256 },
    hyenadna: { batchSize: 512 },
    "mistral-dna": { batchSize: 512 },
  },
  overrides: [
    CADUCEUS_ENDS,
    {
      family: "nucleotide-transformer",
      change: { learningRate: 1e-3 },
      because: "The published run took half the learning rate of the others.",
    },
  ],
  scoreQuirks: { Q1: ["caduceus"], Q7: BYTE_PAIR_FAMILIES, Q10: "all" },
};

/**
 * The probing-head-like network, trained from the sequence alone. Another network's recipe is an override.
 */
export const CELL_TYPES_AB_INITIO: RecipeTable = {
  recipe: {
    optimizer: "adam",
    learningRate: 2e-3,
    weightDecay: 0,
    batchSize: 512,
    evaluationBatchSize: 1024,
    epochs: 150,
    ...CORRECTED_TRAINING,
    ...HEAD_SCRIPTS,
    ...ALL_ROWS,
  },
  byProtocol: { paper: PAPER_TRAINING },
  overrides: [
    {
      family: "chrombpnet-like",
      change: {
        optimizer: "adamw",
        learningRate: 1e-4,
        batchSize: 2048,
        evaluationBatchSize: 2048,
        epochs: 200,
        saturated: "largest-float32",
      },
      because:
        "The original trained this network with the scripts for whole models: AdamW without decay, a small rate, and the largest float32 for infinite log-odds. The other network went through those for heads.",
    },
  ],
  scoreQuirks: { Q10: "all" },
};

/** LoRA and a new classifier on the language model; AdamW. */
export const CELL_TYPES_FINE_TUNED: RecipeTable = {
  recipe: {
    ...LORA,
    batchSize: 128,
    accumulate: 1,
    evaluationBatchSize: 128,
    epochs: 15,
    ...CORRECTED_TRAINING,
    ...SEQUENCE_SCRIPTS,
    ...ALL_ROWS,
  },
  byProtocol: { paper: PAPER_TRAINING },
  byFamily: {
    caduceus: { epochs: 40 },
    dnabert2: { epochs: 15 },
    "gena-lm": { epochs: 15 },
    hyenadna: { epochs: 30 },
    "mistral-dna": { epochs: 50 },
    "nucleotide-transformer": { epochs: 10 },
  },
  overrides: [
    {
      family: "caduceus",
      change: { batchSize: 64, accumulate: 2 },
      because: "The original halved the batch and took the optimiser's step every second batch.",
    },
  ],
  scoreQuirks: { Q10: "all" },
};

/**
 * Clustering of pooled embeddings, compared with the cell lines.
 *
 * Corrected: exact principal components, and each row with its own vector. Paper: the randomised solver that
 * scikit-learn chooses for tables of this shape, and vectors in text order of the batches' names (quirk Q2).
 */
export const CELL_TYPES_CLUSTERED: RecipeTable = {
  recipe: {
    answer: "vector",
    pooling: "bases",
    extractionBatchSize: 64,
    order: "file",
    bothOrders: false,
    /** "raw", or "motif-counts": selection and scaling of columns. */
    transform: "raw",
    components: 60,
    solver: "full",
    clusters: 50,
    clusterSeeds: 100,
  },
  byProtocol: { paper: { order: "text", bothOrders: true, solver: "randomised" } },
  overrides: [
    {
      family: "motif-counts",
      protocol: "paper",
      change: { transform: "motif-counts", order: "file", bothOrders: false },
      because:
        "The original's exploratory notebook kept frequent motifs of large variance, took logarithms of their counts and standardised them; its final recipe is not known. It counted into a table of its own, in the order of the peaks, so quirk Q2 does not reach these counts. Corrected, counts are treated as the vectors of any model.",
    },
  ],
  scoreQuirks: { Q2: ORIGINAL_FAMILIES, Q6: ONE_LETTER_FAMILIES, Q7: BYTE_PAIR_FAMILIES },
};
