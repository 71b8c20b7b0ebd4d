import type { Override } from "./recipe.ts";

/*
 * Parts of the original's training recipes that several tasks have. Their tables are in the `recipes.ts` of
 * each task.
 */

/**
 * Differences between the protocols in the training of Tasks 1 and 3. Paper: file order (quirk Q10), all
 * epochs. Corrected: shuffled for each epoch from a recorded seed, with early stopping. Both record seeds,
 * since a run without one (quirk Q12) is not reproducible.
 */
export const CORRECTED_TRAINING = { order: "shuffled", patience: 10 } as const;
export const PAPER_TRAINING = { order: "file", patience: null } as const;

/** Training and validation rows: all. A smaller number is picked like evaluated rows by `limit`. */
export const ALL_ROWS = { trainRows: null, valRows: null, trainingSeed: 0 } as const;

/** A head on stored embeddings and its optimizer. */
export const PROBING_HEAD = {
  head: "cnn",
  positions: "bases",
  kernel: 8,
  optimizer: "adam",
  learningRate: 2e-3,
} as const;

/** The head of Caduceus under `paper` (quirk Q1). */
export const CADUCEUS_ENDS: Override = {
  family: "caduceus",
  protocol: "paper",
  change: { positions: "ends", kernel: 3 },
  because:
    "Quirk Q1: the original took the stored range of tokens [0, L] for two token numbers, so its head saw the first base and the end token alone; with two positions a kernel of 8 does not fit.",
};

/** LoRA on the language model and its optimizer. */
export const LORA = {
  rank: 8,
  alpha: 16,
  dropout: 0.05,
  optimizer: "adamw",
  learningRate: 1e-4,
  weightDecay: 0.01,
} as const;
