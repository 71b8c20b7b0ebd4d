import type { VariantForm } from "../../../datasets/variants/forms.ts";

/** Counts of a published table, by the names they have in a measurement. */
interface KnownCounts {
  readonly form: VariantForm;
  /** Rows of the table; a table of the form with fewer is another one. */
  readonly atLeast: number;
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * What is published of the benchmark's own tables. African: rows by a report on the original's repository, those whose allele 2
 * is the reference among them (quirk Q41), variants as its notebooks print them. Yoruban: variants as the notebooks print them.
 */
const KNOWN: readonly KnownCounts[] = [
  {
    form: "caqtl",
    atLeast: 200_000,
    counts: { rowsInTable: 219_382, rowsWithAllele2Reference: 39_504, significant: 6_821, controls: 77_999 },
  },
  { form: "dsqtl", atLeast: 20_000, counts: { significant: 560, controls: 26_813 } },
];

/**
 * Whether a table has the counts that are published of it, one sentence; undefined for a smaller table, or a part of one.
 *
 * @param counts  of a measurement
 */
export function knownCountsNote(
  form: VariantForm,
  counts: Readonly<Record<string, number>>,
): string | undefined {
  const known = KNOWN.find((one) => one.form === form && counts.rowsInTable! >= one.atLeast);
  if (known === undefined || counts.rows !== counts.rowsInTable) return undefined;
  const number = (value: number) => value.toLocaleString("en-US");
  const differ = Object.entries(known.counts).filter(([name, value]) => counts[name] !== value);
  const told = Object.entries(known.counts).map(([name, value]) => `${name} ${number(value)}`);
  if (differ.length === 0) return `The table has the counts that are published of it: ${told.join(", ")}.`;
  const other = differ.map(
    ([name, value]) => `${name} ${number(counts[name] ?? 0)} instead of ${number(value)}`,
  );
  return `The table is not the published one, or not all of it: ${other.join(", ")}.`;
}
