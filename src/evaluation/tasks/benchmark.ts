import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { Estimate } from "../../metrics/intervals.ts";
import type { Model } from "../../models/model.ts";
import type { Measurement } from "./measurement.ts";
import type { Quirk } from "./quirks.ts";
import type { Recipe } from "./recipe.ts";

/**
 * A task's part of a benchmark: rows of the suites, data sets by their sources, metrics by the authors' keys,
 * tables of the paper, quirks of the scripts. It is optional: tasks without it run and are reported.
 */
export interface TaskBenchmark {
  /** Rows of the suite `dart-eval`: one per data set, or several where settings need different inputs. */
  readonly suite: readonly TaskSuiteRow[];
  /**
   * Rows that `mini` evaluates for 95 % intervals of at most this half-width; absent: enough for a
   * proportion.
   */
  readonly sampleSize?: (width: number) => SampleSize;
  /** Name of the source that a built file is made of, by the file's path in the data folder. */
  readonly builtFrom?: Readonly<Record<string, string>>;
  /** Commands that create a missing file, in order; undefined for a file that is a source itself. */
  commandsFor?(path: string, folder: string): readonly string[] | undefined;
  /** Data sets that published values belong to. */
  readonly datasets: readonly BenchmarkDataset[];
  /** Settings by the authors' names, where they differ from `Setting.publishedAs`. */
  readonly publishedSettings?: Readonly<Record<string, string>>;
  /** Data sets of this task by the authors' names. */
  readonly publishedDatasets?: Readonly<Record<string, string>>;
  /** Family of the model whose scores are a column of the published table of rows. */
  readonly publishedScores?: string;
  /** Metrics by the authors' keys; values that the authors only plot have a key in the same style. */
  readonly publishedMetrics: Readonly<Record<string, FindMeasured>>;
  readonly paperTables: readonly PaperTable[];
  /** Quirks of this task alone. */
  readonly quirks?: readonly Quirk[];
}

/** Changes of a suite to one setting of a task. */
export interface SuiteSetting {
  readonly split?: Split;
  /** Maximum number of rows. */
  readonly limit?: number;
  /** Maximum number of rows per stratum. */
  readonly sample?: Readonly<Record<string, number>>;
  readonly recipe?: Recipe;
  /**
   * Trained weights to evaluate in place of training: a path in the data folder, with the placeholders of
   * `run --weights`.
   */
  readonly weights?: string;
  /** Models to leave out, with a note, unless a user names both the task and the setting. */
  readonly except?: ExcludedModels;
}

/** Models that a setting of a task is not meant for. */
export interface ExcludedModels {
  /** Their tokens. */
  readonly tokens: NonNullable<Model["tokens"]>;
  /** The reason, one sentence. */
  readonly because: string;
}

/** A row of a suite without the task's name. */
export interface TaskSuiteRow {
  /** By input name: paths of files in the data folder, texts unmodified. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Inputs to read where files of `inputs` are missing: a data.h5 with the same rows. */
  readonly fallback?: Readonly<Record<string, string>>;
  /** Names of inputs that are left out, with a note, where the file is missing. */
  readonly optional?: readonly string[];
  /** By the setting's name. */
  readonly settings: Readonly<Record<string, SuiteSetting>>;
  /** Names or families of the models to evaluate; absent: all. */
  readonly models?: readonly string[];
}

/** Number of rows to evaluate, of all or of each stratum. */
export type SampleSize = Required<Pick<SuiteSetting, "limit">> | Required<Pick<SuiteSetting, "sample">>;

/** A data set with published values. */
export interface BenchmarkDataset {
  /** Null where the task has only one. */
  readonly dataset: string | null;
  /**
   * Sources that each input may come from, by input name; a source that is built into a table stands for the
   * table.
   */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  /** Matches other names of the data set, in lower case and without punctuation. */
  readonly alias?: RegExp;
  /** Present if the file has several data sets, of which the cell names one. */
  readonly named?: true;
  /** Seed of the task's random numbers, where sequences depend on it. */
  readonly seed?: number;
}

/** Metric by the authors' key, with the data set or class it is about. */
export interface PublishedKey {
  readonly task: string;
  readonly metric: string;
  readonly dataset: string | null;
}

/** Our value of a published metric. */
export interface MeasuredValue {
  /** Label as in the task's own tables. */
  readonly title: string;
  readonly value: number | null;
  readonly interval?: Estimate;
  /** A p-value. */
  readonly isProbability?: true;
}

export type Measured = Pick<Measurement, "metrics" | "averages" | "breakdowns">;

/** Finds our value of a published metric; undefined where the setting does not measure it. */
export type FindMeasured = (measured: Measured, key: PublishedKey) => MeasuredValue | undefined;

/** The metric of this name. */
export function measuredMetric(wanted: string): FindMeasured {
  return ({ metrics }) => {
    const found = metrics.find(({ name }) => name === wanted);
    if (found === undefined) return undefined;
    const { title, value, intervals } = found;
    return { title, value, ...(intervals[0] === undefined ? {} : { interval: intervals[0] }) };
  };
}

/** The p-value of this name. */
export function measuredProbability(wanted: string): FindMeasured {
  return (measured, key) => {
    const found = measuredMetric(wanted)(measured, key);
    return found === undefined ? undefined : { ...found, isProbability: true };
  };
}

/** An entry of `Measurement.averages`. */
export function measuredAverage(title: string, key: string): FindMeasured {
  return ({ averages }) => (key in averages ? { title, value: averages[key] } : undefined);
}

/** A table of the benchmark's paper, its supplement or its notebooks. */
export interface PaperTable {
  readonly caption: string;
  /** Settings in the table; absent: all of the task. */
  readonly settings?: readonly string[];
  readonly columns: readonly PaperColumn[];
  /** Data sets with a line each; absent: columns name their data set. */
  readonly lines?: { readonly heading: string; readonly datasets: readonly string[] };
}

/** A column of a paper's table: a metric by the authors' key, with the data set or class it is about. */
export interface PaperColumn {
  readonly heading: string;
  readonly metric: string;
  readonly dataset?: string;
}

/** The command that downloads a source into the data folder. */
export const fetchCommand = (source: string, folder: string) =>
  `dart-eval data fetch ${source} --data ${folder}`;
