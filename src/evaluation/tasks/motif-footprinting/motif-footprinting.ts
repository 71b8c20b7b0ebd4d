import { blocksBy } from "../../../metrics/blocks.ts";
import { pairedOutcomes } from "../../../metrics/paired-accuracy.ts";
import { comparedScores } from "../compared-scores.ts";
import { proportionStatistic } from "../intervals.ts";
import { asKind, ofKind, type Predictions } from "../prediction.ts";
import { BYTE_PAIR_FAMILIES, ONE_LETTER_FAMILIES, ORIGINAL_FAMILIES } from "../quirks.ts";
import type { TaskStratification } from "../stratification.ts";
import type { MainStatistic, MeasureContext, Task } from "../task.ts";
import { FOOTPRINTS_BENCHMARK } from "./benchmark.ts";
import { publishedMotifs } from "./breakdowns.ts";
import {
  distanceRules,
  distancesOf,
  type FootprintDistanceMetric,
  type FootprintMetric,
  groupingOf,
  likelihoodRules,
  measureFootprintDistances,
  measureFootprintScores,
} from "./measure.ts";
import type { MotifRules } from "./motifs.ts";
import { viewFootprints } from "./row-view.ts";
import {
  FOOTPRINT_FACTS,
  type FootprintFacts,
  type MotifFootprintingInputs,
  openMotifFootprinting,
} from "./rows.ts";

/** Stratifications of Task 2. */
const FOOTPRINTS_STRATA: readonly TaskStratification<FootprintFacts>[] = [
  { use: "tf-family" },
  { name: "tf", title: "transcription factor", valueOf: ({ motif }) => factorOf(motif) },
];

/**
 * Transcription factor in a motif's name of HOCOMOCO: `CTCF` of `CTCF.H12CORE.0.P.B` and of
 * `CTCF_HUMAN.H11MO.0.A`.
 */
const factorOf = (motif: string): string => motif.split(".", 1)[0].replace(/_[A-Z]+$/, "");

const publishedTable = { name: "motifs.tsv", text: publishedMotifs };

/**
 * Task 2: a transcription factor's motif in the middle of a neutral background, against a shuffled copy of
 * the motif. A row is a background, a motif and a strand.
 */
export const motifFootprinting: Task<
  FootprintFacts,
  MotifFootprintingInputs,
  "motif-footprinting",
  FootprintMetric | FootprintDistanceMetric
> = {
  name: "motif-footprinting",
  number: 2,
  version: 1,
  title: "Motif footprinting",
  question: "Does the model prefer a transcription factor's motif over a shuffled copy of it?",
  source:
    "DART-Eval task 2 (Patel et al. 2024, arXiv:2412.05430): HOCOMOCO v12 CORE in dinucleotide-shuffled backgrounds",
  window: 350,
  members: ["background", "true", "shuffled"],
  inputs: [
    {
      name: "footprints",
      description:
        "motifs and shuffled motifs in neutral backgrounds (dart-eval build motif-footprinting), or DART-Eval's data.h5",
    },
    {
      name: "families",
      description:
        "an annotation with the columns Motif and TF family, such as HOCOMOCO's H12CORE_motifs.tsv",
      optional: true,
      annotation: true,
    },
    {
      name: "motifs",
      description:
        "motifs of data.h5, which does not name them: a file in MEME format; default: numbers as names",
      optional: true,
    },
  ],
  facts: FOOTPRINT_FACTS,
  stratifications: FOOTPRINTS_STRATA,
  settings: {
    "zero-shot": {
      recipe: { score: "log-likelihood" },
      scoreQuirks: { Q16: "all" },
      defaultSplit: "all",
      publishedTable,
    },
    "zero-shot-embedding": {
      recipe: {
        answer: "distance",
        pooling: "bases",
        extractionBatchSize: 64,
        order: "file",
        bothOrders: false,
      },
      byProtocol: { paper: { order: "text", bothOrders: true } },
      byFamily: { "nucleotide-transformer": { extractionBatchSize: 32 } },
      scoreQuirks: {
        Q2: ORIGINAL_FAMILIES,
        Q6: ONE_LETTER_FAMILIES,
        Q7: BYTE_PAIR_FAMILIES,
        Q16: "all",
      },
      defaultSplit: "all",
      measure: measureFootprintDistances,
      mainStatistic: footprintDistancesStatistic,
      scores: {
        columns: ["idx", "true_distance", "shuffled_distance"],
        line(prediction) {
          const { row, values } = asKind("distance", prediction);
          return [row, ...values];
        },
      },
      publishedTable,
    },
  },
  open: (inputs) => openMotifFootprinting(motifFootprinting, inputs),
  measure: measureFootprintScores,
  mainStatistic: footprintScoresStatistic,
  viewRows: viewFootprints,
  scores: {
    columns: ["idx", "background_score", "true_score", "shuffled_score"],
    line(prediction) {
      const { row, values } = asKind("likelihood", prediction);
      return [row, ...values];
    },
  },
  benchmark: FOOTPRINTS_BENCHMARK,
};

/** Accuracy of likelihoods, over backgrounds. */
function footprintScoresStatistic(
  predictions: Predictions<FootprintFacts>,
  context: MeasureContext,
): MainStatistic<"accuracy"> {
  const scored = ofKind("likelihood", predictions);
  const member = (place: number) => Float64Array.from(scored, ({ values }) => values[place]);
  const { first, second } = comparedScores(member(1), member(2), context);
  return accuracyOver(scored, first, second, likelihoodRules[context.protocol]);
}

/** Accuracy of distances, over backgrounds. */
function footprintDistancesStatistic(
  predictions: Predictions<FootprintFacts>,
  { protocol }: MeasureContext,
): MainStatistic<"accuracy"> {
  const given = ofKind("distance", predictions);
  const { trues, shuffles } = distancesOf(
    given.map(({ values }) => values),
    protocol,
  );
  return accuracyOver(given, trues, shuffles, distanceRules[protocol]);
}

function accuracyOver(
  predictions: readonly { readonly facts: FootprintFacts }[],
  trues: Float64Array,
  shuffles: Float64Array,
  { ties }: MotifRules,
): MainStatistic<"accuracy"> {
  const blocks = blocksBy(groupingOf(predictions).backgrounds, "background");
  return proportionStatistic("accuracy", pairedOutcomes(trues, shuffles, ties), blocks);
}
