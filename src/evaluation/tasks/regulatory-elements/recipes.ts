import type { TaskSetting } from "../task.ts";

/*
 * How the original trained for Task 1, as tables: one per setting. A row per family holds only what its family has of its
 * own; exceptions that need a reason are in deviations.ts. `null` is "not limited" or "never".
 */

type RecipeTable = Pick<TaskSetting, "recipe" | "byProtocol" | "byFamily">;

/**
 * What the protocols do differently in any training. Paper: every epoch in file order (quirk Q10), all epochs. Corrected: an
 * order drawn anew for each epoch from a recorded seed, and an end once nothing has improved for some epochs. Seeds are
 * recorded under both, since a run without one (quirk Q12) could not be repeated.
 */
const CORRECTED = { order: "shuffled", patience: 10 } as const;
const BY_PROTOCOL: NonNullable<RecipeTable["byProtocol"]> = { paper: { order: "file", patience: null } };

/** Rows that are trained and validated on; fewer are picked as `limit` picks the rows that are asked. */
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
    /** Rows that the original embedded at once: under `paper` a row is padded to the longest of them (quirk Q7). */
    extractionBatchSize: 512,
    /** "auto": float16, in half the bytes, where it changes loss and metric of a sample by less than a tenth of their intervals. */
    storedAs: "auto",
    ...ALL_ROWS,
  },
  byProtocol: { paper: { ...BY_PROTOCOL.paper, storedAs: "float32" } },
};

/** A network trained on the letters alone. */
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

/** LoRA and a fresh classifier on the whole language model; AdamW. */
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
