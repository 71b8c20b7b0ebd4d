import { counted } from "../../../base/message-text.ts";
import { genomicBlocksOf, singleRows } from "../../../metrics/blocks.ts";
import { proportionInferenceOf } from "../../../metrics/clustered-proportion.ts";
import { meanOfSums } from "../../../metrics/mean.ts";
import { pairedAccuracy, pairedAccuracyEstimate, pairedOutcomes } from "../../../metrics/paired-accuracy.ts";
import { percentilesOfSorted } from "../../../metrics/quantiles.ts";
import { type WilcoxonResult, wilcoxonOfSorted } from "../../../metrics/wilcoxon.ts";
import type { Protocol } from "../../../models/model.ts";
import { underEachProtocol } from "../classified-columns.ts";
import {
  areSingleRows,
  blockMetric,
  genomicPositionsOf,
  intervalNotes,
  NO_POSITIONS,
  proportionIntervalsOf,
  proportionStatistic,
  type TrialCounts,
  waldOver,
} from "../intervals.ts";
import {
  finiteEstimate,
  finiteOrNull,
  type Measurement,
  type Metric,
  metricOf,
  NO_ROWS,
  type QuirkEffect,
} from "../measurement.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import { addUpPairs, type PairSums, pairScores, TIES } from "./pair-sums.ts";
import type { PairFacts } from "./rows.ts";

/** Metrics of likelihoods of elements and controls. */
export type PairMetric =
  | "paired-accuracy"
  | "paired-accuracy-p"
  | "paired-accuracy-equal-tokens"
  | "mean-difference"
  | "wilcoxon-p"
  | "wilcoxon-statistic";

/** Differences between the protocols, given the same scores. */
interface Rules {
  /**
   * Quirk Q14: the original's intervals take the whole table, every chromosome, as their number of trials:
   * twice in its tables, since a row has two sequences, and once in one of its scripts.
   */
  readonly trials: (scored: number, inTable: number) => TrialCounts;
}

const RULES: Readonly<Record<Protocol, Rules>> = {
  paper: { trials: (_scored, inTable) => [2 * inTable, inTable] },
  corrected: { trials: (scored) => [scored] },
};

/**
 * Metrics of likelihoods of elements and controls: the keys of the original's `metrics.json`, and accuracies
 * with intervals over blocks of the genome. Undefined numbers (no rows, all differences zero) are null with a
 * reason.
 */
export function measurePairs(
  predictions: Predictions<PairFacts>,
  context: MeasureContext,
): Measurement<PairMetric> {
  const columns = PredictionColumns.of(predictions, "likelihood");
  const pairs = addUpPairs(columns, context);
  const { counts, withUnknown } = pairs;
  const { blocks } = pairs.outcomes;
  const placed = !areSingleRows(blocks);
  const accuracy = accuracyMetric(pairs, context);
  const test = wilcoxonOfSorted(pairs.sorted, { alternative: "greater" });
  const [q05, q25, median, q75, q95] = percentilesOfSorted(pairs.sorted, [5, 25, 50, 75, 95]).map(
    finiteOrNull,
  );
  const tokens = tokenSummary(pairs);
  const differenceForm = {
    name: "mean-difference",
    title: "mean difference, nats",
    better: "higher",
    main: false,
  } as const;
  const metrics = [
    accuracy,
    ...tokens.metrics,
    blockMetric(differenceForm, {
      blocks,
      statistic: meanOfSums(pairs.blockDifferences, blocks),
      why: NO_ROWS,
    }),
    ...(context.protocol === "paper" ? originalTest(test) : [accuracyTest(pairs)]),
  ];
  return {
    metrics,
    published: {
      acc: accuracy.value,
      pval: finiteOrNull(test.p),
      signed_rank_sum: finiteOrNull(test.statistic),
      mean_diff: finiteOrNull(pairs.mean),
      median_diff: median,
      q05_diff: q05,
      q25_diff: q25,
      q75_diff: q75,
      q95_diff: q95,
    },
    counts: {
      rows: predictions.length,
      rowsInTable: context.rowsInTable,
      ...counts,
      rowsWithEqualSequences: pairs.same,
      rowsWithUnknownBases: withUnknown,
      ...(placed ? { genomicBlocks: blocks.sizes.length } : {}),
      ...tokens.counts,
    },
    averages: tokens.averages,
    ...(pairs.ties === undefined ? {} : { ties: pairs.ties }),
    quirks: quirksOf(pairs, context),
    notes: [...notesOf(placed, withUnknown), ...intervalNotes(metrics, blocks)],
  };
}

