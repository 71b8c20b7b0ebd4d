import type { TaskSetting } from "../task.ts";

/*
 * How the original trained for Task 3, as tables: one per setting. A row per family holds only what its family has of its
 * own; exceptions that need a reason are in deviations.ts. `null` is "not limited" or "never".
 */

type RecipeTable = Pick<TaskSetting, "recipe" | "byProtocol" | "byFamily">;

/**
 * What the protocols do differently in any training. Paper: every epoch in file order (quirk Q10), all epochs. Corrected: an
 * order drawn anew for each epoch from a recorded seed, and an end once nothing has improved for some epochs. Seeds are
 * recorded under both, since a run without one (quirk Q12) could not be repeated.
 */
const CORRECTED = { order: "shuffled", patience: 10 } as const;
const PAPER = { order: "file", patience: null } as const;

/** Rows that are trained and validated on; fewer are picked as `limit` picks the rows that are asked. */
const ALL_ROWS = { trainRows: null, valRows: null, trainingSeed: 0 } as const;

/**
 * What stands for infinite log-odds, where a class has all the probability that float32 can tell: the scripts for heads put
 * ln(1 − p) = −999 there, those that train from the sequence the largest float32.
 */
const HEAD_SCRIPTS = { saturated: "minus-999" } as const;
const SEQUENCE_SCRIPTS = { saturated: "largest-float32" } as const;

/** A head on stored embeddings: Adam, 150 epochs. */
export const CELL_TYPES_PROBED: RecipeTable = {
  recipe: {
    head: "cnn",
    positions: "bases",
    kernel: 8,
    optimizer: "adam",
    learningRate: 2e-3,
    batchSize: 1024,
    evaluationBatchSize: 1024,
    epochs: 150,
    ...CORRECTED,
    /** Rows that the original embedded at once: under `paper` a row is padded to the longest of them (quirk Q7). */
    extractionBatchSize: 64,
    /** "auto": float16, in half the bytes, where it changes loss and metric of a sample by less than a tenth of their intervals. */
    storedAs: "auto",
    ...HEAD_SCRIPTS,
    ...ALL_ROWS,
  },
  byProtocol: { paper: { ...PAPER, storedAs: "float32" } },
  byFamily: {
    caduceus: { batchSize: 256 },
    hyenadna: { batchSize: 512 },
    "mistral-dna": { batchSize: 512 },
  },
};

/** A network trained on the letters alone: the one like the probing head. The other's recipe is a deviation. */
export const CELL_TYPES_AB_INITIO: RecipeTable = {
  recipe: {
    optimizer: "adam",
    learningRate: 2e-3,
    weightDecay: 0,
    batchSize: 512,
    evaluationBatchSize: 1024,
    epochs: 150,
    ...CORRECTED,
    ...HEAD_SCRIPTS,
    ...ALL_ROWS,
  },
  byProtocol: { paper: PAPER },
};

/** LoRA and a fresh classifier on the whole language model; AdamW. */
export const CELL_TYPES_FINE_TUNED: RecipeTable = {
  recipe: {
    rank: 8,
    alpha: 16,
    dropout: 0.05,
    optimizer: "adamw",
    learningRate: 1e-4,
    weightDecay: 0.01,
    batchSize: 128,
    accumulate: 1,
    evaluationBatchSize: 128,
    epochs: 15,
    ...CORRECTED,
    ...SEQUENCE_SCRIPTS,
    ...ALL_ROWS,
  },
  byProtocol: { paper: PAPER },
  byFamily: {
    caduceus: { epochs: 40 },
    dnabert2: { epochs: 15 },
    "gena-lm": { epochs: 15 },
    hyenadna: { epochs: 30 },
    "mistral-dna": { epochs: 50 },
    "nucleotide-transformer": { epochs: 10 },
  },
};

/**
 * Pooled embeddings, put into clusters that are compared with the cell lines.
 *
 * Corrected: principal components are exact, and a row has its own vector. Paper: the randomised solver that scikit-learn
 * chooses for tables of this shape, and vectors in the order in which a library lists the batches (quirk Q2).
 */
export const CELL_TYPES_CLUSTERED: RecipeTable = {
  recipe: {
    answer: "vector",
    pooling: "bases",
    extractionBatchSize: 64,
    order: "file",
    bothOrders: false,
    /** "raw", or "motif-counts": which columns count, and on which scale. */
    transform: "raw",
    components: 60,
    solver: "full",
    clusters: 50,
    clusterSeeds: 100,
  },
  byProtocol: { paper: { order: "text", bothOrders: true, solver: "randomised" } },
};
