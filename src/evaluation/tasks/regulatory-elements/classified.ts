import { averagePrecisionEstimate, averagePrecisionOver } from "../../../metrics/auprc.ts";
import { aurocEstimate, aurocOver } from "../../../metrics/auroc.ts";
import type { Blocks } from "../../../metrics/blocks.ts";
import { confusion, matthews, matthewsEstimate, matthewsOver } from "../../../metrics/matthews.ts";
import { mean, meanOver, sum } from "../../../metrics/mean.ts";
import { pairedCounts, pairedOutcomes, type TieRule } from "../../../metrics/paired-accuracy.ts";
import type { Protocol } from "../../../models/model.ts";
import {
  type ClassifiedColumns,
  classifiedColumns,
  summedBatchMeans,
  underEachProtocol,
} from "../classified-columns.ts";
import { type ComparedScores, settled } from "../compared-scores.ts";
import {
  areSingleRows,
  blockMetric,
  blocksOfRows,
  intervalNotes,
  NO_POSITIONS,
  proportionIntervals,
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
import { type LogitsPrediction, ofKind, type Predictions } from "../prediction.ts";
import { recipeCount } from "../recipe.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import type { PairFacts } from "./rows.ts";

/** Metrics of a classifier of elements and controls. */
export type ClassifiedPairMetric = "accuracy" | "paired-accuracy" | "auroc" | "auprc" | "mcc" | "loss";

/** Class of an element and of its control, in the order of the task's members. */
export const PAIR_LABELS = [1, 0] as const;

const CLASSES = 2;
const MEMBERS = PAIR_LABELS.length;

/** Differences between the protocols, given the same logits. */
interface Rules {
  /** Quirk Q15: the original counts a tie as wrong. */
  readonly ties: TieRule;
  /**
   * Quirk Q14: the original's intervals take the whole table, every chromosome, as their number of trials:
   * its sequences or, in some scripts, its pairs.
   */
  readonly trials: (pairs: number, inTable: number) => Readonly<Record<"accuracy" | "paired", TrialCounts>>;
  /** Quirk Q13: the original divides the sum of the batches' mean losses by the number of sequences. */
  readonly loss: (losses: Float64Array, batchSize: number) => number;
}

const RULES: Readonly<Record<Protocol, Rules>> = {
  paper: {
    ties: "wrong",
    trials: (_pairs, inTable) => ({
      accuracy: [MEMBERS * inTable, inTable],
      paired: [inTable, MEMBERS * inTable],
    }),
    loss: (losses, batchSize) => summedBatchMeans(losses, batchSize, MEMBERS),
  },
  corrected: {
    ties: "half",
    trials: (pairs) => ({ accuracy: [MEMBERS * pairs], paired: [pairs] }),
    loss: (losses) => mean(losses),
  },
};

/** The sequences of a cell as columns: element and control of each pair alternate. */
interface Columns extends ClassifiedColumns<PairFacts, Uint8Array> {
  /**
   * Logit of class 1 minus logit of class 0, which is also the difference of the log-probabilities. [2 ·
   * pairs]
   */
  readonly margins: Float64Array;
}

/**
 * Metrics of a trained classifier of elements and controls: the keys of the original's `eval_test.json`, and
 * the same numbers with intervals. Accuracy, AUROC, AUPRC, MCC and loss are over all sequences, two per pair.
 */
export function measureClassifiedPairs(
  predictions: Predictions<PairFacts>,
  context: MeasureContext,
): Measurement<ClassifiedPairMetric> {
  const columns = columnsOf(ofKind("logits", predictions));
  const { labels, margins, predicted, correct, losses } = columns;
  const pairs = predictions.length;
  const pairBlocks = blocksOfRows(columns.predictions);
  const placed = !areSingleRows(pairBlocks);
  // Element and control of one pair depend on each other even if rows are independent.
  const blocks = doubled(pairBlocks);
  const rules = RULES[context.protocol];
  const compared = comparedMargins(columns, context);
  const outcomes = pairedCredit(compared, rules.ties);
  const trials = rules.trials(pairs, context.rowsInTable);
  const { protocol } = context;
  const metrics = [
    share({ name: "accuracy", title: "accuracy", main: true }, correct, blocks, {
      protocol,
      trials: trials.accuracy,
    }),
    share(
      { name: "paired-accuracy", title: "paired accuracy", column: "paired accuracy", main: false },
      outcomes,
      pairBlocks,
      { protocol, trials: trials.paired },
    ),
    blockMetric(
      { name: "auroc", title: "AUROC", better: "higher", main: false },
      {
        blocks,
        statistic: aurocOver(margins, labels, blocks),
        range: [0, 1],
        why: NO_ROWS,
        independent: [aurocEstimate(margins, labels)],
      },
    ),
    blockMetric(
      { name: "auprc", title: "AUPRC", better: "higher", main: false },
      {
        blocks,
        statistic: averagePrecisionOver(margins, labels, blocks),
        range: [0, 1],
        why: NO_ROWS,
        independent: [averagePrecisionEstimate(margins, labels)],
      },
    ),
    blockMetric(
      { name: "mcc", title: "Matthews correlation", better: "higher", main: false },
      {
        blocks,
        statistic: matthewsOver(predicted, labels, blocks),
        range: [-1, 1],
        why: NO_ROWS,
        independent: [matthewsEstimate(confusion(predicted, labels))],
      },
    ),
    blockMetric(
      { name: "loss", title: "cross-entropy, nats", better: "lower", main: false },
      { blocks, statistic: meanOver(losses, blocks), range: [0, Number.POSITIVE_INFINITY], why: NO_ROWS },
    ),
  ];
  return {
    metrics,
    published: {
      test_loss: finiteOrNull(rules.loss(losses, recipeCount(context, "evaluationBatchSize"))),
      test_acc: finiteOrNull(mean(correct)),
      test_acc_paired: finiteOrNull(mean(outcomes)),
      test_auroc: metrics[2].value,
      test_auprc: metrics[3].value,
      test_mcc: finiteOrNull(matthews(confusion(predicted, labels))),
    },
    counts: {
      rows: pairs,
      rowsInTable: context.rowsInTable,
      sequences: labels.length,
      ...pairedCounts(compared.first, compared.second),
      ...(placed ? { genomicBlocks: blocks.sizes.length } : {}),
    },
    averages: {},
    ...(compared.ties === undefined ? {} : { ties: compared.ties }),
    quirks: quirksOf(columns, context),
    notes: [...(placed ? [] : [NO_POSITIONS]), ...intervalNotes(metrics, blocks)],
  };
}

/** Accuracy over blocks of the genome; both sequences of a pair belong to its block. */
export function classifiedAccuracyStatistic(
  predictions: Predictions<PairFacts>,
): MainStatistic<ClassifiedPairMetric> {
  const { predictions: pairs, correct } = columnsOf(ofKind("logits", predictions));
  return proportionStatistic("accuracy", correct, doubled(blocksOfRows(pairs)));
}

/**
 * Columns of the original's `train.log`: `val_loss`, `val_acc`, `val_acc_paired`, by the protocol's rules.
 * The original validates in batches of the training's size, which scales `val_loss` (quirk Q13).
 */
export function validatePairs(
  predictions: Predictions<PairFacts>,
  context: MeasureContext,
): Readonly<Record<string, number>> {
  const columns = columnsOf(ofKind("logits", predictions));
  const rules = RULES[context.protocol];
  return {
    val_loss: rules.loss(columns.losses, recipeCount(context, "batchSize")),
    val_acc: mean(columns.correct),
    val_acc_paired: mean(pairedCredit(comparedMargins(columns, context), rules.ties)),
  };
}

function columnsOf(predictions: readonly LogitsPrediction<PairFacts>[]): Columns {
  const rows = MEMBERS * predictions.length;
  const labels = Uint8Array.from({ length: rows }, (_, i) => PAIR_LABELS[i % MEMBERS]);
  const columns = classifiedColumns(predictions, labels, CLASSES);
  const { data } = columns.logits;
  return {
    ...columns,
    margins: Float64Array.from({ length: rows }, (_, i) => data[2 * i + 1] - data[2 * i]),
  };
}

const ofMember = (values: Float64Array, member: 0 | 1) => values.filter((_, i) => i % MEMBERS === member);

/**
 * Margins of element and control. Corrected, those that differ by no more than the rounding of the logits are
 * ties.
 */
function comparedMargins(
  { margins, logits: { data } }: Columns,
  { protocol, scoreRounding = 0 }: MeasureContext,
): ComparedScores {
  const [first, second] = [ofMember(margins, 0), ofMember(margins, 1)];
  if (protocol === "paper") return { first, second };
  const perPair = MEMBERS * CLASSES;
  const toleranceOf = (pair: number) =>
    scoreRounding * sum(data.subarray(pair * perPair, (pair + 1) * perPair).map(Math.abs));
  return settled(first, second, { rounding: scoreRounding, toleranceOf });
}

/** Credit of each pair: whether the element has the larger margin. */
const pairedCredit = ({ first, second }: ComparedScores, ties: TieRule) =>
  pairedOutcomes(first, second, ties);

/** Blocks of sequences from blocks of pairs: both members of a pair belong to its block. */
function doubled(pairs: Blocks): Blocks {
  const { of, sizes } = pairs;
  return {
    ...pairs,
    of: Int32Array.from({ length: MEMBERS * of.length }, (_, i) => of[Math.floor(i / MEMBERS)]),
    sizes: sizes.map((size) => MEMBERS * size),
  };
}

function share(
  form: Pick<Metric<ClassifiedPairMetric>, "name" | "title" | "column" | "main">,
  outcomes: Float64Array,
  blocks: Blocks,
  options: { readonly protocol: Protocol; readonly trials: TrialCounts },
): Metric<ClassifiedPairMetric> {
  const intervals = proportionIntervals(outcomes, blocks, options);
  return metricOf({ ...form, better: "higher" }, mean(outcomes), NO_ROWS, intervals);
}

/** Effects of quirks: the values under both protocols. */
function quirksOf(columns: Columns, context: MeasureContext): readonly QuirkEffect[] {
  const pairs = columns.predictions.length;
  if (pairs === 0) return [];
  const accuracy = mean(columns.correct);
  const pairedShare = (protocol: Protocol) =>
    mean(pairedCredit(comparedMargins(columns, { ...context, protocol }), RULES[protocol].ties));
  return [
    {
      label: "Q13",
      description:
        "Loss. Original: the sum of the batches' mean losses, divided by the number of sequences. Corrected: the mean over sequences.",
      effect: underEachProtocol(RULES, (rules) =>
        finiteOrNull(rules.loss(columns.losses, recipeCount(context, "evaluationBatchSize"))),
      ),
    },
    {
      label: "Q14",
      description:
        "Interval of the accuracy. Original: all sequences of the whole table as the number of trials. Corrected: the evaluated sequences.",
      effect: underEachProtocol(RULES, (rules) =>
        finiteEstimate(waldOver(accuracy, rules.trials(pairs, context.rowsInTable).accuracy[0])),
      ),
    },
    {
      label: "Q15",
      description:
        "Paired accuracy. Original: a tie of element and control is wrong. Corrected: a tie counts one half, and margins within the rounding error of the logits are ties.",
      effect: { paper: pairedShare("paper"), corrected: pairedShare("corrected") },
    },
  ];
}
