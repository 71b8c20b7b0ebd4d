import type { TaskSetting } from "../task.ts";

/*
 * The original's training recipes for Task 1, one table per setting. A family's row has only the values that
 * differ; overrides with a reason are in overrides.ts. `null` is "unlimited" or "never".
 */

type RecipeTable = Pick<TaskSetting, "recipe" | "byProtocol" | "byFamily">;

/**
 * Differences between the protocols in all training. Paper: file order (quirk Q10), all epochs. Corrected:
 * shuffled for each epoch from a recorded seed, with early stopping. Both record seeds, since a run without
 * one (quirk Q12) is not reproducible.
 */
const CORRECTED = { order: "shuffled", patience: 10 } as const;
const BY_PROTOCOL: NonNullable<RecipeTable["byProtocol"]> = { paper: { order: "file", patience: null } };

/** Training and validation rows: all. A smaller number is picked like evaluated rows by `limit`. */
const ALL_ROWS = { trainRows: null, valRows: null, trainingSeed: 0 } as const;

/** A head on stored embeddings: Adam, 2,048 pairs a batch, 150 epochs, for every family. */
export const ELEMENTS_PROBED: RecipeTable = {
  recipe: {
    head: "cnn",
    positions: "bases",
    kernel: 8,
    optimizer: "adam",
    learningRate: 2e-3,
    batchSize: 2048,
    evaluationBatchSize: 2048,
    epochs: 150,
    ...CORRECTED,
    /** The original's batch size: under `paper` a row is padded to the longest of its batch (quirk Q7). */
    extractionBatchSize: 512,
    /** "auto": float16 if it changes loss and metric of a sample by less than a tenth of their intervals. */
    storedAs: "auto",
    ...ALL_ROWS,
  },
  byProtocol: { paper: { ...BY_PROTOCOL.paper, storedAs: "float32" } },
};

/** A network trained from the sequence alone. */
export const ELEMENTS_AB_INITIO: RecipeTable = {
  recipe: {
    optimizer: "adam",
    learningRate: 1e-3,
    batchSize: 2048,
    evaluationBatchSize: 2048,
    epochs: 150,
    ...CORRECTED,
    ...ALL_ROWS,
  },
  byProtocol: BY_PROTOCOL,
};

/** LoRA and a new classifier on the language model; AdamW. */
export const ELEMENTS_FINE_TUNED: RecipeTable = {
  recipe: {
    rank: 8,
    alpha: 16,
    dropout: 0.05,
    optimizer: "adamw",
    learningRate: 1e-4,
    weightDecay: 0.01,
    batchSize: 128,
    accumulate: 1,
    evaluationBatchSize: 4096,
    epochs: 10,
    ...CORRECTED,
    ...ALL_ROWS,
  },
  byProtocol: BY_PROTOCOL,
  byFamily: {
    caduceus: { epochs: 16, evaluationBatchSize: 2048 },
    dnabert2: { epochs: 10 },
    "gena-lm": { epochs: 10, evaluationBatchSize: 1024 },
    hyenadna: { epochs: 20 },
    "mistral-dna": { epochs: 25, evaluationBatchSize: 2048 },
    "nucleotide-transformer": { epochs: 5 },
  },
};
