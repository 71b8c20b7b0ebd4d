import { ASSEMBLIES, assemblyOf } from "../../../dna/genome/assembly.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import { binomialUpperTail } from "../../../metrics/distributions.ts";
import type { VariantRow, VariantTable } from "../table.ts";
import { CHANCE, type Finding, finding, isMoreThan, NEARLY_ALL, RANDOM_FIT } from "./finding.ts";
import { constantOffset, otherChromosomes } from "./misplaced.ts";
import type { Mismatch, References } from "./references.ts";

/** Fewest mismatches for which a cause is searched. */
const ENOUGH = 10;
/** Above this share of mismatches, the whole table is at fault. */
const RANDOM_MISMATCH = 0.2;
/**
 * Share of unexplained mismatches that a published table may have; a larger one (exact binomial test) is an
 * error.
 */
const UNEXPLAINED = 0.01;

/**
 * Findings for rows with neither allele at their position: the cause, if one explains them all; else by kind.
 */
export async function mismatchFindings(
  table: VariantTable,
  genome: Genome,
  references: References,
): Promise<readonly Finding[]> {
  const { of, mismatches } = references;
  if (mismatches.length === 0) return [];
  const baseOf = new Map(mismatches.map(({ row, base }) => [row.index, base]));
  const remark = ({ index, chrom }: VariantRow) => {
    const base = baseOf.get(index);
    return base === "" ? `; ${chrom} has ${genome.chromosomes.get(chrom)} bases` : `; the genome has ${base}`;
  };
  const rowsOf = (some: readonly Mismatch[]) => some.map(({ row }) => row);
  const cause = await causeOf(table, genome, references);
  if (cause !== undefined) {
    const what = `${mismatches.length} of ${of.size} variants have neither allele at their position${cause.because}`;
    return [finding("error", cause.kind, rowsOf(mismatches), { what, fix: cause.fix }, remark)];
  }
  const beyond = mismatches.filter(isBeyondEnd);
  const inside = mismatches.filter((mismatch) => !isBeyondEnd(mismatch));
  const findings: Finding[] = [];
  if (beyond.length > 0) {
    findings.push(
      finding(
        "error",
        "beyond-end",
        rowsOf(beyond),
        {
          what: `${beyond.length} of ${of.size} variants lie beyond the end of their chromosome`,
          fix: "correct or remove these rows: a run stops at the first of them",
        },
        remark,
      ),
    );
  }
  if (inside.length > 0) {
    findings.push(
      finding(
        isMoreThan(inside.length, of.size, UNEXPLAINED) ? "error" : "warning",
        "reference-mismatch",
        rowsOf(inside),
        {
          what: `${inside.length} of ${of.size} variants have neither allele at their position: their alleles are wrong, or about ${misplaced(inside.length)} rows are at random positions${inside.length < ENOUGH ? "" : "; neither a shift, the other strand, another chromosome nor a constant offset explains them"}`,
          fix: "examine these rows: a run scores them with each allele substituted for the reference, and includes them in the metrics",
        },
        remark,
      ),
    );
  }
  return findings;
}

const isBeyondEnd = ({ base }: Mismatch) => base === "";

interface Cause extends Pick<Finding, "kind" | "fix"> {
  /** Continuation of "neither allele at their position". */
  readonly because: string;
}

async function causeOf(
  table: VariantTable,
  genome: Genome,
  references: References,
): Promise<Cause | undefined> {
  const { of, mismatches } = references;
  const count = mismatches.length;
  if (count < ENOUGH) return undefined;
  const inPart = count <= RANDOM_MISMATCH * of.size;
  const shifted = shiftCause(mismatches, inPart);
  if (shifted !== undefined) return shifted;
  const beyond = mismatches.filter(isBeyondEnd).length;
  if (beyond <= (1 - NEARLY_ALL) * count && onOtherStrand(table, references)) {
    const unknown = Math.round((count * palindromes(table, of)) / (1 - palindromes(table, of)));
    return {
      kind: "other-strand",
      because:
        ", none of these is A/T or C/G, and the complement of one of their alleles is there: they are on the other strand",
      fix: `complement the alleles of these rows, and of about ${unknown} A/T and C/G variants from the same source, whose alleles do not show the strand`,
    };
  }
  const chromosomes = await otherChromosomes(table, genome, references);
  if (chromosomes !== undefined) {
    return {
      kind: "wrong-chromosome",
      because: `: ${chromosomes.text}`,
      fix: "correct the chromosome names of these rows and of about as many more from the same source, which fit by chance",
    };
  }
  return beyond > count / 2 ? undefined : assemblyCause(table, genome, mismatches, inPart);
}

/** Positions that are one base too high or too low. @param inPart  true if most of the table fits */
function shiftCause(mismatches: readonly Mismatch[], inPart: boolean): Cause | undefined {
  const count = mismatches.length;
  for (const [where, fix] of [
    ["before", "subtract 1 from the positions"],
    ["after", "add 1 to the positions, which seem to be 0-based as in BED"],
  ] as const) {
    const fits = mismatches.filter((mismatch) => mismatch[where]).length;
    if (fits < NEARLY_ALL * count || binomialUpperTail(fits, count, RANDOM_FIT) >= CHANCE) continue;
    const which = inPart ? `positions of about ${misplaced(count)} rows` : "positions";
    return {
      kind: "shifted-positions",
      because: `, and ${fits} of these have one of them one base ${where}: ${which} are not 1-based`,
      fix: `${fix}${inPart ? ", only in the part of the table that these rows come from: most others are correct" : ""}`,
    };
  }
  return undefined;
}

