import type { VariantTable } from "../table.ts";
import { hasDefiniteAlleles } from "./alleles.ts";
import { type Finding, finding } from "./finding.ts";
import type { References } from "./references.ts";

/**
 * Rows whose second allele is the reference, where the first one should be. Tables whose effects favour allele 1, such as the
 * Yoruban dsQTLs, have either order, and nothing is reported.
 *
 * The African caQTLs as published have the reference second in 18 % of the rows, which a run handles: a note.
 */
export function alleleOrderFindings(table: VariantTable, { of, mismatches }: References): readonly Finding[] {
  const { form, favours, columns, rows } = table;
  if (favours === "allele1" || (form !== "vcf" && columns.effect === undefined)) return [];
  const swapped = rows.filter((row) => of.get(row.index) === 2 && hasDefiniteAlleles(row));
  // A misplaced row has its second allele at its position by chance no more often than it has neither.
  if (swapped.length <= mismatches.length) return [];
  const what = `the second allele of ${swapped.length} of ${of.size} variants is the reference`;
  if (form === "vcf") {
    return [
      finding("error", "allele-order", swapped, {
        what: `${what}: REF and ALT are exchanged`,
        fix: "exchange REF and ALT of these rows, and turn the sign of every effect of ALT",
      }),
    ];
  }
  const effect = columns.effect!;
  if (favours === "alternative") {
    return [
      finding("note", "allele-order", swapped, {
        what: `${what}, and ${effect} is the alternative allele's effect in every row (the published form, quirk Q41)`,
        fix: `nothing: the corrected protocol turns ${effect} in these rows, the paper protocol leaves it as it is`,
      }),
    ];
  }
  return [
    finding("warning", "allele-order", swapped, {
      what: `${what}, so ${effect} may have the opposite sign in these rows (quirk Q41)`,
      fix: `find out whether ${effect} is the second allele's effect or the alternative's; a run takes it as the second allele's`,
    }),
  ];
}
