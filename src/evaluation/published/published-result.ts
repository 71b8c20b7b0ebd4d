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
