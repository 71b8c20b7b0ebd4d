import type { VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

/** Rows that name one allele twice, which no model can tell apart. */
export function equalAlleleFindings({ rows }: VariantTable): readonly Finding[] {
  const equal = rows.filter(({ allele1, allele2 }) => allele1.toUpperCase() === allele2.toUpperCase());
  if (equal.length === 0) return [];
  return [
    finding("equal-alleles", equal, {
      what: `${equal.length} of ${rows.length} variants have the same allele twice`,
      fix: "look up their alleles, or leave these rows out: every model's difference is 0 there, and counts",
    }),
  ];
}
