import type { VariantRow, VariantTable } from "../table.ts";
import type { References } from "./references.ts";

/** Evidence, as a ratio of likelihoods, that mismatches are variants of the other strand and not misplaced ones. */
const LIKELIHOOD_RATIO = 1000;
/** Share of a cause's rows that may be exceptions. */
const EXCEPTIONS = 0.01;

/**
 * True if mismatching variants are rather on the other strand than at random positions. Two properties distinguish them:
 *
 * - A/T and C/G variants fit on either strand, so there are none of them among mismatches of the other strand.
 * - The complement of allele 1 is the reference as often as allele 1 is in the rest of the table; at random positions every
 *   second time. Not used where the rest is too small.
 */
export function onOtherStrand(table: VariantTable, { of, mismatches }: References): boolean {
  const share = Math.max(palindromes(table, of), EXCEPTIONS);
  const others = table.rows.filter(
    (row) => isSingle(row) && !isPalindrome(row) && (of.get(row.index) ?? 0) > 0,
  );
  const first = others.filter(({ index }) => of.get(index) === 1).length / others.length;
  const firstShare =
    others.length < mismatches.length ? 0.5 : Math.min(Math.max(first, EXCEPTIONS), 1 - EXCEPTIONS);
  let evidence = 0;
  for (const { row, letter } of mismatches) {
    if (!isSingle(row)) continue;
    if (isPalindrome(row)) evidence += Math.log(EXCEPTIONS / share);
    else {
      const complementFirst = complement(row.allele1) === letter;
      evidence += Math.log((1 - EXCEPTIONS) / (1 - share));
      evidence += Math.log((complementFirst ? firstShare : 1 - firstShare) / 0.5);
    }
  }
  return evidence > Math.log(LIKELIHOOD_RATIO);
}

/** Share of A/T and C/G variants among the single-base variants that were looked up. */
export function palindromes({ rows }: VariantTable, of: References["of"]): number {
  const single = rows.filter((row) => of.has(row.index) && isSingle(row));
  return single.filter(isPalindrome).length / single.length;
}

const isSingle = ({ allele1, allele2 }: VariantRow) => allele1.length === 1 && allele2.length === 1;

const isPalindrome = ({ allele1, allele2 }: VariantRow) => complement(allele1) === allele2.toUpperCase();

const complement = (base: string) => "TGCA"["ACGT".indexOf(base.toUpperCase())] ?? "";
