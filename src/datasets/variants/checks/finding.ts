import { binomialUpperTail, normalQuantile } from "../../../metrics/distributions.ts";
import type { VariantRow } from "../table.ts";

/** A possible fault of a table of variants, or of its combination with a genome. */
export type FindingKind =
  | "chromosome-names"
  | "other-assembly"
  | "shifted-positions"
  | "wrong-chromosome"
  | "beyond-end"
  | "other-strand"
  | "reference-mismatch"
  | "allele-order"
  | "effect-orientation"
  | "effect-signs"
  | "shuffled-effects"
  | "effect-scale"
  | "ambiguous-alleles"
  | "equal-alleles"
  | "duplicate-variants"
  | "multi-allelic-places"
  | "label-coding"
  | "label-errors"
  | "p-values"
  | "missing-labels"
  | "missing-effects";

/**
 * Consequence of a finding. An error makes scores or metrics of its rows wrong. A warning may do so,
 * depending on something that the table does not contain. A note describes a property of the table that a run
 * handles.
 */
export type FindingLevel = "error" | "warning" | "note";

/** Example row of a finding. */
export interface FindingExample {
  /** 0-based number of the row. */
  readonly row: number;
  /** 1-based line of the file. */
  readonly line: number;
  /** `chr1:101 A G` and a remark. */
  readonly text: string;
}

/** Result of one check. */
export interface Finding {
  readonly kind: FindingKind;
  readonly level: FindingLevel;
  /** One sentence. */
  readonly what: string;
  /** Number of affected rows. */
  readonly count: number;
  /** The first three of them. */
  readonly examples: readonly FindingExample[];
  /** Recommended action, or a run's treatment of these rows. */
  readonly fix: string;
}

const EXAMPLES = 3;

/** Creates a finding with its example rows. @param remark  text after a row's variant */
export function finding(
  level: FindingLevel,
  kind: FindingKind,
  rows: readonly VariantRow[],
  { what, fix }: Pick<Finding, "what" | "fix">,
  remark: (row: VariantRow) => string = () => "",
): Finding {
  const examples = rows.slice(0, EXAMPLES).map((row) => ({
    row: row.index,
    line: row.line,
    text: `${row.chrom}:${row.position + 1} ${row.allele1} ${row.allele2}${remark(row)}`,
  }));
  return { kind, level, what, count: rows.length, examples, fix };
}

/** Largest probability that one statistical test of the check reports a fault in a table that has none. */
export const FALSE_ALARM = 1e-4;

/** Standard errors that a normal estimate exceeds with this probability: 3.72. */
export const CLEARLY = -normalQuantile(FALSE_ALARM);

/** At a random position, one of two alleles equals the reference in about half of all cases. */
export const RANDOM_FIT = 0.5;
/** Share of mismatching rows that a single cause must explain. */
export const NEARLY_ALL = 0.9;
/** Largest probability, over all alternatives tried, that rows fit a cause by chance. */
export const CHANCE = 1e-3;

/**
 * True if k of n rows is significantly more than this share of a table without the fault (exact binomial
 * test).
 */
export const isMoreThan = (k: number, n: number, share: number): boolean =>
  binomialUpperTail(k, n, share) < FALSE_ALARM;
