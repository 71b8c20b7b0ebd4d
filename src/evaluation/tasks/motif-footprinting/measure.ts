import { counted } from "../../../base/message-text.ts";
import { blocksBy } from "../../../metrics/blocks.ts";
import { mean } from "../../../metrics/mean.ts";
import {
  pairedAccuracyEstimate,
  pairedCounts,
  pairedOutcomes,
  type TieRule,
} from "../../../metrics/paired-accuracy.ts";
import { percentiles } from "../../../metrics/quantiles.ts";
import type { Protocol } from "../../../models/model.ts";
import { comparedDistances, comparedScores, paperScores, settled } from "../compared-scores.ts";
import { intervalNotes, proportionIntervals } from "../intervals.ts";
import {
  finiteOrNull,
  type Measurement,
  type Metric,
  metricOf,
  NO_ROWS,
  type QuirkEffect,
} from "../measurement.ts";
import {
  type DistancePrediction,
  type EmbeddingVariant,
  type LikelihoodPrediction,
  ofKind,
  type Predictions,
} from "../prediction.ts";
import type { MeasureContext } from "../task.ts";
import {
  backgroundBreakdown,
  FALSE_DISCOVERY_RATE,
  familyBreakdown,
  found,
  MIN_TESTED,
  motifBreakdown,
} from "./breakdowns.ts";
import { type Comparisons, type MotifResult, type MotifRules, motifResults } from "./motifs.ts";
import type { FootprintFacts } from "./rows.ts";

/** Metrics of distances between embeddings. */
export type FootprintDistanceMetric = "accuracy" | "motifs-found";

/** Metrics of likelihoods. */
export type FootprintMetric = FootprintDistanceMetric | "accuracy-vs-background" | "accuracy-equal-tokens";

/**
 * Differences between the protocols, given the same scores. Paper: a tie is correct for likelihoods and wrong
 * for distances (quirk Q15), and the two strands of a background are independent (with quirk Q14).
 */
export const likelihoodRules: Readonly<Record<Protocol, MotifRules>> = {
  paper: { ties: "correct", strandsApart: true },
  corrected: { ties: "half", strandsApart: false },
};
export const distanceRules: Readonly<Record<Protocol, MotifRules>> = {
  paper: { ties: "wrong", strandsApart: true },
  corrected: { ties: "half", strandsApart: false },
};

/**
 * Metrics of likelihoods: the share of comparisons in which the sequence with the motif has the higher
 * log-likelihood than the one with the shuffled motif, over all motifs and for each motif.
 */
export function measureFootprintScores(
  predictions: Predictions<FootprintFacts>,
  context: MeasureContext,
): Measurement<FootprintMetric> {
  const scored = ofKind("likelihood", predictions);
  const member = (place: number) => Float64Array.from(scored, ({ values }) => values[place]);
  const [raws, trues, shuffles] = [member(0), member(1), member(2)];
  const grouping = groupingOf(scored);
  const comparisonsUnder = (protocol: Protocol): Comparisons => {
    const rule = { ...context, protocol };
    const { first, second, ties } = comparedScores(trues, shuffles, rule);
    return {
      ...grouping,
      trues: first,
      shuffles: second,
      further: furtherThanShuffle({ raws, trues, shuffles }, rule),
      ...(ties === undefined ? {} : { ties }),
    };
  };
  const comparisons = comparisonsUnder(context.protocol);
  const tokens = tokenSummary(scored, comparisons);
  return measurement(comparisonsUnder, likelihoodRules, context, {
    metrics: [
      metricOf(
        {
          name: "accuracy-vs-background",
          title: "share of rows whose motif changes the score more than its shuffle",
          better: "higher",
          main: false,
        },
        mean(comparisons.further!),
        NO_ROWS,
      ),
      ...tokens.metrics,
    ],
    averages: tokens.averages,
    quirks: [],
  });
}

/**
 * Metrics of embeddings: the share of comparisons in which the motif moves the embedding further from the
 * background's than the shuffled motif does.
 */
