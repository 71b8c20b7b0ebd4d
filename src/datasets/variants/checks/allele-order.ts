import type { VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";
import type { References } from "./references.ts";

/**
 * Rows whose second allele is the genome's, where the first one should be. Of the Yoruban dsQTLs and of any table whose effects
 * are told of allele 1 either order is usual, and nothing is found.
 */
export function alleleOrderFindings(table: VariantTable, { of, mismatches }: References): readonly Finding[] {
  const { form, favours, columns, rows } = table;
  if (favours === "allele1" || (form !== "vcf" && columns.effect === undefined)) return [];
  const swapped = rows.filter(({ index }) => of.get(index) === 2);
  // Of rows that stand at a wrong place, as many have the second allele there by chance as have neither, or fewer.
  if (swapped.length <= mismatches.length) return [];
  const what = `the second allele of ${swapped.length} of ${of.size} variants is what the genome reads`;
  if (form === "vcf") {
    return [
      finding("allele-order", swapped, {
        what: `${what}: REF and ALT are exchanged`,
        fix: "exchange REF and ALT of these rows, and whatever was told of ALT",
      }),
    ];
  }
  const effect = columns.effect!;
  return [
    finding("allele-order", swapped, {
      what: `${what}, so ${effect} of these rows may be told the other way round than of the rest (quirk Q41)`,
      fix:
        favours === "alternative"
          ? `nothing: under corrected, ${effect} is taken as the alternative's effect and turned on these rows; under paper it is taken as it stands, and both are told`
          : `find out whether ${effect} is told of the second allele or of the alternative one; it is taken as the second allele's`,
    }),
  ];
}
