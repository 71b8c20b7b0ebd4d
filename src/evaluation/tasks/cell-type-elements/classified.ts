import { InternalError } from "../../../base/errors.ts";
import { CELL_LINES, type CellLine } from "../../../datasets/cell-lines.ts";
import type { BlockStatistic, Blocks } from "../../../metrics/blocks.ts";
import type { Estimate } from "../../../metrics/intervals.ts";
import { classLogOdds, type InfiniteLogOdds, paperLogOdds } from "../../../metrics/log-odds.ts";
import { logProbabilities } from "../../../metrics/losses.ts";
import type { Matrix } from "../../../metrics/matrix.ts";
import { mean, meanOver } from "../../../metrics/mean.ts";
import type { Protocol } from "../../../models/model.ts";
import {
  type ClassifiedColumns,
  classifiedColumns,
  summedBatchMeans,
  underEachProtocol,
} from "../classified-columns.ts";
import {
  areSingleRows,
  blockMetric,
  blocksOfRows,
  intervalNotes,
  NO_POSITIONS,
  proportionIntervals,
  proportionStatistic,
  waldOver,
} from "../intervals.ts";
import {
  type Breakdown,
  finiteEstimate,
  finiteOrNull,
  type Measurement,
  type Metric,
  type MetricForm,
  metricNamed,
  metricOf,
  NO_ROWS,
  type QuirkEffect,
} from "../measurement.ts";
import { type LogitsPrediction, ofKind, type Predictions } from "../prediction.ts";
import { recipeCount } from "../recipe.ts";
import type { LabelledRow, MainStatistic, MeasureContext } from "../task.ts";
import {
  AVERAGED_MEASURES,
  CLASS_MEASURES,
  type ClassMeasure,
  classStatistics,
  meanOf,
  type OneAgainstRest,
  proportionAmong,
} from "./one-against-rest.ts";
import type { CellTypeFacts } from "./subset.ts";

/** Metrics of a classifier of cell lines; those of one line end in its name: "auroc-k562". */
export type CellTypeMetric =
  | "accuracy"
  | "balanced-accuracy"
  | `macro-${(typeof AVERAGED_MEASURES)[number]["name"]}`
  | "loss"
  | `${ClassMeasure}-${Lowercase<CellLine>}`;

const CLASSES = CELL_LINES.length;

/** Differences between the protocols, given the same logits. */
interface Rules {
  /** Quirk Q14: the original's interval takes the whole table, every chromosome, as its number of trials. */
  readonly trials: (rows: number, inTable: number) => number;
  /** Quirk Q13: the original divides the sum of the batches' mean losses by the number of rows. */
  readonly loss: (losses: Float64Array, batchSize: number) => number;
  /** Log-odds of one class against the rest: [rows]. */
  readonly logOdds: (logits: Matrix, chosen: number, saturated: InfiniteLogOdds) => Float64Array;
}

const RULES: Readonly<Record<Protocol, Rules>> = {
  paper: { trials: (_rows, inTable) => inTable, loss: summedBatchMeans, logOdds: float32LogOdds },
  corrected: { trials: (rows) => rows, loss: (losses) => mean(losses), logOdds: classLogOdds },
};

/** Class of a row: the index of its cell line. */
export function classOf({ facts }: Pick<LabelledRow<CellTypeFacts>, "facts">): number {
  const found = CELL_LINES.indexOf(facts.label);
  if (found === -1) throw new InternalError(`${JSON.stringify(facts.label)} is no cell line`);
  return found;
}

type Columns = ClassifiedColumns<CellTypeFacts, Int32Array>;

/**
 * Metrics of a classifier of cell lines: the keys of the original's `eval_test.json`, the same numbers with
 * intervals, their means over cell lines, and the confusion matrix.
 *
 * One class is ranked against the rest by log-odds ln p − ln(1 − p), and predicted where they are 0 or more.
 * Metrics of a class that no row or every row belongs to are undefined, and so are means over classes then.
 */