export function measureFootprintDistances(
  predictions: Predictions<FootprintFacts>,
  context: MeasureContext,
): Measurement<FootprintDistanceMetric> {
  const given = ofKind("distance", predictions);
  const grouping = groupingOf(given);
  const { protocol } = context;
  const comparisonsUnder = (rule: Protocol): Comparisons => ({
    ...grouping,
    ...distancesOf(
      given.map(({ values }) => values),
      rule,
    ),
  });
  const other = (variant: EmbeddingVariant) => {
    const values = given.map(({ byVariant }) => byVariant?.[variant]);
    return values.every((pair) => pair !== undefined) && values.length > 0
      ? accuracyOf({ ...grouping, ...distancesOf(values, protocol) }, distanceRules[protocol].ties)
      : null;
  };
  const own = finiteOrNull(accuracyOf(comparisonsUnder(protocol), distanceRules[protocol].ties));
  const both = (paper: number | null, corrected: number | null) => ({ paper, corrected });
  const paper = protocol === "paper";
  const effects: readonly QuirkEffect[] = [
    {
      label: "Q2",
      description:
        "Accuracy. Original: embeddings are concatenated in the text order of the batch names, and backgrounds are compared with motifs in other backgrounds. Corrected: each row has its own embeddings.",
      effect: paper ? both(own, other("file-order")) : both(other("text-order"), own),
    },
    {
      label: "Q16",
      description: "Accuracy. Original: distances in float32. Corrected: float64.",
      effect: paper ? both(own, other("float64")) : both(other("float32"), own),
    },
  ];
  return measurement<FootprintDistanceMetric>(comparisonsUnder, distanceRules, context, {
    metrics: [],
    averages: {},
    quirks: effects.filter(({ effect }) => effect.paper !== null && effect.corrected !== null),
  });
}

type Grouping = Pick<Comparisons, "motifs" | "families" | "backgrounds">;

export function groupingOf(predictions: readonly { readonly facts: FootprintFacts }[]): Grouping {
  const families = new Map<string, string>();
  for (const { facts } of predictions) {
    if (facts.family !== undefined) families.set(facts.motif, facts.family);
  }
  return {
    motifs: predictions.map(({ facts }) => facts.motif),
    families,
    backgrounds: predictions.map(({ facts }) => facts.background),
  };
}

export function distancesOf(values: readonly DistancePrediction["values"][], protocol: Protocol) {
  const member = (place: number) => Float64Array.from(values, (pair) => pair[place]);
  const { first, second, ties } = comparedDistances(member(0), member(1), { protocol });
  return { trues: first, shuffles: second, ...(ties === undefined ? {} : { ties }) };
}

/**
 * Credit of each comparison for the true motif moving the score further from the background's than its
 * shuffle does. A tie counts one half; under `paper`, zero.
 */
function furtherThanShuffle(
  { raws, trues, shuffles }: Readonly<Record<"raws" | "trues" | "shuffles", Float64Array>>,
  { protocol, scoreRounding = 0 }: MeasureContext,
): Float64Array {
  const paper = protocol === "paper";
  const as = (scores: Float64Array) => (paper ? paperScores(scores, scoreRounding) : scores);
  const raw = as(raws);
  const moved = (scores: Float64Array) => as(scores).map((score, i) => Math.abs(raw[i] - score));
  const [first, second] = [moved(trues), moved(shuffles)];
  if (paper) return pairedOutcomes(first, second, "wrong");
  const toleranceOf = (i: number) =>
    scoreRounding * (2 * Math.abs(raws[i]) + Math.abs(trues[i]) + Math.abs(shuffles[i]));
  const rounded = settled(first, second, { rounding: scoreRounding, toleranceOf });
  return pairedOutcomes(rounded.first, rounded.second, "half");
}

const accuracyOf = ({ trues, shuffles }: Comparisons, ties: TieRule) =>
  mean(pairedOutcomes(trues, shuffles, ties));

/** Measurement of comparisons, with the metrics that likelihoods or distances add. */
function measurement<Name extends string>(
  comparisonsUnder: (protocol: Protocol) => Comparisons,
  rulesOf: Readonly<Record<Protocol, MotifRules>>,
  { protocol, rowsInTable }: MeasureContext,
  own: Pick<Measurement<Name>, "metrics" | "averages" | "quirks">,
): Measurement<Name | FootprintDistanceMetric> {
  const comparisons = comparisonsUnder(protocol);
  const { trues, shuffles, backgrounds, ties } = comparisons;
  const rules = rulesOf[protocol];
  const rows = trues.length;
  const outcomes = pairedOutcomes(trues, shuffles, rules.ties);
  const blocks = blocksBy(backgrounds, "background");
  const results = motifResults(comparisons, rules);
  const accuracies = results.map(({ accuracy }) => accuracy.value);
  const spread = percentiles(accuracies, [5, 25, 50, 75, 95]).map(finiteOrNull);
  const families = familyBreakdown(comparisons, outcomes, results);
  const metrics = [
    metricOf(
      { name: "accuracy", title: "accuracy over all motifs", better: "higher", main: true },
      mean(outcomes),
      NO_ROWS,
      proportionIntervals(outcomes, blocks, { protocol, trials: [rows] }),
    ),
    foundMetric(results),
    ...own.metrics,
  ];
  return {
    metrics,
    published: {},
    counts: {
      rows,
      rowsInTable,
      motifs: results.length,
      backgrounds: blocks.sizes.length,
      ...pairedCounts(trues, shuffles),
      families: families.rows.length,
    },
    averages: {
      motifAccuracy5: spread[0],
      motifAccuracy25: spread[1],
      motifAccuracyMedian: spread[2],
      motifAccuracy75: spread[3],
      motifAccuracy95: spread[4],
      ...own.averages,
    },
    ...(ties === undefined ? {} : { ties }),
    quirks: rows === 0 ? [] : [...own.quirks, ...quirksOf(comparisonsUnder, protocol, rulesOf)],
    breakdowns: [
      motifBreakdown(results),
      ...(families.rows.length === 0 ? [] : [families]),
      backgroundBreakdown(comparisons, outcomes),
    ],
    notes: [...notesOf(results), ...intervalNotes(metrics, blocks)],
  };
}

