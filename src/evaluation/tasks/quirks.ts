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
  /** Cells in which the two protocols compute different scores because of it; absent where the scores agree. */
  readonly changesScores?: readonly QuirkCells[];
}

/** The product of these lists; an absent list stands for all of its kind. */
interface QuirkCells {
  readonly tasks: readonly string[];
  readonly settings: readonly string[];
  readonly families?: readonly string[];
}

const REPRODUCED = "Reproduced.";
const SAME = "The same.";
const NEITHER = "Not reproduced.";

const [ELEMENTS, MOTIFS, CELL_TYPES, ACTIVITY, VARIANTS] = [
  "regulatory-elements",
  "motif-footprinting",
  "cell-type-elements",
  "chromatin-activity",
  "variant-effects",
] as const;

const BYTE_PAIRS = ["dnabert2", "gena-lm", "mistral-dna"] as const;
const ONE_LETTER = ["caduceus", "hyenadna"] as const;

/** Every known quirk of the original, by number. `docs/quirks.md` is written from this list. */
export const QUIRKS: readonly Quirk[] = [
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
    label: "Q2",
    title: "Embeddings attached to the wrong rows",
    where: "Tasks 2 and 3, zero-shot embedding, language models",
    original:
      "Vectors are concatenated in the text order of the batch names (emb_0_64, emb_100032_100096, …); keys stay in file order.",
    paper: "Reproduced; the result in file order is computed too and shown next to it.",
    corrected: "Each row has its own vector.",
    effect:
      "0.01 % of Task 2's rows and 0.03 % of Task 3's keep their own vector, so the published embedding results are near chance.",
    changesScores: [
      {
        tasks: [MOTIFS, CELL_TYPES],
        settings: ["zero-shot-embedding"],
        families: [...ONE_LETTER, ...BYTE_PAIRS, "nucleotide-transformer"],
      },
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
    label: "Q4",
    title: "Probes of variants miss the variant",
    where: "Task 5, probed, all families but Caduceus",
    original:
      "The map from bases to tokens is as long as the batch has tokens, so heads read the first 200 to 500 of 2,114 bases; HyenaDNA's slice includes [SEP].",
    paper: REPRODUCED,
    corrected: "The head reads all bases.",
    effect: "The variant, at base 1,057, lies outside the window; the published results are near chance.",
    changesScores: [
      {
        tasks: [VARIANTS],
        settings: ["probed"],
        families: ["hyenadna", ...BYTE_PAIRS, "nucleotide-transformer"],
      },
    ],
  },
  {
    label: "Q5",
    title: "Caduceus probe scored on other positions than trained on",
    where: "Task 5, probed, Caduceus",
    original: "Weights trained on two tokens (Q1) are applied to all 2,115 tokens.",
    paper: REPRODUCED,
    corrected: "Training and scoring read the same bases.",
    effect: "Scores of a head outside its training distribution.",
    changesScores: [{ tasks: [VARIANTS], settings: ["probed"], families: ["caduceus"] }],
  },
  {
    label: "Q6",
    title: "[SEP] inside the mean",
    where: "Tasks 2 and 3, zero-shot embedding, HyenaDNA and Caduceus",
    original: "The pooled token range ends after [SEP].",
    paper: REPRODUCED,
    corrected: "The mean runs over the tokens of bases.",
    effect: "One token in 351 or 501.",
    changesScores: [{ tasks: [MOTIFS, CELL_TYPES], settings: ["zero-shot-embedding"], families: ONE_LETTER }],
  },
  {
    label: "Q7",
    title: "No attention mask when embeddings are extracted",
    where: "Tasks 1 to 5, byte-pair families: probed, and zero-shot embedding of Tasks 2 and 3",
    original: "Padding is attended to, so an embedding depends on the other sequences of its batch.",
    paper: "Reproduced, with the original's batches.",
    corrected: "Sequences are embedded without padding.",
    effect: "Small changes of all embeddings of byte-pair models.",
    changesScores: [
      { tasks: [MOTIFS, CELL_TYPES], settings: ["zero-shot-embedding"], families: BYTE_PAIRS },
      { tasks: [ELEMENTS, CELL_TYPES, ACTIVITY, VARIANTS], settings: ["probed"], families: BYTE_PAIRS },
    ],
  },
  {
    label: "Q8",
    title: "Attention mask in scoring but not in training",
    where: "Task 5, probed, byte-pair families",
    original: "Probes are trained on embeddings without a mask (Q7) and scored on embeddings with one.",
    paper: REPRODUCED,
    corrected: "Neither training nor scoring sees padding.",
    effect: "A mismatch between training and scoring.",
    changesScores: [{ tasks: [VARIANTS], settings: ["probed"], families: BYTE_PAIRS }],
  },
  {
    label: "Q9",
    title: "Padding and special tokens inside the mean",
    where: "Task 5, zero-shot embedding",
    original: "The mean runs over the padded row, special tokens included.",
    paper: "Reproduced, with the original's batch sizes.",
    corrected: "The mean runs over the tokens of bases.",
    effect: "Distances of byte-pair models depend on the batch.",
    changesScores: [{ tasks: [VARIANTS], settings: ["zero-shot-embedding"] }],
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
      "Reproduced: alleles are added in float32; whole sequences, whose answers serve both protocols, are rounded to float32 before they are compared; distances are SciPy's bit for bit.",
    corrected: "Sums and distances are computed in float64.",
    effect: "Rounding is about as large as the effect of one base.",
    changesScores: [{ tasks: [MOTIFS, VARIANTS], settings: ["zero-shot", "zero-shot-embedding"] }],
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
    label: "Q18",
    title: "Spearman correlation without ties",
    where: "Task 4",
    original: "Equal values are ranked in row order, in float32.",
    paper: REPRODUCED,
    corrected: "Average ranks, in float64.",
    effect: "Affects non-peaks, many of which have equal counts.",
  },
  {
    label: "Q19",
    title: "Windows beyond the ends of a chromosome",
    where: "Task 5",
    original: "A window that starts before the chromosome is cut from its other end and fails.",
    paper: "Such variants are left out.",
    corrected: "The window is padded with N.",
    effect: "Few variants.",
  },
  {
    label: "Q20",
    title: "Insertions and deletions fail",
    where: "Task 5",
    original: "Alleles of several bases stop the program.",
    paper: "Such variants are left out.",
    corrected: "Scored in windows centred on the variant.",
    effect: "None on the published tables.",
  },
  {
    label: "Q21",
    title: "Reference mismatches are scored",
    where: "Task 5",
    original: "Where neither allele is the reference base, both are substituted.",
    paper: SAME,
    corrected: "The same; the rows are counted and `check variants` reports them.",
    effect: "Signs of such rows have no meaning.",
  },
  {
    label: "Q22",
    title: "Sign of the Yoruban dsQTLs",
    where: "Task 5, zero-shot likelihood, Yoruban",
    original: "Effects refer to allele 1; likelihoods are compared as allele 2 minus allele 1.",
    paper: REPRODUCED,
    corrected: "Allele 1 minus allele 2, as for probed and fine-tuned models.",
    effect: "The sign of the correlation.",
  },
  {
    label: "Q23",
    title: "is_causal is not the label",
    where: "Task 5, data.h5",
    original: "The exported column is_causal holds the filter of used variants.",
    paper: "Labels come from the variant tables.",
    corrected: "Labels come from the variant tables.",
    effect: "An AUROC against that column describes the filter.",
  },
  {
    label: "Q24",
    title: "Defaults of the generator",
    where: "Task 1, building the table",
    original: "The documented command omits --input_size 350 and --max_jitter 0, and makes another table.",
    paper: "`build` uses the published values.",
    corrected: "`build` uses the published values.",
    effect: "None on the published table.",
  },
  {
    label: "Q25",
    title: "Footprint backgrounds need batches of 1,024",
    where: "Task 2, building the table",
    original: "Backgrounds are row 567 of batches; the extraction script now writes batches of 512.",
    paper: "`build` uses batches of 1,024.",
    corrected: "`build` uses batches of 1,024.",
    effect: "None on the published table.",
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
    label: "Q29",
    title: "Consensus peaks depend on ties",
    where: "Task 3, building the table",
    original: "Touching ends overlap on one side only, and peaks of equal q are sorted unstably.",
    paper: "The same overlap; ties keep the order of the files.",
    corrected: "The same overlap; ties keep the order of the files.",
    effect: "One or two peaks in 2,000.",
  },
  {
    label: "Q30",
    title: "Clustered subset ignores the direction",
    where: "Task 3, building the subset",
    original: "The peaks of smallest adjusted p are taken without a sign, ties in any order.",
    paper: "The same; ties keep the order of the table.",
    corrected: "The same; ties keep the order of the table.",
    effect: "The subset holds peaks that are closed in the line that selected them.",
  },
  {
    label: "Q31",
    title: "k-means by the defaults of scikit-learn 1.4",
    where: "Task 3, zero-shot embedding",
    original: "One start per seed (n_init = 1), 100 seeds.",
    paper: REPRODUCED,
    corrected: SAME,
    effect: "Other versions give other means of the adjusted mutual information.",
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
    label: "Q33",
    title: "No test split in Tasks 2 and 5",
    where: "Tasks 2 and 5",
    original: "Backgrounds and variants come from all chromosomes, those of training included.",
    paper: SAME,
    corrected: "The same; `--split test` restricts variants to test chromosomes.",
    effect: "Trained settings of Task 5 may score sequences near training windows.",
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
    label: "Q36",
    title: "Signal at the ends of a chromosome",
    where: "Task 4",
    original: "The probing loader fails off the chromosome; the end-to-end loader clips and fills with 0.",
    paper: "Clipped and filled with 0.",
    corrected: "Clipped and filled with 0.",
    effect: "Few windows.",
  },
  {
    label: "Q37",
    title: "Enformer windows before the chromosome",
    where: "Task 4, Enformer comparison",
    original: "Windows with a negative start are dropped.",
    paper: "Not reproduced: Enformer is not part of the package.",
    corrected: "Not reproduced: Enformer is not part of the package.",
    effect: "Few windows of a side experiment.",
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
    label: "Q39",
    title: "Duplicate variants multiply",
    where: "Task 5",
    original:
      "Scores and table are joined by position and alleles, so a variant listed k times counts k² times.",
    paper: REPRODUCED,
    corrected: "Each row counts once.",
    effect: "Visible on tables with duplicates.",
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
  {
    label: "Q41",
    title: "Signs of African caQTL effects",
    where: "Task 5, African",
    original:
      "beta is used unchanged also where allele 2 is the reference base and beta refers to allele 1 (39,504 of 219,382 rows).",
    paper: REPRODUCED,
    corrected: "beta is negated in those rows.",
    effect: "18 % of the signs are wrong in the published correlations; AUROC and AUPRC are unaffected.",
  },
];

interface ScoredCell {
  readonly task: string;
  readonly setting: string;
  /** Undefined for a model without a family. */
  readonly family: string | undefined;
}

/** Labels of the quirks that make the two protocols' scores of a cell differ. */
export function scoreQuirks({ task, setting, family }: ScoredCell): readonly string[] {
  return QUIRKS.filter(({ changesScores = [] }) =>
    changesScores.some(
      ({ tasks, settings, families }) =>
        tasks.includes(task) &&
        settings.includes(setting) &&
        (families === undefined || (family !== undefined && families.includes(family))),
    ),
  ).map(({ label }) => label);
}
