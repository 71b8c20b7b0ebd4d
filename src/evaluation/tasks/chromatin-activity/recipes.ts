import type { TaskSetting } from "../task.ts";

/*
 * How the original trained for Task 4, as tables: one per setting. A row per family holds only what its family has of its
 * own; exceptions that need a reason are in deviations.ts. `null` is "not limited" or "never".
 */

type RecipeTable = Pick<TaskSetting, "recipe" | "byProtocol" | "byFamily">;

/** Rows that are trained and validated on; fewer are picked as `limit` picks the rows that are asked. */
const ALL_ROWS = { trainRows: null, valRows: null, trainingSeed: 0 } as const;

/** Corrected, training ends once nothing has improved for some epochs; the paper's protocol sees all. */
const PATIENCE = 10;

/**
 * A head on stored embeddings: Adam, 150 epochs, one head per cell line.
 *
 * Paper: peaks and the first tenth of the non-peaks laid into each other, alike in every epoch (quirks Q3 and Q10). Corrected:
 * the tenths take turns, and the order is drawn anew for each epoch.
 */
export const ACTIVITY_PROBED: RecipeTable = {
  recipe: {
    head: "cnn",
    positions: "bases",
    kernel: 8,
    optimizer: "adam",
    learningRate: 2e-3,
    batchSize: 1024,
    evaluationBatchSize: 1024,
    epochs: 150,
    order: "shuffled",
    negatives: "segments",
    negativeRatio: 10,
    patience: PATIENCE,
    /** Rows that the original embedded at once: under `paper` a row is padded to the longest of them (quirk Q7). */
    extractionBatchSize: 64,
    /** "auto": float16, in half the bytes, where it changes loss and metric of a sample by less than a tenth of their intervals. */
    storedAs: "auto",
    ...ALL_ROWS,
  },
  byProtocol: {
    paper: { order: "file", negatives: "first-segment", patience: null, storedAs: "float32" },
  },
  byFamily: {
    caduceus: { batchSize: 512, extractionBatchSize: 256 },
    dnabert2: { batchSize: 512 },
    hyenadna: { extractionBatchSize: 512 },
    "mistral-dna": { extractionBatchSize: 512 },
  },
};

/** LoRA and a fresh layer on the whole language model; AdamW. Non-peaks take turns and rows are shuffled in the original too. */
export const ACTIVITY_FINE_TUNED: RecipeTable = {
  recipe: {
    rank: 8,
    alpha: 16,
    dropout: 0.05,
    optimizer: "adamw",
    learningRate: 1e-4,
    weightDecay: 0.01,
    batchSize: 24,
    accumulate: 4,
    evaluationBatchSize: 24,
    epochs: 25,
    order: "shuffled",
    negatives: "strided",
    negativeRatio: 10,
    patience: PATIENCE,
    ...ALL_ROWS,
  },
  byProtocol: { paper: { patience: null } },
  byFamily: {
    caduceus: { epochs: 50 },
    "gena-lm": { evaluationBatchSize: 512 },
    hyenadna: { epochs: 45 },
    "nucleotide-transformer": { epochs: 10 },
  },
};

/**
 * A network trained on the letters alone. The original has none in this task beside ChromBPNet, which was trained elsewhere:
 * which rows an epoch sees is as in fine-tuning, optimiser and rate are those of the network like the probing head in Task 1,
 * and the sizes of batches and the number of epochs are our own.
 */
export const ACTIVITY_AB_INITIO: RecipeTable = {
  recipe: {
    optimizer: "adam",
    learningRate: 1e-3,
    batchSize: 128,
    evaluationBatchSize: 512,
    epochs: 50,
    order: "shuffled",
    negatives: "strided",
    negativeRatio: 10,
    patience: PATIENCE,
    ...ALL_ROWS,
  },
  byProtocol: { paper: { patience: null } },
};

/** A model's own prediction: as ChromBPNet's was scored, in batches of 256. */
export const ACTIVITY_PREDICTED: RecipeTable = { recipe: { score: "activity", evaluationBatchSize: 256 } };
