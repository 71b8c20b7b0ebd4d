/** One difference between what the benchmark's scripts do and what its paper describes. */
export interface Quirk {
  /** Stable label: "Q14". The numbers carry no order. */
  readonly label: string;
  readonly title: string;
  /** Tasks and settings concerned, as text. */
  readonly where: string;
  /** Behaviour of the original's scripts. */
  readonly original: string;
  /** Behaviour under `--protocol paper`. */
  readonly paper: string;
  /** Behaviour under `--protocol corrected`. */
  readonly corrected: string;
  /** Consequence for the numbers. */
  readonly effect: string;
}

export const REPRODUCED = "Reproduced.";
export const SAME = "The same.";
const NEITHER = "Not reproduced.";

/** Families of the original by their tokens, for quirks that change the scores of some families only. */
export const ONE_LETTER_FAMILIES = ["caduceus", "hyenadna"] as const;
export const BYTE_PAIR_FAMILIES = ["dnabert2", "gena-lm", "mistral-dna"] as const;
/** All families of the original. */
export const ORIGINAL_FAMILIES = [
  ...ONE_LETTER_FAMILIES,
  ...BYTE_PAIR_FAMILIES,
  "nucleotide-transformer",
] as const;

/** Quirks of several tasks; those of one task are in its `benchmark.ts`. */
export const SHARED_QUIRKS: readonly Quirk[] = [
  {
    label: "Q1",
    title: "Caduceus probes see two tokens",
    where: "Tasks 1, 3, 4 and 5, probed, Caduceus",
    original:
      "The stored token range [0, L] is read as two token indices, so the head sees the first base and [SEP] alone.",
    paper: "Reproduced, with the kernel of 3 that two positions require.",
    corrected: "The head sees every base, with the kernel of 8 of the other families.",
    effect: "The published probed Caduceus results, such as Task 1 accuracy 0.726, describe two tokens.",
  },
  {
    label: "Q2",
    title: "Embeddings attached to the wrong rows",
    where: "Tasks 2 and 3, zero-shot embedding, language models",
    original:
      "Vectors are concatenated in the text order of the batch names (emb_0_64, emb_100032_100096, …); keys stay in file order.",
    paper: "Reproduced; the result in file order is computed too and shown next to it.",
    corrected: "Each row has its own vector.",
    effect:
      "0.01 % of Task 2's rows and 0.03 % of Task 3's keep their own vector, so the published embedding results are near chance.",
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
  },
  {
    label: "Q6",
    title: "[SEP] inside the mean",
    where: "Tasks 2 and 3, zero-shot embedding, HyenaDNA and Caduceus",
    original: "The pooled token range ends after [SEP].",
    paper: REPRODUCED,
    corrected: "The mean runs over the tokens of bases.",
    effect: "One token in 351 or 501.",
  },
  {
    label: "Q7",
    title: "No attention mask when embeddings are extracted",
    where: "Tasks 1 to 5, byte-pair families: probed, and zero-shot embedding of Tasks 2 and 3",
    original: "Padding is attended to, so an embedding depends on the other sequences of its batch.",
    paper: "Reproduced, with the original's batches.",
    corrected: "Sequences are embedded without padding.",
    effect: "Small changes of all embeddings of byte-pair models.",
  },
  {
    label: "Q10",
    title: "No shuffling during training",
    where: "Probed (all tasks); fine-tuned and ab initio (Tasks 1 and 3)",
    original: "Batches are consecutive rows of the file, the same in every epoch.",
    paper: REPRODUCED,
    corrected: "Rows are shuffled for each epoch from a recorded seed.",
    effect: "In a sorted file every epoch ends on the same chromosomes.",
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
    label: "Q14",
    title: "Confidence intervals use the whole data set as n",
    where: "Tasks 1, 2 and 3",
    original:
      "Wald intervals take all rows of the table, train and test, as the number of trials; Task 1 takes twice that in its tables and once in single scripts.",
    paper: "Reproduced; Task 1 has the interval over both numbers, 4,697,708 and 2,348,854.",
    corrected: "Intervals rest on the evaluated rows, grouped into blocks of the genome.",
    effect: "Published half-widths are too small by a factor of about two.",
  },
  {
    label: "Q15",
    title: "Tie rules differ",
    where: "Tasks 1 and 2",
    original: "A tie is wrong in Task 1 and in Task 2's distances, and correct in Task 2's likelihoods.",
    paper: REPRODUCED,
    corrected: "A tie counts one half; scores within the model's rounding are ties.",
    effect: "Visible for models with many equal scores.",
  },
  {
    label: "Q16",
    title: "float32 arithmetic",
    where: "Tasks 1, 2 and 5, zero-shot",
    original:
      "Log-likelihoods of up to 2,114 positions are added in float32, and cosine distances of alleles come from float32 dot products.",
    paper:
      "Reproduced: alleles are added in float32; whole sequences, whose scores serve both protocols, are rounded to float32 before they are compared; distances are SciPy's bit for bit.",
    corrected: "Sums and distances are computed in float64.",
    effect: "Rounding is about as large as the effect of one base.",
  },
  {
    label: "Q17",
    title: "Totals over different numbers of tokens",
    where: "Tasks 1 and 2, zero-shot, byte-pair families",
    original: "The log-likelihood of a sequence is the sum over its tokens, however many there are.",
    paper: SAME,
    corrected: "The same, by definition; the numbers of tokens are reported.",
    effect: "The sum favours the sequence with fewer tokens.",
  },
  {
    label: "Q26",
    title: "The first base has no likelihood",
    where: "Tasks 1, 2 and 5, zero-shot, HyenaDNA",
    original: "A causal model without a start token cannot score the first base.",
    paper: SAME,
    corrected: SAME,
    effect: "None where both members begin with the same base, as dinucleotide shuffles do.",
  },
  {
    label: "Q27",
    title: "N is read as A",
    where: "All tasks",
    original: "Language models see A for N; a shuffled control has A where the element has no base.",
    paper: REPRODUCED,
    corrected: "The same; rows with N are counted and reported.",
    effect: "Rare; networks on one-hot input could use it.",
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
  },
  {
    label: "Q33",
    title: "No test split in Tasks 2 and 5",
    where: "Tasks 2 and 5",
    original: "Backgrounds and variants come from all chromosomes, those of training included.",
    paper: SAME,
    corrected: "The same; `--split test` restricts variants to test chromosomes.",
    effect: "Trained settings of Task 5 may score sequences near training windows.",
  },
  {
    label: "Q35",
    title: "Unpinned code and weights",
    where: "All tasks",
    original: "Models are loaded from the hub's newest revision.",
    paper: "Revisions are pinned where they are known, and digests are recorded.",
    corrected: "Revisions are pinned where they are known, and digests are recorded.",
    effect: "Results may change with the hub.",
  },
  {
    label: "Q38",
    title: "Scripts that cannot run",
    where: "Several",
    original: "Unformatted paths, merge markers, undefined names, and folders that differ between scripts.",
    paper: NEITHER,
    corrected: NEITHER,
    effect: "None on published numbers, as far as is known.",
  },
  {
    label: "Q40",
    title: "Links to other data than named",
    where: "Data",
    original: "Two links of the documentation lead to other Synapse folders than their text.",
    paper: "`data fetch` uses the folder that holds the files.",
    corrected: "`data fetch` uses the folder that holds the files.",
    effect: "None.",
  },
];
