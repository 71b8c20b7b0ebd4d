import type { Numbers } from "../../../base/typed-numbers.ts";
import { type Blocks, genomicBlocksOf, singleRows } from "../../../metrics/blocks.ts";
import { shareInference } from "../../../metrics/clustered-proportion.ts";
import { mean, meanOver, sum } from "../../../metrics/mean.ts";
import {
  type PairedCounts,
  pairedAccuracy,
  pairedAccuracyEstimate,
  pairedCounts,
  pairedOutcomes,
  type TieRule,
} from "../../../metrics/paired-accuracy.ts";
import { percentilesOfSorted } from "../../../metrics/quantiles.ts";
import { type WilcoxonResult, wilcoxonOfSorted } from "../../../metrics/wilcoxon.ts";
import type { Protocol } from "../../../models/model.ts";
import { type ComparedScores, comparedScores } from "../compared-scores.ts";
import {
  areSingleRows,
  blockInterval,
  genomicPositionsOf,
  intervalNotes,
  NO_POSITIONS,
  shareIntervals,
  shareStatistic,
  type TrialCounts,
  waldOver,
} from "../intervals.ts";
import {
  finiteEstimate,
  finiteOrNull,
  type Measurement,
  type Metric,
  metricOf,
  type QuirkEffect,
} from "../measurement.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import type { PairFacts } from "./pair.ts";

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
  /** Quirk Q15: the original counts a tie as wrong. */
  readonly ties: TieRule;
  /**
   * Quirk Q14: the original's intervals take the whole table, every chromosome, as their number of trials:
   * twice in its tables, since a row has two sequences, and once in one of its scripts.
   */
  readonly trials: (scored: number, inTable: number) => TrialCounts;
}

const RULES: Readonly<Record<Protocol, Rules>> = {
  paper: { ties: "wrong", trials: (_scored, inTable) => [2 * inTable, inTable] },
  corrected: { ties: "half", trials: (scored) => [scored] },
};

/** The pairs of a cell, with ties by the cell's protocol. */
interface Pairs extends Pick<ComparedScores, "ties"> {
  /** Element minus control, nats. */
  readonly differences: Float64Array;
  /** Credit of each pair by the protocol's rule for ties: 0, 0.5 or 1. */
  readonly outcomes: Float32Array;
  readonly counts: PairedCounts;
  /** Undefined if a row has no numbers of tokens. */
  readonly tokens: PairTokens | undefined;
}

/** Tokens of all elements and all controls, and pairs with equally many. */
interface PairTokens {
  readonly ofElements: number;
  readonly ofControls: number;
  readonly equal: PairedCounts;
}

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
  const blocks = blocksOfPairs(columns);
  const pairs = pairsOf(columns, context);
  const { counts, differences } = pairs;
  const placed = !areSingleRows(blocks);
  const accuracy = accuracyMetric(pairs, blocks, context);
  const meanDifference = blockInterval(blocks, meanOver(differences, blocks));
  const ofRows = mean(differences);
  // Quantiles and ranks need no other order; a copy takes as much memory as the rest of the measurement.
  differences.sort();
  const test = wilcoxonOfSorted(differences, { alternative: "greater" });
  const [q05, q25, median, q75, q95] = percentilesOfSorted(differences, [5, 25, 50, 75, 95]).map(
    finiteOrNull,
  );
  const tokens = tokenSummary(pairs);
  const unknown = countWhere(columns.factNumbers("unknown"), (letters) => letters > 0);
  const differenceForm = {
    name: "mean-difference",
    title: "mean difference, nats",
    better: "higher",
    main: false,
  } as const;
  const metrics = [
    accuracy,
    ...tokens.metrics,
    metricOf(differenceForm, meanDifference.value, NO_ROWS, [meanDifference]),
    ...(context.protocol === "paper" ? originalTest(test) : [accuracyTest(pairs, blocks)]),
  ];
  return {
    metrics,
    published: {
      acc: accuracy.value,
      pval: finiteOrNull(test.p),
      signed_rank_sum: finiteOrNull(test.statistic),
      mean_diff: finiteOrNull(ofRows),
      median_diff: median!,
      q05_diff: q05!,
      q25_diff: q25!,
      q75_diff: q75!,
      q95_diff: q95!,
    },
    counts: {
      rows: predictions.length,
      rowsInTable: context.rowsInTable,
      ...counts,
      rowsWithEqualSequences: countWhere(columns.factNumbers("same"), (same) => same === 1),
      rowsWithUnknownBases: unknown,
      ...(placed ? { genomicBlocks: blocks.sizes.length } : {}),
      ...tokens.counts,
    },
    averages: tokens.averages,
    ...(pairs.ties === undefined ? {} : { ties: pairs.ties }),
    quirks: quirksOf(columns, context),
    notes: [...notesOf(placed, unknown), ...intervalNotes(metrics, blocks)],
  };
}

/** Paired accuracy over blocks of the genome, with ties by the protocol. */
export function pairedAccuracyStatistic(
  predictions: Predictions<PairFacts>,
  context: MeasureContext,
): MainStatistic<PairMetric> {
  const columns = PredictionColumns.of(predictions, "likelihood");
  return shareStatistic("paired-accuracy", pairsOf(columns, context).outcomes, blocksOfPairs(columns));
}

const NO_ROWS = "there are no rows";

function blocksOfPairs(columns: PredictionColumns<PairFacts>): Blocks {
  const places = genomicPositionsOf(columns);
  return places === undefined ? singleRows(columns.length) : genomicBlocksOf(places);
}

