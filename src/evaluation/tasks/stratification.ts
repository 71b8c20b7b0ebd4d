import type { RowFacts } from "./prediction.ts";

/** Value of a row: a number, which bins group, or the name of its stratum. */
export type StratumValue = number | string;

/** A property of a task's rows that follows from their facts; rows with equal values form a stratum. */
export interface FactStratification<Row extends RowFacts = RowFacts> {
  /** Kebab-case, stable: "effect-size". */
  readonly name: string;
  /** Label for tables: "absolute effect size". */
  readonly title: string;
  /** Value of a row; undefined if unknown. */
  valueOf(facts: Row): StratumValue | undefined;
  /** Rows that every stratum contains, such as controls without an effect. */
  inEveryStratum?(facts: Row): boolean;
  /** Ascending edges of the bins of a number; default: quantiles. */
  readonly edges?: readonly number[];
}

/** A property of any genomic row, by its name in the catalogue of stratifications: "gc". */
export interface GenomicStratification {
  readonly use: string;
  /** Bases that the property describes: the row's interval (default), or the task's window centred on it. */
  readonly over?: "window";
}

/** A stratification that makes sense for a task. */
export type TaskStratification<Row extends RowFacts = RowFacts> =
  | FactStratification<Row>
  | GenomicStratification;

/** Names of a task's stratifications. */
export const stratificationName = (form: TaskStratification): string =>
  "use" in form ? form.use : form.name;
