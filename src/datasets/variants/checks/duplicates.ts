import type { VariantRow, VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

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