/** Reads the pairs block by block, so that only results have one number per row. */
function pairsOf(columns: PredictionColumns<PairFacts>, context: MeasureContext): Pairs {
  const differences = new Float64Array(columns.length);
  const outcomes = new Float32Array(columns.length);
  const counts = { wins: 0, ties: 0, losses: 0 };
  const tokens = { ofElements: 0, ofControls: 0, equal: { wins: 0, ties: 0, losses: 0 } };
  let ties: ComparedScores["ties"];
  let allHaveTokens = true;
  let start = 0;
  for (const block of columns.blocks()) {
    const { first, second, ties: found } = scoresOf(block, context);
    for (let i = 0; i < first.length; i++) differences[start + i] = first[i] - second[i];
    outcomes.set(pairedOutcomes(first, second, RULES[context.protocol].ties), start);
    addCounts(counts, pairedCounts(first, second));
    if (found !== undefined) {
      const tolerance = Math.max(ties?.tolerance ?? 0, found.tolerance);
      ties = { ...found, tolerance, byRounding: (ties?.byRounding ?? 0) + found.byRounding };
    }
    const [ofElements, ofControls] = block.tokens ?? [];
    if (ofElements === undefined || ofControls === undefined) allHaveTokens = false;
    else {
      tokens.ofElements += sum(ofElements);
      tokens.ofControls += sum(ofControls);
      const isEqual = (_: number, i: number) => ofElements[i] === ofControls[i];
      addCounts(tokens.equal, pairedCounts(first.filter(isEqual), second.filter(isEqual)));
    }
    start += first.length;
  }
  return { differences, outcomes, counts, ...(ties && { ties }), tokens: allHaveTokens ? tokens : undefined };
}

const scoresOf = (columns: PredictionColumns<PairFacts>, context: MeasureContext) =>
  comparedScores(columns.numbers("values", 0), columns.numbers("values", 1), context);

function addCounts(to: { wins: number; ties: number; losses: number }, { wins, ties, losses }: PairedCounts) {
  to.wins += wins;
  to.ties += ties;
  to.losses += losses;
}

function countWhere(numbers: Numbers | undefined, is: (value: number) => boolean): number {
  let count = 0;
  for (const value of numbers ?? []) if (is(value)) count++;
  return count;
}

function accuracyMetric(
  { outcomes, counts }: Pairs,
  blocks: Blocks,
  { protocol, rowsInTable }: MeasureContext,
): Metric<PairMetric> {
  const rules = RULES[protocol];
  const trials = rules.trials(outcomes.length, rowsInTable);
  return metricOf(
    { name: "paired-accuracy", title: "paired accuracy", better: "higher", main: true },
    pairedAccuracy(counts, rules.ties),
    NO_ROWS,
    shareIntervals(outcomes, blocks, { protocol, trials }),
  );
}

/** Test against an accuracy of 0.5 over the same blocks as the printed interval, so that both agree. */
function accuracyTest({ outcomes }: Pairs, blocks: Blocks): Metric<PairMetric> {
  return metricOf(
    {
      name: "paired-accuracy-p",
      title: "p of a paired accuracy of 0.5, two-sided, over blocks of the genome",
      better: "lower",
      main: false,
    },
    shareInference(outcomes, blocks).pAgainst(0.5),
    "there are fewer than two blocks",
  );
}

/** The original's test, which takes every pair as independent. */
function originalTest(test: WilcoxonResult): readonly Metric<PairMetric>[] {
  const noTest = "no difference is other than zero, so there is nothing to rank";
  return [
    metricOf(
      {
        name: "wilcoxon-p",
        title: "the original's Wilcoxon signed-rank p, one-sided, pairs taken as independent",
        better: "lower",
        main: false,
      },
      test.p,
      noTest,
    ),
    metricOf(
      { name: "wilcoxon-statistic", title: "the original's signed-rank sum", better: "neither", main: false },
      test.statistic,
      noTest,
    ),
  ];
}

/**
 * Quirk Q17: a sum over tokens favours the member with fewer tokens, so the result includes the numbers of
 * tokens.
 */
function tokenSummary({ tokens, outcomes: { length } }: Pairs) {
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
              title: "paired accuracy of pairs with equally many tokens",
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
function quirksOf(columns: PredictionColumns<PairFacts>, context: MeasureContext): readonly QuirkEffect[] {
  const { protocol, rowsInTable } = context;
  const n = columns.length;
  if (n === 0) return [];
  const under = (rule: Protocol) => {
    const counts = { wins: 0, ties: 0, losses: 0 };
    for (const block of columns.blocks()) {
      const { first, second } = scoresOf(block, { ...context, protocol: rule });
      addCounts(counts, pairedCounts(first, second));
    }
    return pairedAccuracy(counts, RULES[rule].ties);
  };
  const accuracy = under(protocol);
  const wald = (rules: Rules) => finiteEstimate(waldOver(accuracy, rules.trials(n, rowsInTable)[0]));
  return [
    {
      label: "Q14",
      description:
        "The original's interval takes twice the whole table as its number of trials; corrected, the pairs that were scored.",
      effect: { paper: wald(RULES.paper), corrected: wald(RULES.corrected) },
    },
    {
      label: "Q15",
      description:
        "The original counts a tie as wrong; corrected, as half right, and scores that differ by no more than the model's rounding are ties.",
      effect: { paper: under("paper"), corrected: under("corrected") },
    },
  ];
}

function notesOf(placed: boolean, unknown: number): readonly string[] {
  const notes: string[] = placed ? [] : [NO_POSITIONS];
  if (unknown > 0) {
    notes.push(
      `${unknown} elements contain unknown bases (N): a model sees A in their place, and in the control these As are shuffled with the other bases (quirk Q27).`,
    );
  }
  return notes;
}
