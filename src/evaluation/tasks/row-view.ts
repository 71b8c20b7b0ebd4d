import { InternalError } from "../../base/errors.ts";
import type { Numbers } from "../../base/typed-numbers.ts";
import type { Blocks } from "../../metrics/blocks.ts";

/** Text of each row, as codes: 0 no text, k the k-th of `texts`. */
export interface TextColumn {
  readonly title: string;
  /** [rows] */
  readonly codes: Numbers;
  readonly texts: readonly string[];
}

/** Number of each row; NaN if unknown. */
export interface NumberColumn {
  readonly title: string;
  /** [rows] */
  readonly values: ArrayLike<number>;
}

/** A column of facts, equal for all models. */
export type FactColumn = TextColumn | NumberColumn;

/** Positions of rows, 0-based and half-open. */
export interface RowLoci {
  readonly chromosomes: Pick<TextColumn, "codes" | "texts">;
  readonly starts: Numbers;
  readonly ends: Numbers;
}

/** Scores that classify rows, for ROC, precision-recall and calibration curves. */
export interface ClassificationFigure {
  readonly kind: "classification";
  /** "QTLs against controls, by |difference|" */
  readonly title: string;
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
  readonly blocks: Blocks;
  /** True if scores are log-odds, whose probabilities can be calibrated. */
  readonly calibrated?: true;
}

/** Two numbers per row. NaN for rows that are left out. */
export interface ScatterFigure {
  readonly kind: "scatter";
  readonly title: string;
  /** Sentence below the figure. */
  readonly note?: string;
  readonly x: NumberColumn;
  readonly y: NumberColumn;
  /** Reference: quadrants of equal sign, or the line y = x. */
  readonly reference: "signs" | "identity";
}

/** Two coordinates per row, with a class. */
export interface EmbeddingFigure {
  readonly kind: "embedding";
  readonly title: string;
  readonly x: NumberColumn;
  readonly y: NumberColumn;
  readonly classes: Pick<TextColumn, "codes" | "texts">;
}

/** Distribution of the score of a row over all rows. */
export interface DistributionFigure {
  readonly kind: "distribution";
  readonly title: string;
  readonly values: Float64Array;
  /** Labels of the rows right and left of zero. */
  readonly sides: readonly [right: string, left: string];
}

export type RowFigure = ClassificationFigure | ScatterFigure | EmbeddingFigure | DistributionFigure;

/**
 * Definition of better predictions: higher scores, smaller differences from a fact, or larger absolute scores
 * in one class and smaller ones in the other. `fact` is an index in `facts`.
 */
export type RowMerit =
  | { readonly kind: "score" }
  | { readonly kind: "error"; readonly fact: number }
  | { readonly kind: "class"; readonly fact: number; readonly positive: string };

/**
 * Rows of one cell, for the figures and the row explorer of a report. Columns are in the order of the
 * predictions.
 */
export interface RowView {
  /** Row numbers. */
  readonly rows: Numbers;
  /** Absent if rows have no positions. */
  readonly loci?: RowLoci;
  readonly facts: readonly FactColumn[];
  /** One number per row that summarises the model's prediction; NaN if undefined. */
  readonly score: NumberColumn;
  /**
   * Order of better predictions, to list the best and the worst rows; absent if no row is better than
   * another.
   */
  readonly merit?: RowMerit;
  readonly figures: readonly RowFigure[];
}

/** Merit of each row: larger for better predictions, NaN if unknown; undefined if no row is better. [rows] */
function meritsOf({ score, facts, merit }: RowView): Float64Array | undefined {
  const { values } = score;
  if (merit === undefined) return undefined;
  if (merit.kind === "score") return Float64Array.from(values);
  const fact = facts[merit.fact];
  if (merit.kind === "error" && "values" in fact) {
    return Float64Array.from(values, (value, i) => -Math.abs(value - fact.values[i]));
  }
  if (merit.kind === "class" && "codes" in fact) {
    const positive = fact.texts.indexOf(merit.positive) + 1;
    return Float64Array.from(values, (value, i) => {
      const code = fact.codes[i];
      return code === 0 ? Number.NaN : (code === positive ? 1 : -1) * Math.abs(value);
    });
  }
  throw new InternalError("the merit of rows names a fact of another kind");
}

/**
 * Numbers of the rows with the best predictions, best first, then of those with the worst, worst first.
 * Equal ones are in row order; a row is listed once.
 *
 * @param count  number of best rows and of worst rows
 * @returns      undefined if no row is better than another
 */
export function bestAndWorst(view: RowView, count: number): Uint32Array | undefined {
  const merits = meritsOf(view);
  if (merits === undefined) return undefined;
  const order = Array.from(merits.keys())
    .filter((i) => !Number.isNaN(merits[i]))
    .sort((a, b) => merits[b] - merits[a] || a - b);
  const best = order.slice(0, count);
  const worst = order.slice(Math.max(count, order.length - count)).reverse();
  return Uint32Array.from([...best, ...worst], (i) => view.rows[i]);
}
