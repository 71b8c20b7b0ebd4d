import { valueAt } from "../../../base/record.ts";
import type { VariantRow, VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";
import { hasDefiniteAlleles, type References } from "./references.ts";

/** Findings for rows with an ambiguous allele, such as N, and rows with two equal alleles. */
export function alleleFindings({ rows }: VariantTable): readonly Finding[] {
  const findings: Finding[] = [];
  const ambiguous = rows.filter((row) => !hasDefiniteAlleles(row));
  if (ambiguous.length > 0) {
    findings.push(
      finding("error", "ambiguous-alleles", ambiguous, {
        what: `${ambiguous.length} of ${rows.length} variants have an allele with N or another ambiguity code`,
        fix: "look up their alleles, or remove these rows: the model would score an unknown base instead of the variant",
      }),
    );
  }
  const equal = rows.filter(
    (row) => hasDefiniteAlleles(row) && row.allele1.toUpperCase() === row.allele2.toUpperCase(),
  );
  if (equal.length > 0) {
    findings.push(
      finding("error", "equal-alleles", equal, {
        what: `${equal.length} of ${rows.length} variants have the same allele twice`,
        fix: "look up their alleles, or remove these rows: every model's difference is 0 there, and the metrics include it",
      }),
    );
  }
  return findings;
}

/**
 * Finding for rows whose second allele is the reference although the first should be. None for tables whose
 * effects favour allele 1, such as the Yoruban dsQTLs, since these have both orders.
 *
 * In the published African caQTLs, the second allele is the reference in 18 % of the rows. A run handles
 * this, so it is a note.
 */
export function alleleOrderFindings(table: VariantTable, { of, mismatches }: References): readonly Finding[] {
  const { form, favours, columns, rows } = table;
  if (favours === "allele1") return [];
  const swapped = rows.filter((row) => of.get(row.index) === 2 && hasDefiniteAlleles(row));
  // Rows at wrong positions have the second allele there, by chance, no more often than neither.
  if (swapped.length <= mismatches.length) return [];
  const what = `the second allele of ${swapped.length} of ${of.size} variants is the reference`;
  if (form === "vcf") {
    return [
      finding("error", "allele-order", swapped, {
        what: `${what}: REF and ALT are exchanged`,
        fix: "exchange REF and ALT of these rows, and invert the sign of every effect of ALT",
      }),
    ];
  }
  const { effect } = columns;
  if (effect === undefined) return [];
  if (favours === "alternative") {
    return [
      finding("note", "allele-order", swapped, {
        what: `${what}, and ${effect} is the alternative allele's effect in every row (the published form, quirk Q41)`,
        fix: `no action needed: in these rows, the corrected protocol inverts the sign of ${effect}; the paper protocol does not`,
      }),
    ];
  }
  return [
    finding("warning", "allele-order", swapped, {
      what: `${what}, so ${effect} may have the opposite sign in these rows (quirk Q41)`,
      fix: `find out whether ${effect} is the effect of the second or the alternative allele; a run assumes the second`,
    }),
  ];
}

/** Findings for variants that occur more than once, and positions with several variants. */
export function duplicateFindings({ rows, form }: VariantTable): readonly Finding[] {
  const firstOf = new Map<string, VariantRow>();
  const positions = new Set<string>();
  const repeated: VariantRow[] = [];
  const samePosition: VariantRow[] = [];
  const pairOf = (row: VariantRow) => {
    const [one, other] = [row.allele1.toUpperCase(), row.allele2.toUpperCase()];
    return one < other ? `${one}>${other}` : `${other}>${one}`;
  };
  for (const row of rows) {
    const position = `${row.chrom}:${row.position}`;
    const variant = `${position} ${pairOf(row)}`;
    if (!positions.has(position)) {
      positions.add(position);
      firstOf.set(variant, row);
    } else if (firstOf.has(variant)) repeated.push(row);
    else {
      firstOf.set(variant, row);
      samePosition.push(row);
    }
  }
  const findings: Finding[] = [];
  if (repeated.length > 0) {
    const remark = (row: VariantRow) =>
      `; first on line ${valueAt(firstOf, `${row.chrom}:${row.position} ${pairOf(row)}`).line}`;
    findings.push(
      finding(
        "warning",
        "duplicate-variants",
        repeated,
        {
          what: `${repeated.length} of ${rows.length} variants repeat an earlier row, in the same or the other order of alleles`,
          fix: "keep one row of each: every row counts in the metrics, and the original's join multiplies equal rows (quirk Q39)",
        },
        remark,
      ),
    );
  }
  // In VCF, lines with several alternatives are common.
  if (samePosition.length > 0 && form !== "vcf") {
    findings.push(
      finding("note", "multi-allelic-places", samePosition, {
        what: `${samePosition.length} of ${rows.length} variants share their position with a variant of other alleles`,
        fix: "make sure that each row's effect compares its own two alleles; a run scores row by row",
      }),
    );
  }
  return findings;
}
