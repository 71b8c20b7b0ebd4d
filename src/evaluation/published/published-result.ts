import type { Estimate } from "../../metrics/intervals.ts";
import type { Measurement } from "../tasks/measurement.ts";

/** A number that the benchmark's authors printed. */
export interface PublishedResult {
  /** The task by our name: "regulatory-elements". */
  readonly task: string;
  /** The setting by our name; one that nothing here corresponds to keeps the authors' name. */
  readonly setting: string;
  /** As the authors name it: "DNABERT-2". */
  readonly model: string;
  /** The family by our name: "dnabert2"; null for models that are not in the catalogue. */
  readonly family: string | null;
  /** What it was measured on, in the authors' words. */
  readonly of: string | null;
  /** One of several data sets or classes: a cell line's name, "African caQTLs"; null where there is one. */
  readonly dataset: string | null;
  /** The metric by the authors' key: "paired_accuracy". */
  readonly metric: string;
  readonly value: number;
  readonly source: string;
  /** From a table of the paper, or from a notebook of its authors. */
  readonly kind: "paper" | "notebook";
  /** Short name of where it is printed: "Table 6", "Probed_Final_Counts.ipynb, main branch". One number of a metric has several. */
  readonly edition: string;
  /** Why the number can stand next to no result; null where it stands next to one of its model on its data. */
  readonly unplaced: string | null;
  /** What to know of it, in words. */
  readonly note: string | null;
  /** It was replaced, or measured again, by its authors; kept to show how much it moved. */
  readonly superseded: boolean;
}

/**
 * How far a number may be from a printed one and still be the same: the printed values agree with the authors' own notebooks
 * within 0.001, not within rounding.
 */
export const PRINTED_TOLERANCE = 0.001;

/** Our number of what a published one is of. */
export interface MeasuredValue {
  /** In words, as the task's own tables have it. */
  readonly title: string;
  readonly value: number | null;
  readonly interval?: Estimate;
  /** The probability of a test. */
  readonly isProbability?: true;
}

/** Of which number: the task by our name, the metric by the authors' key, and which of several data sets or classes. */
export type PublishedKey = Pick<PublishedResult, "task" | "metric" | "dataset">;

type Measured = Pick<Measurement, "metrics" | "averages" | "breakdowns">;
type Find = (measured: Measured, published: PublishedKey) => MeasuredValue | undefined;

const metric =
  (wanted: string): Find =>
  ({ metrics }) => {
    const found = metrics.find(({ name }) => name === wanted);
    if (found === undefined) return undefined;
    const { title, value, intervals } = found;
    return { title, value, ...(intervals[0] === undefined ? {} : { interval: intervals[0] }) };
  };

const average =
  (title: string, key: string): Find =>
  ({ averages }) =>
    key in averages ? { title, value: averages[key] } : undefined;

/** A number made of the accuracies of all motifs. */
const ofMotifs =
  (title: string, summary: (accuracies: readonly number[]) => number): Find =>
  ({ breakdowns = [] }) => {
    const motifs = breakdowns.find(({ name }) => name === "motifs");
    const accuracies = motifs?.rows.flatMap(({ values }) => values[0] ?? []) ?? [];
    return accuracies.length === 0 ? undefined : { title, value: summary(accuracies) };
  };

/** The lines of cell-type tasks are classes there, and data sets of their own in the others. */
const ofLine =
  (name: string): Find =>
  (measured, { dataset }) =>
    dataset === null ? undefined : metric(`${name}-${dataset.toLowerCase()}`)(measured, NOTHING);

const NOTHING: PublishedKey = { task: "", metric: "", dataset: null };

const probability =
  (name: string): Find =>
  (measured, key) => {
    const found = metric(name)(measured, key);
    return found === undefined ? undefined : { ...found, isProbability: true };
  };

/** By task, then by the authors' key; a few numbers that they show in figures alone have a key like theirs. */
const FINDS: Readonly<Record<string, Readonly<Record<string, Find>>>> = {
  "regulatory-elements": {
    absolute_accuracy: metric("accuracy"),
    paired_accuracy: metric("paired-accuracy"),
    auroc: metric("auroc"),
    auprc: metric("auprc"),
  },
  "motif-footprinting": {
    per_motif_accuracy_min: ofMotifs("lowest accuracy of a motif", (all) => Math.min(...all)),
    per_motif_accuracy_q25: average("accuracy of a motif, first quartile", "motifAccuracy25"),
    per_motif_accuracy_median: average("accuracy of a motif, median", "motifAccuracyMedian"),
    per_motif_accuracy_q75: average("accuracy of a motif, third quartile", "motifAccuracy75"),
    per_motif_accuracy_max: ofMotifs("highest accuracy of a motif", (all) => Math.max(...all)),
    "motifs_with_accuracy_above_0.5": ofMotifs(
      "motifs with an accuracy above 0.5",
      (all) => all.filter((accuracy) => accuracy > 0.5).length,
    ),
    "fraction_of_motifs_with_accuracy_above_0.7": ofMotifs(
      "share of motifs with an accuracy above 0.7",
      (all) => all.filter((accuracy) => accuracy > 0.7).length / all.length,
    ),
  },
  "cell-type-elements": {
    accuracy: metric("accuracy"),
    auroc: ofLine("auroc"),
    auprc: ofLine("auprc"),
    accuracy_against_rest: ofLine("accuracy-against-rest"),
    adjusted_mutual_information: metric("adjusted-mutual-information"),
    adjusted_mutual_information_5: metric("adjusted-mutual-information-5"),
  },
  "chromatin-activity": {
    spearman: metric("spearman-peaks"),
    auroc: metric("auroc"),
    pearson_peaks: metric("pearson-peaks"),
    spearman_all: metric("spearman-peaks-and-non-peaks"),
    pearson_all: metric("pearson-peaks-and-non-peaks"),
    auprc: metric("auprc"),
  },
  "variant-effects": {
    auroc: metric("auroc"),
    auprc: metric("auprc"),
    pearson: metric("pearson"),
    spearman: metric("spearman"),
    mannwhitney_p_less: probability("mann-whitney-p"),
  },
};

/** Whether a task measures what a published number is of. */
export const isMeasured = ({ task, metric }: Pick<PublishedKey, "task" | "metric">): boolean =>
  FINDS[task]?.[metric] !== undefined;

/** Our number beside a published one; undefined where the task does not measure it. */
export function measuredValue(measured: Measured, published: PublishedKey): MeasuredValue | undefined {
  return FINDS[published.task]?.[published.metric]?.(measured, published);
}