function foundMetric(results: readonly MotifResult[]): Metric<"motifs-found"> {
  const form = {
    name: "motifs-found",
    title: `share of motifs distinguished from their shuffles (false discovery rate ${FALSE_DISCOVERY_RATE})`,
    better: "higher",
    main: false,
  } as const;
  const why =
    results.length === 0 ? NO_ROWS : `no motif has the ${MIN_TESTED} nonzero differences that a test needs`;
  return metricOf(form, found(results) / results.length, why);
}

/**
 * Quirk Q17: a sum over tokens favours the member with fewer tokens, so the result includes the numbers of
 * tokens.
 */
function tokenSummary(
  predictions: readonly LikelihoodPrediction<FootprintFacts>[],
  { trues, shuffles }: Comparisons,
) {
  const tokens = predictions.map((prediction) => prediction.tokens).filter((three) => three !== undefined);
  if (tokens.length === 0 || tokens.length < predictions.length) return { metrics: [], averages: {} };
  const average = (member: number) => mean(tokens.map((three) => three[member]));
  const equal = tokens.flatMap((three, i) => (three[1] === three[2] ? [i] : []));
  const pick = (scores: Float64Array) => Float64Array.from(equal, (i) => scores[i]);
  const estimate = pairedAccuracyEstimate(pairedCounts(pick(trues), pick(shuffles)));
  const metric = metricOf(
    {
      name: "accuracy-equal-tokens",
      title: "accuracy of rows whose motif and shuffle have equal numbers of tokens",
      better: "higher",
      main: false,
    },
    estimate.value,
    "no motif has as many tokens as its shuffle",
    [estimate],
  );
  return {
    metrics: equal.length === tokens.length ? [] : [metric],
    averages: { tokensPerBackground: average(0), tokensPerTrue: average(1), tokensPerShuffle: average(2) },
  };
}

/** Effects of quirks: the values under both protocols. */
function quirksOf(
  comparisonsUnder: (protocol: Protocol) => Comparisons,
  protocol: Protocol,
  rulesOf: Readonly<Record<Protocol, MotifRules>>,
): readonly QuirkEffect[] {
  const { paper, corrected } = rulesOf;
  const comparisons = comparisonsUnder(protocol);
  const widths = (rules: MotifRules) =>
    motifResults(comparisons, rules).map(({ accuracy }) => accuracy.high - accuracy.low);
  // Motifs with one background have no variance between backgrounds: they are left out of both.
  const [apart, together] = [widths(paper), widths({ ...corrected, ties: paper.ties })];
  const meanWidth = (of: readonly number[]) =>
    finiteOrNull(mean(of.filter((_, i) => Number.isFinite(together[i]))));
  return [
    {
      label: "Q14",
      description:
        "Mean width of the motifs' intervals. Original: the two strands of a background are independent. Corrected: a background counts once.",
      effect: { paper: meanWidth(apart), corrected: meanWidth(together) },
    },
    {
      label: "Q15",
      description: `Accuracy. Original: a tie of motif and shuffle is ${paper.ties}. Corrected: a tie counts one half, and numbers within their rounding error are ties.`,
      effect: {
        paper: finiteOrNull(accuracyOf(comparisonsUnder("paper"), paper.ties)),
        corrected: finiteOrNull(accuracyOf(comparisonsUnder("corrected"), corrected.ties)),
      },
    },
  ];
}

function notesOf(results: readonly MotifResult[]): readonly string[] {
  const notes: string[] = [];
  const few = results.filter(({ tested }) => tested < MIN_TESTED).length;
  if (few > 0) {
    notes.push(
      `${few} of ${counted(results.length, "motif")} ${few === 1 ? "has" : "have"} fewer than ${MIN_TESTED} nonzero differences among these rows, too few for a test.`,
    );
  }
  const untested = results.filter(({ p }) => Number.isNaN(p)).length;
  if (untested > 0) {
    notes.push(`${counted(untested, "motif")} without a test: all differences are zero.`);
  }
  return notes;
}