/** Positions of another assembly: at a constant offset, or random in most of the table. */
async function assemblyCause(
  table: VariantTable,
  genome: Genome,
  mismatches: readonly Mismatch[],
  inPart: boolean,
): Promise<Cause | undefined> {
  const count = mismatches.length;
  const inGenome = count - mismatches.filter(isBeyondEnd).length;
  const offset = await constantOffset(genome, mismatches);
  if (offset === undefined && (inPart || inGenome < ENOUGH)) return undefined;
  const where =
    offset === undefined
      ? ", as if the positions were random"
      : `, and ${offset.fits} of ${offset.tried} tried on ${offset.chrom} have one ${Math.abs(offset.by)} bases ${offset.by < 0 ? "before" : "after"}`;
  const which = inPart ? `about ${misplaced(count)} rows have` : "the table has";
  return {
    kind: "other-assembly",
    because: `${where}: ${which} positions of another assembly than the genome's${assembliesOf(table, genome)}`,
    fix: inPart
      ? "lift the positions of these rows over to the genome's assembly, and those of all rows from the same source: half of them fit by chance"
      : "use the genome that the table was made for: hg38 for the African caQTLs, hg19 for the Yoruban dsQTLs",
  };
}

/** Estimated number of rows at wrong positions, given the number with neither allele there. */
const misplaced = (mismatches: number) => Math.round(mismatches / (1 - RANDOM_FIT));

/** Assemblies of table and genome, if known. */
function assembliesOf({ columns, form }: VariantTable, genome: Genome): string {
  const named = ASSEMBLIES.find((assembly) => columns.position.includes(assembly));
  const ofTable = named ?? (form === "dsqtl" ? "hg19" : undefined);
  const ofGenome = assemblyOf(genome.chromosomes);
  const parts = [
    ...(ofTable === undefined ? [] : [`tables of this form are ${ofTable}`]),
    ...(ofGenome === undefined ? [] : [`the genome has the lengths of ${ofGenome}`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}

/** Least likelihood ratio of "other strand" against "random positions". */
const LIKELIHOOD_RATIO = 1000;
/** Share of rows that may be exceptions to a cause. */
const EXCEPTIONS = 0.01;

/**
 * True if mismatching variants are on the other strand and not at random positions, by a likelihood ratio of
 * two properties:
 *
 * - Variants of the other strand include no A/T and C/G variants, which fit on either strand.
 * - The complement of allele 1 is the reference as often as allele 1 is in the rest of the table. At random
 *   positions, it is in half of the rows. Not used if the rest of the table is too small.
 */
function onOtherStrand(table: VariantTable, { of, mismatches }: References): boolean {
  const share = Math.max(palindromes(table, of), EXCEPTIONS);
  const others = table.rows.filter(
    (row) => isSingle(row) && !isPalindrome(row) && (of.get(row.index) ?? 0) > 0,
  );
  const first = others.filter(({ index }) => of.get(index) === 1).length / others.length;
  const firstShare =
    others.length < mismatches.length ? 0.5 : Math.min(Math.max(first, EXCEPTIONS), 1 - EXCEPTIONS);
  let evidence = 0;
  for (const { row, base } of mismatches) {
    if (!isSingle(row)) continue;
    if (isPalindrome(row)) evidence += Math.log(EXCEPTIONS / share);
    else {
      const complementFirst = complement(row.allele1) === base;
      evidence += Math.log((1 - EXCEPTIONS) / (1 - share));
      evidence += Math.log((complementFirst ? firstShare : 1 - firstShare) / 0.5);
    }
  }
  return evidence > Math.log(LIKELIHOOD_RATIO);
}

/** Share of A/T and C/G variants among the single-base variants that were looked up. */
function palindromes({ rows }: VariantTable, of: References["of"]): number {
  const single = rows.filter((row) => of.has(row.index) && isSingle(row));
  return single.filter(isPalindrome).length / single.length;
}

const isSingle = ({ allele1, allele2 }: VariantRow) => allele1.length === 1 && allele2.length === 1;

const isPalindrome = ({ allele1, allele2 }: VariantRow) => complement(allele1) === allele2.toUpperCase();

const complement = (base: string) => "TGCA"["ACGT".indexOf(base.toUpperCase())] ?? "";

/** Rows on chromosomes that the genome does not have, or has under another name. */
export function chromosomeFindings({ rows }: VariantTable, genome: Genome): readonly Finding[] {
  const elsewhere = rows.filter(({ chrom }) => !genome.chromosomes.has(chrom));
  const names = [...new Set(elsewhere.map(({ chrom }) => chrom))];
  const [first] = names;
  if (first === undefined) return [];
  const { message, hint } = missingChromosomeError(first, genome.chromosomes.keys(), {});
  const more = names.length > 1 ? `, and it lacks ${names.length - 1} more of the table's names` : "";
  return [
    finding("error", "chromosome-names", elsewhere, {
      what: `${elsewhere.length} of ${rows.length} variants cannot be looked up: ${message}${more}`,
      fix: hint ?? "is this the genome that the table was made for?",
    }),
  ];
}
