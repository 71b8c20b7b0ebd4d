import type { VariantRow } from "../table.ts";

/** What may be wrong with a table of variants, or with what it is used with. */
export type FindingKind =
  | "chromosome-names"
  | "other-assembly"
  | "shifted-positions"
  | "other-strand"
  | "reference-mismatch"
  | "allele-order"
  | "effect-orientation"
  | "equal-alleles"
  | "duplicate-variants"
  | "multi-allelic-places"
  | "label-coding"
  | "missing-labels"
  | "missing-effects";

/** A row of the table, to look at. */
export interface FindingExample {
  /** 0-based number of the row. */
  readonly row: number;
  /** 1-based line of the file. */
  readonly line: number;
  /** `chr1:101 A G`, and what is odd about it. */
  readonly text: string;
}

/** Something that a reader of scores of this table must know. */
export interface Finding {
  readonly kind: FindingKind;
  /** One sentence. */
  readonly what: string;
  /** Rows that it concerns. */
  readonly count: number;
  /** The first three of them. */
  readonly examples: readonly FindingExample[];
  /** What to do, or what is done about it. */
  readonly fix: string;
}

const EXAMPLES = 3;

/** @param remark  what is odd about a row, said behind it */
export function finding(
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
  return { kind, what, count: rows.length, examples, fix };
}
