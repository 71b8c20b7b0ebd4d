import type { VariantRow, VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";
import { hasDefiniteAlleles, type References } from "./references.ts";

/** Rows with an allele that contains N or another ambiguity code, and rows that name one allele twice. */
export function alleleFindings({ rows }: VariantTable): readonly Finding[] {
  const findings: Finding[] = [];
  const ambiguous = rows.filter((row) => !hasDefiniteAlleles(row));
  if (ambiguous.length > 0) {
    findings.push(
      finding("error", "ambiguous-alleles", ambiguous, {
        what: `${ambiguous.length} of ${rows.length} variants have an allele with N or another ambiguity code`,
        fix: "look up their alleles, or remove these rows: a model scores an unknown base, and the difference is not of the variant",
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

/** Variants that occur more than once, and positions with several variants. */
export function duplicateFindings({ rows, form }: VariantTable): readonly Finding[] {
  const firstOf = new Map<string, VariantRow>();
  const alleles = new Map<string, string>();
  const again: VariantRow[] = [];
  const beside: VariantRow[] = [];
  for (const row of rows) {
    const place = `${row.chrom}:${row.position}`;
    const pair = [row.allele1.toUpperCase(), row.allele2.toUpperCase()].sort().join(">");
    const known = alleles.get(place);
    if (known === undefined) {
      alleles.set(place, pair);
      firstOf.set(`${place} ${pair}`, row);
    } else if (firstOf.has(`${place} ${pair}`)) again.push(row);
    else {
      firstOf.set(`${place} ${pair}`, row);
      beside.push(row);
    }
  }
  const findings: Finding[] = [];
  if (again.length > 0) {
    const before = ({ chrom, position, allele1, allele2 }: VariantRow) => {
      const pair = [allele1.toUpperCase(), allele2.toUpperCase()].sort().join(">");
      return `; first on line ${firstOf.get(`${chrom}:${position} ${pair}`)!.line}`;
    };
    findings.push(
      finding(
        "warning",
        "duplicate-variants",
        again,
        {
          what: `${again.length} of ${rows.length} variants repeat an earlier row, in the same or the other order of alleles`,
          fix: "keep one row of each: every row counts in the metrics, and the original's join multiplies equal rows (quirk Q39)",
        },
        before,
      ),
    );
  }
  // Lines of several alternatives are usual in VCF.
  if (beside.length > 0 && form !== "vcf") {
    findings.push(
      finding("note", "multi-allelic-places", beside, {
        what: `${beside.length} of ${rows.length} variants share their position with a variant of other alleles`,
        fix: "make sure that each row's effect compares its own two alleles; a run scores row by row",
      }),
    );
  }
  return findings;
}
