import { asKind, type Prediction } from "../prediction.ts";
import type { TaskStratification } from "../stratification.ts";
import type { ScoreTable, Task } from "../task.ts";
import { VARIANTS_BENCHMARK } from "./benchmark.ts";
import { measureVariants, type VariantMetric, variantStatistic } from "./measure.ts";
import { viewVariants } from "./row-view.ts";
import { openVariants, VARIANT_WINDOW, type VariantEffectsInputs } from "./rows.ts";
import { type StoredVariantFacts, VARIANT_FACTS } from "./scores.ts";
import { TRAINING_INPUTS, VARIANTS_AB_INITIO, VARIANTS_FINE_TUNED, VARIANTS_PROBED } from "./training.ts";

/** True if a variant is a control, of which tables may lack the effect. */
const isControl = ({ significant }: StoredVariantFacts) => significant === 0;

/** Stratifications of Task 5; composition is that of the model's window. */
const VARIANTS_STRATA: readonly TaskStratification<StoredVariantFacts>[] = [
  {
    name: "effect-size",
    title: "absolute effect size of QTLs, each stratum against all controls",
    valueOf: (facts) => (isControl(facts) || facts.effect === undefined ? undefined : Math.abs(facts.effect)),
    inEveryStratum: isControl,
  },
  { use: "in-motif" },
  { use: "tss" },
  { use: "ccre-class" },
  { use: "gc", over: "window" },
  { use: "repeats" },
  { use: "chromosome" },
];

/** Columns that identify a row in its table; positions 1-based, as there. */
const KEYS = ["idx", "chrom", "pos", "allele1", "allele2"] as const;

const keysOf = ({ row, facts }: Prediction<StoredVariantFacts>) => [
  row,
  facts.chrom,
  facts.start + 1,
  facts.allele1,
  facts.allele2,
];

/** The identifying columns, then the original's scores. */
const ALLELE_SCORES: ScoreTable<StoredVariantFacts> = {
  columns: [...KEYS, "allele1_scores", "allele2_scores"],
  line(prediction) {
    const { values } = asKind(prediction.kind === "activity" ? "activity" : "likelihood", prediction);
    return [...keysOf(prediction), ...values];
  },
};

const DISTANCES: ScoreTable<StoredVariantFacts> = {
  columns: [...KEYS, "cosine_distance"],
  line: (prediction) => [...keysOf(prediction), ...asKind("distance", prediction).values],
};

/**
 * Task 5: the two alleles of a variant in the same 2,114 bases. Score differences classify variants that
 * change chromatin accessibility against controls, and are correlated with measured effects.
 */
export const variantEffects: Task<
  StoredVariantFacts,
  VariantEffectsInputs,
  "variant-effects",
  VariantMetric
> = {
  name: "variant-effects",
  number: 5,
  version: 1,
  title: "Variant effects",
  question:
    "Do score differences between alleles identify variants that change chromatin accessibility, and the direction of the change?",
  source:
    "DART-Eval task 5 (Patel et al. 2024, arXiv:2412.05430): caQTLs of African lymphoblastoid lines (DeGorter et al. 2023, doi:10.1101/2023.11.04.564839; hg38) and dsQTLs of Yoruban ones (Degner et al. 2012, doi:10.1038/nature10808; hg19)",
  window: VARIANT_WINDOW,
  widens: true,
  members: ["allele 1", "allele 2"],
  inputs: [
    {
      name: "variants",
      description:
        "the table of variants: African caQTLs, Yoruban dsQTLs, variant-scorer's format, chr pos allele1 allele2, or VCF; dart-eval check variants reports its errors",
    },
    {
      name: "genome",
      description:
        "the genome of the table's assembly (hg38 for the African caQTLs, hg19 for the Yoruban dsQTLs): FASTA, FASTA with bgzip, or 2bit",
    },
    {
      name: "dataset",
      kind: "text",
      optional: true,
      description: "the study's name, for titles and tables; default: the file's name",
    },
    {
      name: "effects",
      optional: true,
      description:
        "DART-Eval's data.h5 of this task: its effect_size, of allele 2 against allele 1 in every row, replaces beta (African caQTLs, corrected; quirk Q41)",
    },
    ...TRAINING_INPUTS,
  ],
  strata: ["significant", "control"],
  facts: VARIANT_FACTS,
  stratifications: VARIANTS_STRATA,
  settings: {
    "zero-shot": {
      recipe: { score: "alleles" },
      scoreQuirks: { Q16: "all" },
      defaultSplit: "all",
      scores: ALLELE_SCORES,
    },
    "zero-shot-embedding": {
      recipe: {
        answer: "distance",
        pooling: "row",
        extractionBatchSize: 512,
        order: "file",
        bothOrders: false,
      },
      byFamily: { caduceus: { extractionBatchSize: 256 } },
      scoreQuirks: { Q9: "all", Q16: "all" },
      defaultSplit: "all",
      scores: DISTANCES,
    },
    probed: { ...VARIANTS_PROBED, defaultSplit: "all", scores: ALLELE_SCORES },
    "fine-tuned": { ...VARIANTS_FINE_TUNED, defaultSplit: "all", scores: ALLELE_SCORES },
    "ab-initio": {
      network: "chrombpnet-like",
      ...VARIANTS_AB_INITIO,
      defaultSplit: "all",
      scores: ALLELE_SCORES,
    },
    predicted: { recipe: { score: "activity" }, defaultSplit: "all", scores: ALLELE_SCORES },
  },
  open: (inputs, options) => openVariants(variantEffects, inputs, options),
  measure: measureVariants,
  mainStatistic: variantStatistic,
  viewRows: viewVariants,
  // Columns of a table of scores computed elsewhere; tables of a run also have position and alleles.
  scores: {
    columns: ["idx", "allele1_scores", "allele2_scores"],
    line(prediction) {
      const { row, values } = asKind(prediction.kind === "activity" ? "activity" : "likelihood", prediction);
      return [row, ...values];
    },
  },
  benchmark: VARIANTS_BENCHMARK,
};
