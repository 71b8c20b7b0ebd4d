import { ACTIVITY, CELL_TYPES, ELEMENTS, type Quirk, REPRODUCED, SAME, VARIANTS } from "./quirk.ts";

/** Quirks of training and probing. */
export const TRAINING_QUIRKS: readonly Quirk[] = [
  {
    label: "Q1",
    title: "Caduceus probes see two tokens",
    where: "Tasks 1, 3, 4 and 5, probed, Caduceus",
    original:
      "The stored token range [0, L] is read as two token indices, so the head sees the first base and [SEP] alone.",
    paper: "Reproduced, with the kernel of 3 that two positions require.",
    corrected: "The head sees every base, with the kernel of 8 of the other families.",
    effect: "The published probed Caduceus results, such as Task 1 accuracy 0.726, describe two tokens.",
    changesScores: [
      { tasks: [ELEMENTS, CELL_TYPES, ACTIVITY, VARIANTS], settings: ["probed"], families: ["caduceus"] },
    ],
  },
  {
    label: "Q3",
    title: "The same tenth of the non-peaks in every epoch",
    where: "Tasks 4 and 5, probed",
    original:
      "The code that advances to the next tenth never runs; every epoch uses the first tenth in file order.",
    paper: REPRODUCED,
    corrected: "The tenths take turns.",
    effect: "Probes see a tenth of the negatives that fine-tuned models see.",
    changesScores: [{ tasks: [ACTIVITY, VARIANTS], settings: ["probed"] }],
  },
  {
    label: "Q10",
    title: "No shuffling during training",
    where: "Probed (all tasks); fine-tuned and ab initio (Tasks 1 and 3)",
    original: "Batches are consecutive rows of the file, the same in every epoch.",
    paper: REPRODUCED,
    corrected: "Rows are shuffled for each epoch from a recorded seed.",
    effect: "In a sorted file every epoch ends on the same chromosomes.",
    changesScores: [
      { tasks: [ELEMENTS, CELL_TYPES, ACTIVITY, VARIANTS], settings: ["probed"] },
      { tasks: [ELEMENTS, CELL_TYPES], settings: ["fine-tuned", "ab-initio"] },
    ],
  },
  {
    label: "Q11",
    title: "Uneven weights of short batches",
    where: "All training",
    original:
      "A partial accumulation at the end of an epoch is scaled like a full one, and a short last batch counts as much as a full one.",
    paper: "Reproduced.",
    corrected: "Accumulation as in the original; validation losses are means over rows.",
    effect: "Below the spread of seeds.",
  },
  {
    label: "Q12",
    title: "Training without a seed",
    where: "Probed, and Task 1",
    original: "No seed is set, or it is set after the model has been created.",
    paper: "Not reproduced: the seed is recorded, or no run could be repeated.",
    corrected: "The seed is recorded.",
    effect: "Published results carry an unknown spread of seeds.",
  },
  {
    label: "Q13",
    title: "Losses divided by the number of items",
    where: "Tasks 1 and 3, losses",
    original:
      "The sum of the batches' mean losses is divided by the number of items. Validation takes the batch size of training, in Task 4 too.",
    paper: REPRODUCED,
    corrected: "The mean over items.",
    effect: "Losses are too small by about the batch size; the ranking of epochs hardly changes.",
  },
  {
    label: "Q28",
    title: "LoRA unties Caduceus",
    where: "Fine-tuned, Caduceus",
    original:
      "Projections shared by both directions get separate LoRA factors, also in depth-wise convolutions.",
    paper: REPRODUCED,
    corrected: SAME,
    effect: "More trained parameters than the shared weights have.",
  },
  {
    label: "Q32",
    title: "Validation dominated by non-peaks",
    where: "Tasks 4 and 5, trained settings",
    original: "Validation mixes peaks with all non-peaks, ten times the share of training.",
    paper: REPRODUCED,
    corrected: "Non-peaks together count as much as those of one training epoch.",
    effect: "Another epoch may be selected.",
    changesScores: [{ tasks: [ACTIVITY, VARIANTS], settings: ["probed", "fine-tuned", "ab-initio"] }],
  },
  {
    label: "Q34",
    title: "Attention kernel of DNABERT-2",
    where: "Task 1, probed, DNABERT-2",
    original: "The fused half-precision kernel may have been used for embeddings.",
    paper: "Not reproduced: attention runs in float32.",
    corrected: "Attention runs in float32.",
    effect: "At the level of half-precision rounding.",
  },
];
