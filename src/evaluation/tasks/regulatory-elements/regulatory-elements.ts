import { isProcessedFile } from "../../../datasets/processed-data.ts";
import { asKind } from "../prediction.ts";
import type { GenomicStratification } from "../stratification.ts";
import type { Task, TaskSetting } from "../task.ts";
import { ELEMENTS_BENCHMARK } from "./benchmark.ts";
import {
  type ClassifiedPairMetric,
  classifiedAccuracyStatistic,
  measureClassifiedPairs,
  PAIR_LABELS,
  validatePairs,
} from "./classified.ts";
import { openExportedPairs } from "./export.ts";
import { measurePairs, type PairMetric, pairedAccuracyStatistic } from "./measure.ts";
import { ELEMENTS_AB_INITIO, ELEMENTS_FINE_TUNED, ELEMENTS_PROBED } from "./recipes.ts";
import { viewPairs } from "./row-view.ts";
import { openRegulatoryElements, PAIR_FACTS, type PairFacts, type RegulatoryElementsInputs } from "./rows.ts";

/** Stratifications of Task 1: kind, composition and place of the element. */
const ELEMENTS_STRATA: readonly GenomicStratification[] = [
  { use: "ccre-class" },
  { use: "gc" },
  { use: "tss" },
  { use: "repeats" },
  { use: "chromosome" },
];

type RegulatoryElementsMetric = PairMetric | ClassifiedPairMetric;

/** Common part of the settings that train: elements are of class 1, controls of class 0. */
const TRAINED: Omit<TaskSetting<PairFacts, RegulatoryElementsMetric>, "recipe"> = {
  defaultSplit: "test",
  supervision: { loss: "cross-entropy", classes: 2, labels: () => PAIR_LABELS, validate: validatePairs },
  measure: measureClassifiedPairs,
  mainStatistic: classifiedAccuracyStatistic,
  scores: {
    columns: ["idx", "seq_logit_0", "seq_logit_1", "ctrl_logit_0", "ctrl_logit_1"],
    line(prediction) {
      const { row, logits } = asKind("logits", prediction);
      return [row, ...logits.flat()];
    },
  },
  publishedFile: "eval",
};

/**
 * Task 1: a regulatory element against its control, the same window with the element's bases
 * dinucleotide-shuffled.
 */
export const regulatoryElements: Task<
  PairFacts,
  RegulatoryElementsInputs,
  "regulatory-elements",
  RegulatoryElementsMetric
> = {
  name: "regulatory-elements",
  number: 1,
  version: 1,
  title: "Regulatory elements",
  question: "Is a regulatory element more likely than the same element with its bases shuffled?",
  source:
    "DART-Eval task 1 (Patel et al. 2024, arXiv:2412.05430): ENCODE v3 candidate cis-regulatory elements, ENCFF420VPZ",
  window: 350,
  widens: true,
  members: ["element", "control"],
  inputs: [
    {
      name: "elements",
      description:
        "the prepared table of elements, tab-separated (dart-eval build regulatory-elements), or DART-Eval's data.h5",
    },
    {
      name: "genome",
      description: "the reference genome: FASTA, FASTA with bgzip, or 2bit; not needed with data.h5",
    },
  ],
  facts: PAIR_FACTS,
  stratifications: ELEMENTS_STRATA,
  settings: {
    "zero-shot": { recipe: { score: "log-likelihood" }, defaultSplit: "test", sortedNumbers: 1 },
    probed: { ...ELEMENTS_PROBED, ...TRAINED },
    "fine-tuned": { ...ELEMENTS_FINE_TUNED, ...TRAINED },
    "ab-initio": { network: "probing-head-like", ...ELEMENTS_AB_INITIO, ...TRAINED },
  },
  async open(inputs, options) {
    const { elements } = inputs;
    return typeof elements === "string" && (await isProcessedFile(elements))
      ? openExportedPairs(regulatoryElements, elements, options)
      : openRegulatoryElements(regulatoryElements, inputs, options);
  },
  measure: measurePairs,
  mainStatistic: pairedAccuracyStatistic,
  viewRows: viewPairs,
  scores: {
    columns: ["idx", "seq_score", "ctrl_score"],
    line(prediction) {
      const { row, values } = asKind("likelihood", prediction);
      return [row, ...values];
    },
  },
  benchmark: ELEMENTS_BENCHMARK,
};