/** Paired accuracy over blocks of the genome, with ties by the protocol. */
export function pairedAccuracyStatistic(
  predictions: Predictions<PairFacts>,
  context: MeasureContext,
): MainStatistic<PairMetric> {
  const columns = PredictionColumns.of(predictions, "likelihood");
  const outcomes = new Float32Array(columns.length);
  let start = 0;
  for (const block of columns.blocks()) {
    const { first, second } = pairScores(block, context);
    outcomes.set(pairedOutcomes(first, second, TIES[context.protocol]), start);
    start += first.length;
  }
  const positions = genomicPositionsOf(columns);
  const blocks = positions === undefined ? singleRows(columns.length) : genomicBlocksOf(positions);
  return proportionStatistic("paired-accuracy", outcomes, blocks);
}

function accuracyMetric(
  { outcomes, counts, length }: PairSums,
  { protocol, rowsInTable }: MeasureContext,
): Metric<PairMetric> {
  const rules = RULES[protocol];
  const trials = rules.trials(length, rowsInTable);
  return metricOf(
    { name: "paired-accuracy", title: "paired accuracy", better: "higher", main: true },
    pairedAccuracy(counts, TIES[protocol]),
    NO_ROWS,
    proportionIntervalsOf(outcomes, { protocol, trials }),
  );
}

/** Test against an accuracy of 0.5 over the same blocks as the printed interval, so that both agree. */
function accuracyTest({ outcomes }: PairSums): Metric<PairMetric> {
  return metricOf(
    {
      name: "paired-accuracy-p",
      title: "p against paired accuracy 0.5 (two-sided, genomic blocks)",
      better: "lower",
      main: false,
    },
    proportionInferenceOf(outcomes).pAgainst(0.5),
    "there are fewer than two blocks",
  );
}

/** The original's test, which takes every pair as independent. */
function originalTest(test: WilcoxonResult): readonly Metric<PairMetric>[] {
  const noTest = "all differences are zero";
  return [
    metricOf(
      {
        name: "wilcoxon-p",
        title: "original Wilcoxon signed-rank p (one-sided, pairs assumed independent)",
        better: "lower",
        main: false,
      },
      test.p,
      noTest,
    ),
    metricOf(
      { name: "wilcoxon-statistic", title: "original signed-rank sum", better: "neither", main: false },
      test.statistic,
      noTest,
    ),
  ];
}

/**
 * Quirk Q17: a sum over tokens favours the member with fewer tokens, so the result includes the numbers of
 * tokens.
 */
function tokenSummary({ tokens, length }: PairSums) {
  if (tokens === undefined) return { metrics: [], counts: {}, averages: {} };
  const { equal, ofElements, ofControls } = tokens;
  const pairs = equal.wins + equal.ties + equal.losses;
  const metrics =
    pairs === length
      ? []
      : [
          metricOf(
            {
              name: "paired-accuracy-equal-tokens",
              title: "paired accuracy of pairs with equal numbers of tokens",
              better: "higher",
              main: false,
            },
            pairedAccuracy(equal),
            "no element has as many tokens as its control",
            [pairedAccuracyEstimate(equal)],
          ),
        ];
  return {
    metrics,
    counts: { rowsWithEqualTokens: pairs },
    averages: { tokensPerElement: ofElements / length, tokensPerControl: ofControls / length },
  };
}

/** Effects of quirks: the values under both protocols. */
function quirksOf(
  { length, under }: PairSums,
  { protocol, rowsInTable }: MeasureContext,
): readonly QuirkEffect[] {
  if (length === 0) return [];
  const accuracyUnder = (rule: Protocol) => pairedAccuracy(under[rule], TIES[rule]);
  const accuracy = accuracyUnder(protocol);
  const wald = (rules: Rules) => finiteEstimate(waldOver(accuracy, rules.trials(length, rowsInTable)[0]));
  return [
    {
      label: "Q14",
      description:
        "Interval of the paired accuracy. Original: twice the rows of the whole table as the number of trials. Corrected: the evaluated pairs.",
      effect: underEachProtocol(RULES, wald),
    },
    {
      label: "Q15",
      description:
        "Paired accuracy. Original: a tie is wrong. Corrected: a tie counts one half, and scores within the model's rounding error are ties.",
      effect: { paper: accuracyUnder("paper"), corrected: accuracyUnder("corrected") },
    },
  ];
}

function notesOf(placed: boolean, unknown: number): readonly string[] {
  const notes: string[] = placed ? [] : [NO_POSITIONS];
  if (unknown > 0) {
    notes.push(
      `${counted(unknown, "element")} ${unknown === 1 ? "has" : "have"} unknown bases (N). Models read N as A; controls have these As at shuffled positions (quirk Q27).`,
    );
  }
  return notes;
}
