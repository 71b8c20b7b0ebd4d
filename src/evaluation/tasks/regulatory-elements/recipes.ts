import { BYTE_PAIR_FAMILIES } from "../quirks.ts";
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
 * The original's training recipes for Task 1, one table per setting. A family's row has only the values that
 * differ; an override has its reason. `null` is "unlimited" or "never".
 */

/** A head on stored embeddings: Adam, 2,048 pairs a batch, 150 epochs, for every family. */
export const ELEMENTS_PROBED: RecipeTable = {
  recipe: {
    ...PROBING_HEAD,
    batchSize: 2048,
    evaluationBatchSize: 2048,
    epochs: 150,
    ...CORRECTED_TRAINING,
    /** The original's batch size: under `paper` a row is padded to the longest of its batch (quirk Q7). */
    extractionBatchSize: 512,
    /** "auto": float16 if it changes loss and metric of a sample by less than a tenth of their intervals. */
    storedAs: "auto",
    ...ALL_ROWS,
  },
  byProtocol: { paper: { ...PAPER_TRAINING, storedAs: "float32" } },
  overrides: [CADUCEUS_ENDS],
  scoreQuirks: { Q1: ["caduceus"], Q7: BYTE_PAIR_FAMILIES, Q10: "all" },
};

/** A network trained from the sequence alone. */
export const ELEMENTS_AB_INITIO: RecipeTable = {
  recipe: {
    optimizer: "adam",
    learningRate: 1e-3,
    batchSize: 2048,
    evaluationBatchSize: 2048,
    epochs: 150,
    ...CORRECTED_TRAINING,
    ...ALL_ROWS,
  },
  byProtocol: { paper: PAPER_TRAINING },
  scoreQuirks: { Q10: "all" },
};

/** LoRA and a new classifier on the language model; AdamW. */
export const ELEMENTS_FINE_TUNED: RecipeTable = {
  recipe: {
    ...LORA,
    batchSize: 128,
    accumulate: 1,
    evaluationBatchSize: 4096,
    epochs: 10,
    ...CORRECTED_TRAINING,
    ...ALL_ROWS,
  },
  byProtocol: { paper: PAPER_TRAINING },
  byFamily: {
    caduceus: { epochs: 16, evaluationBatchSize: 2048 },
    dnabert2: { epochs: 10 },
    "gena-lm": { epochs: 10, evaluationBatchSize: 1024 },
    hyenadna: { epochs: 20 },
    "mistral-dna": { epochs: 25, evaluationBatchSize: 2048 },
    "nucleotide-transformer": { epochs: 5 },
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
