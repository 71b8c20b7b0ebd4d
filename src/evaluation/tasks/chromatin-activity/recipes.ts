import { BYTE_PAIR_FAMILIES } from "../quirks.ts";
import type { RecipeTable } from "../recipe.ts";
import { ALL_ROWS, CADUCEUS_ENDS, LORA, PROBING_HEAD } from "../training-recipes.ts";

/*
 * The original's training recipes for Task 4, one table per setting. A family's row has only the values that
 * differ; an override has its reason. `null` is "unlimited" or "never".
 */

/** Epochs without improvement after which training ends under `corrected`; `paper` trains all epochs. */
const PATIENCE = 10;

/**
 * A head on stored embeddings: Adam, 150 epochs, one head per cell line.
 *
 * Paper: peaks and the first tenth of the non-peaks, interleaved, the same in every epoch (quirks Q3 and
 * Q10). Corrected: the tenths alternate, and rows are shuffled for each epoch.
 */
export const ACTIVITY_PROBED: RecipeTable = {
  recipe: {
    ...PROBING_HEAD,
    batchSize: 1024,
    evaluationBatchSize: 1024,
    epochs: 150,
    order: "shuffled",
    negatives: "segments",
    negativeRatio: 10,
    patience: PATIENCE,
    /** The original's batch size: under `paper` a row is padded to the longest of its batch (quirk Q7). */
    extractionBatchSize: 64,
    /** "auto": float16 if it changes loss and metric of a sample by less than a tenth of their intervals. */
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
  overrides: [CADUCEUS_ENDS],
  scoreQuirks: { Q1: ["caduceus"], Q3: "all", Q7: BYTE_PAIR_FAMILIES, Q10: "all", Q32: "all" },
};

/**
 * LoRA and a new layer on the language model; AdamW. The original too alternates non-peaks and shuffles rows.
 */
export const ACTIVITY_FINE_TUNED: RecipeTable = {
  recipe: {
    ...LORA,
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
  overrides: [
    {
      family: "caduceus",
      change: { batchSize: 12, accumulate: 8 },
      because: "The original halved the batch and took the optimiser's step every eighth batch.",
    },
  ],
  scoreQuirks: { Q32: "all" },
};

/**
 * A network trained from the sequence alone. The original has none in this task except ChromBPNet, trained
 * elsewhere. Rows of an epoch are those of fine-tuning, optimizer and learning rate those of the
 * probing-head-like network in Task 1; batch sizes and number of epochs are choices of this package.
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
  scoreQuirks: { Q32: "all" },
};

/** A model's own prediction, scored in batches of 256 like ChromBPNet's. */
export const ACTIVITY_PREDICTED: RecipeTable = { recipe: { score: "activity", evaluationBatchSize: 256 } };
