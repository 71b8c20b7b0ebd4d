import type { Estimate } from "../../metrics/intervals.ts";
import type { Protocol } from "../../models/model.ts";

/** A comparison of models. JSON-safe: never NaN or Infinity. */
export interface ModelsCompared {
  readonly format: "dart-eval comparison";
  readonly formatVersion: 1;
  /** In order of first occurrence of their cells. */
  readonly groups: readonly ComparedGroup[];
  /** Groups of the same task and setting whose models cannot be compared with each other. */
  readonly separate: readonly SeparateModels[];
  /** Ranks of models over the tasks of a kind of setting and a protocol. */
  readonly rankings: readonly Ranking[];
}

/** Models that one task ranks in one setting under one protocol, on the same rows of the same data. */
export interface ComparedGroup {
  readonly task: string;
  /** Name of the data set, for a task with several. */
  readonly dataset?: string;
  /** Bases per sequence, if they are more than the task's window. */
  readonly context?: number;
  readonly setting: string;
  readonly protocol: Protocol;
  /** SHA-256 of the evaluated data, by input name. */
  readonly data: Readonly<Record<string, string>>;
  readonly metric: ComparedMetric;
  readonly rows: ComparedRows;
  /** Best first; models without a value last. */
  readonly models: readonly ComparedModel[];
  /** Each pair once, in the order of `models`; empty for a single model. */
  readonly pairs: readonly ComparedPair[];
  /** Differences between the cells that are not the model: recipe, weights, version of the program. */
  readonly differing: readonly DifferingField[];
  /** Remarks on the comparison, one sentence each. */
  readonly notes: readonly string[];
}

/** The main metric of a task. */
export interface ComparedMetric {
  readonly name: string;
  readonly title: string;
  readonly better: "higher" | "lower" | "neither";
  readonly chance?: number;
}

/** Rows that all models of a group were compared on. */
export interface ComparedRows {
  readonly compared: number;
  /** SHA-256 of their numbers, ascending, one per line. */
  readonly digest: string;
  /** Present if some model was evaluated on more rows. */
  readonly shared?: true;
  /** Blocks of rows, such as 16 Mb of the genome, over which pairs of models are compared. */
  readonly blocks: number;
}

/** A model in a group. */
export interface ComparedModel {
  /** The model's name, followed by the cell's name if two models of a group have the same. */
  readonly label: string;
  readonly name: string;
  readonly family?: string;
  /** Identity of the cell. */
  readonly identity: string;
  /** Folder of the cell. */
  readonly folder: string;
  /** Rows that the cell evaluated. */
  readonly rows: number;
  readonly value: number | null;
  /** The interval over blocks, of the compared rows; null if undefined. */
  readonly estimate: Estimate | null;
  /** Reason why the model is in no pair. */
  readonly why?: string;
  /** Probability of the highest true value, given these rows; null for a model in no pair. */
  readonly best: number | null;
  /**
   * Tie group, from 1. Group 1 contains the truly best model with a probability of at least 95 %, group 2 the
   * best of the others, and so on. Null for a model in no pair.
   */
  readonly tier: number | null;
}

/** Difference of two models on the same rows. */
export interface ComparedPair {
  /** Label of the better model. */
  readonly first: string;
  readonly second: string;
  /** The metric of the first minus that of the second. */
  readonly value: number;
  /** `value` with its interval over blocks; null where blocks show no variation. */
  readonly difference: Estimate | null;
  /**
   * `value` with bounds that remain valid when the comparison is repeated while rows are added, and stopped
   * when it is decided; see `anyTimeLevel`.
   */
  readonly anyTime: Estimate | null;
  /**
   * Test of no difference: a sign-flip test over blocks, or with fewer than 11 blocks, which allow no small
   * p-values, the t test of the interval.
   */
  readonly test: "sign-flip" | "t";
  /** Two-sided p-value of the test; null if undefined. */
  readonly p: number | null;
  /** Holm's p-value within the pairs of the group. */
  readonly pHolm: number | null;
  /** Benjamini-Hochberg q-value among all pairs of the comparison. */
  readonly q: number | null;
  /**
   * Number of rows at which a test at 5 % detects a difference of this size with a power of 80 %; null if
   * undefined, such as where blocks show no variation.
   */
  readonly rowsToDecide: number | null;
}

/** A field of cells that are compared, and its values. */
export interface DifferingField {
  /** Dotted name: "recipe.order", "seed", "toolkit". */
  readonly field: string;
  /** Value as text by label of the model. */
  readonly values: Readonly<Record<string, string>>;
}

/** Two groups of the same task and setting. */
export interface SeparateModels {
  readonly task: string;
  readonly setting: string;
  /** Indices in `groups`. */
  readonly groups: readonly [number, number];
  /** Differences that forbid the comparison: "different genome (SHA-256 0a1b2c3d and 4e5f6071)". */
  readonly reasons: readonly string[];
}

/** Ranks of models over several groups. */
export interface Ranking {
  /** Settings of the groups: those that train, or those that do not. */
  readonly kind: "zero-shot" | "trained";
  readonly protocol: Protocol;
  /** Indices in `groups`. */
  readonly groups: readonly number[];
  /** Models that all groups have, best mean rank first. */
  readonly models: readonly RankedModel[];
}

/** A model's rank, 1 the best, averaged over groups. */
export interface RankedModel {
  readonly name: string;
  readonly meanRank: number;
  /** Bounds of a 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** Rank in each group. */
  readonly ranks: readonly number[];
}