export function measureCellTypes(
  predictions: Predictions<CellTypeFacts>,
  context: MeasureContext,
): Measurement<CellTypeMetric> {
  const columns = columnsOf(ofKind("logits", predictions));
  const { labels, correct, losses } = columns;
  const rows = predictions.length;
  const blocks = blocksOfRows(columns.predictions);
  const placed = !areSingleRows(blocks);
  const metrics = metricsOf(columns, blocks, context);
  const value = (name: CellTypeMetric) => metricNamed(metrics, name).value;
  const published: Record<string, number | null> = {
    test_loss: finiteOrNull(
      RULES[context.protocol].loss(losses, recipeCount(context, "evaluationBatchSize")),
    ),
    test_acc: finiteOrNull(mean(correct)),
  };
  CELL_LINES.forEach((line) => {
    for (const { key, name } of CLASS_MEASURES) {
      published[`class_${line}_${key}`] = value(classMetric(name, line));
    }
  });
  return {
    metrics,
    published,
    counts: {
      rows,
      rowsInTable: context.rowsInTable,
      ...rowsPerLine(labels),
      rowsWithUnknownBases: columns.predictions.filter(({ facts }) => facts.unknown > 0).length,
      ...(placed ? { genomicBlocks: blocks.sizes.length } : {}),
    },
    averages: {},
    breakdowns: [confusionOf(columns)],
    quirks: quirksOf(columns, context),
    notes: [...notesOf(labels, placed), ...intervalNotes(metrics, blocks)],
  };
}

function metricsOf(
  columns: Columns,
  blocks: Blocks,
  context: MeasureContext,
): readonly Metric<CellTypeMetric>[] {
  const { labels, correct, losses } = columns;
  const rows = labels.length;
  const { protocol } = context;
  const rules = RULES[protocol];
  const classes = CELL_LINES.map((_, chosen) => against(columns, chosen, rules, context));
  const perClass = classes.map((one) => classStatistics(one, blocks));
  const accuracy = proportionIntervals(correct, blocks, {
    protocol,
    trials: [rules.trials(rows, context.rowsInTable)],
  });
  const recalls = classes.map(({ positive }) => proportionAmong(correct, positive, blocks));
  const form = { name: "accuracy", title: "accuracy", better: "higher", main: true } as const;
  const why = rows === 0 ? NO_ROWS : ONE_CLASS;
  const higherIsBetter = (
    form: Omit<MetricForm<CellTypeMetric>, "better" | "main">,
    statistic: BlockStatistic,
    range: readonly [number, number],
    independent: readonly Estimate[] = [],
  ) =>
    blockMetric({ ...form, better: "higher", main: false }, { blocks, statistic, range, why, independent });
  return [
    {
      ...metricOf(form, mean(correct), NO_ROWS, accuracy),
      // Accuracy of always predicting the most frequent line.
      ...(rows === 0 ? {} : { chance: Math.max(...Object.values(rowsPerLine(labels))) / rows }),
    },
    higherIsBetter({ name: "balanced-accuracy", title: "balanced accuracy" }, meanOf(recalls), [0, 1]),
    // No mean of accuracies against the rest: four rows of five are of the rest, so that all of them are
    // high.
    ...AVERAGED_MEASURES.map(({ name, title, range }, i) =>
      higherIsBetter(
        {
          name: `macro-${name}`,
          title: `${title}, mean over cell lines`,
          ...(name === "auroc" ? { column: "mean AUROC" } : {}),
        },
        meanOf(perClass.map((statistics) => statistics[i].over)),
        range,
      ),
    ),
    blockMetric(
      { name: "loss", title: "cross-entropy, nats", better: "lower", main: false },
      { blocks, statistic: meanOver(losses, blocks), range: [0, Number.POSITIVE_INFINITY], why },
    ),
    ...perClass.flatMap((statistics, chosen) =>
      CLASS_MEASURES.map(({ name, title, range }, i) => {
        const { over, independent } = statistics[i];
        const line = CELL_LINES[chosen];
        const form = { name: classMetric(name, line), quantity: name, title: `${title}, ${line}` };
        return { ...higherIsBetter(form, over, range, independent), of: line };
      }),
    ),
  ];
}

/** Accuracy over blocks of the genome. */
export function cellTypeAccuracyStatistic(
  predictions: Predictions<CellTypeFacts>,
): MainStatistic<CellTypeMetric> {
  const { predictions: rows, correct } = columnsOf(ofKind("logits", predictions));
  return proportionStatistic("accuracy", correct, blocksOfRows(rows));
}

const classMetric = (measure: ClassMeasure, line: CellLine): CellTypeMetric =>
  `${measure}-${lowerCase(line)}`;

