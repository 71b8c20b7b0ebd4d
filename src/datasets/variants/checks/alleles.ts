import type { VariantRow, VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

/** True if both alleles consist of A, C, G and T, in either case. */
export const hasDefiniteAlleles = ({ allele1, allele2 }: VariantRow): boolean =>
  !/[^ACGTacgt]/.test(allele1) && !/[^ACGTacgt]/.test(allele2);

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