const lowerCase = <Text extends string>(text: Text) => text.toLowerCase() as Lowercase<Text>;

/**
 * Columns of the original's `train.log`: `val_loss`, by the protocol's rule, and `val_acc`. The original
 * validates in batches of the training's size, which scales `val_loss` (quirk Q13).
 */
export function validateCellTypes(
  predictions: Predictions<CellTypeFacts>,
  context: MeasureContext,
): Readonly<Record<string, number>> {
  const { losses, correct } = columnsOf(ofKind("logits", predictions));
  const loss = RULES[context.protocol].loss(losses, recipeCount(context, "batchSize"));
  return { val_loss: loss, val_acc: mean(correct) };
}

function float32LogOdds(logits: Matrix, chosen: number, saturated: InfiniteLogOdds): Float64Array {
  const { data, columns } = logProbabilities(logits);
  return Float64Array.from({ length: logits.rows }, (_, row) =>
    paperLogOdds(data[row * columns + chosen], saturated),
  );
}

function saturatedOf({ recipe: { saturated } }: MeasureContext): InfiniteLogOdds {
  if (saturated === "minus-999" || saturated === "largest-float32") return saturated;
  throw new InternalError("the recipe of a trained setting lacks `saturated`");
}

const columnsOf = (predictions: readonly LogitsPrediction<CellTypeFacts>[]): Columns =>
  classifiedColumns(predictions, Int32Array.from(predictions, classOf), CLASSES);

function against(
  { logits, labels }: Columns,
  chosen: number,
  rules: Rules,
  context: MeasureContext,
): OneAgainstRest {
  const logOdds = rules.logOdds(logits, chosen, saturatedOf(context));
  return {
    positive: Uint8Array.from(labels, (label) => (label === chosen ? 1 : 0)),
    logOdds,
    named: Uint8Array.from(logOdds, (odds) => (odds >= 0 ? 1 : 0)),
  };
}

const ONE_CLASS = "a cell line has none or all of the rows";

/** Rows of each cell line. */
export function rowsPerLine(labels: ArrayLike<number>): Record<string, number> {
  const counts = CELL_LINES.map(() => 0);
  for (let row = 0; row < labels.length; row++) counts[labels[row]]++;
  return Object.fromEntries(CELL_LINES.map((line, label) => [line, counts[label]]));
}

/** Confusion matrix: rows by true, columns by predicted cell line. */
function confusionOf({ labels, predicted }: Columns): Breakdown {
  const counts = CELL_LINES.map(() => CELL_LINES.map(() => 0));
  labels.forEach((label, row) => {
    counts[label][predicted[row]]++;
  });
  return {
    name: "confusion",
    group: "cell line",
    columns: CELL_LINES.map((line) => ({ name: line, title: `predicted ${line}` })),
    rows: CELL_LINES.map((line, label) => ({ name: line, values: counts[label] })),
  };
}

/** Effects of quirks: the values under both protocols. */
function quirksOf(columns: Columns, context: MeasureContext): readonly QuirkEffect[] {
  const rows = columns.predictions.length;
  if (rows === 0) return [];
  const accuracy = mean(columns.correct);
  return [
    {
      label: "Q13",
      description:
        "Loss. Original: the sum of the batches' mean losses, divided by the number of rows. Corrected: the mean over rows.",
      effect: underEachProtocol(RULES, (rules) =>
        finiteOrNull(rules.loss(columns.losses, recipeCount(context, "evaluationBatchSize"))),
      ),
    },
    {
      label: "Q14",
      description:
        "Interval of the accuracy. Original: all rows of the whole table as the number of trials. Corrected: the evaluated rows.",
      effect: underEachProtocol(RULES, (rules) =>
        finiteEstimate(waldOver(accuracy, rules.trials(rows, context.rowsInTable))),
      ),
    },
  ];
}

function notesOf(labels: Int32Array, placed: boolean): readonly string[] {
  const absent = CELL_LINES.filter((_, chosen) => !labels.includes(chosen));
  return [
    ...(absent.length === 0 || labels.length === 0
      ? []
      : [
          `${absent.join(", ")} ${absent.length === 1 ? "has" : "have"} no rows: means over cell lines are undefined.`,
        ]),
    ...(placed ? [] : [NO_POSITIONS]),
  ];
}
