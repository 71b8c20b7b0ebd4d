import { type Assembly, assemblyOf } from "../../../dna/genome/assembly.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import { binomialUpperTail } from "../../../metrics/distributions.ts";
import type { VariantRow, VariantTable } from "../table.ts";
import { type Finding, finding, isMoreThan } from "./finding.ts";
import { constantOffset, otherChromosomes } from "./misplaced.ts";
import type { Mismatch, References } from "./references.ts";

/** Fewest mismatches for which a cause is searched. */
const ENOUGH = 10;
/** Share of mismatches that one cause must explain. */
const NEARLY_ALL = 0.9;
/** Probability that mismatches without this cause look as if they had it. */
const CHANCE = 1e-3;
/** At a random position one of two alleles is the reference about every second time. */
const RANDOM_FIT = 0.5;
/** More mismatches than this share of the table are a fault of the whole table. */
const RANDOM_MISMATCH = 0.2;
/** Unexplained mismatches that a published table may have; a larger share (exact binomial test) is an error. */
const UNEXPLAINED = 0.01;

/** Rows that have neither allele at their position: one finding with the cause, if there is one, and rows beyond the end. */
export async function mismatchFindings(
  table: VariantTable,
  genome: Genome,
  references: References,
): Promise<readonly Finding[]> {
  const { of, mismatches } = references;
  if (mismatches.length === 0) return [];
  const letterOf = new Map(mismatches.map(({ row, letter }) => [row.index, letter]));
  const remark = ({ index, chrom }: VariantRow) => {
    const letter = letterOf.get(index);
    return letter === ""
      ? `; ${chrom} has ${genome.chromosomes.get(chrom)} bases`
      : `; the genome has ${letter}`;
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
          fix: "look at these rows: a run scores each with either allele in place of the reference, and counts them",
        },
        remark,
      ),
    );
  }
  return findings;
}

const isBeyondEnd = ({ letter }: Mismatch) => letter === "";

interface Cause extends Pick<Finding, "kind" | "fix"> {
  /** What follows "neither allele at their position". */
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
  const explains = (fits: number) =>
    fits >= NEARLY_ALL * count && binomialUpperTail(fits, count, RANDOM_FIT) < CHANCE;
  const inPart = count <= RANDOM_MISMATCH * of.size;
  const before = mismatches.filter((mismatch) => mismatch.before).length;
  const behind = mismatches.filter((mismatch) => mismatch.behind).length;
  for (const [fits, where, fix] of [
    [before, "before", "subtract 1 from the positions"],
    [behind, "after", "add 1 to the positions, which seem to be 0-based as in BED"],
  ] as const) {
    if (!explains(fits)) continue;
    const which = inPart ? `positions of about ${misplaced(count)} rows` : "positions";
    return {
      kind: "shifted-positions",
      because: `, and ${fits} of these have one of them one base ${where}: ${which} are not 1-based`,
      fix: `${fix}${inPart ? ", only in the part of the table that these rows come from: most others fit as they are" : ""}`,
    };
  }
  const beyond = mismatches.filter(isBeyondEnd).length;
  if (beyond <= (1 - NEARLY_ALL) * count && onOtherStrand(table, references)) {
    const unknown = Math.round((count * palindromes(table, of)) / (1 - palindromes(table, of)));
    return {
      kind: "other-strand",
      because:
        ", none of these is A/T or C/G, and the complement of one of their alleles is there: they are on the other strand",
      fix: `complement the alleles of these rows; about ${unknown} A/T and C/G variants from the same source need it too, and their letters do not show the strand`,
    };
  }
  const chromosomes = await otherChromosomes(table, genome, references);
  if (chromosomes !== undefined) {
    return {
      kind: "wrong-chromosome",
      because: `: ${chromosomes.text}`,
      fix: "correct the chromosome names of these rows; about as many more of the same source fit by chance",
    };
  }
  if (beyond > count / 2) return undefined;
  const offset = await constantOffset(genome, mismatches);
  if (offset === undefined && (inPart || count - beyond < ENOUGH)) return undefined;
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
      : "take the genome that the table was made for: hg38 for the African caQTLs, hg19 for the Yoruban dsQTLs",
  };
}

/** Rows at wrong positions if so many have neither allele there. */
const misplaced = (mismatches: number) => Math.round(mismatches / (1 - RANDOM_FIT));

/** The assemblies of table and genome, as far as they are known. */
function assembliesOf({ columns, form }: VariantTable, genome: Genome): string {
  const named = /hg(19|38)/.exec(columns.position)?.[0] as Assembly | undefined;
  const ofTable = named ?? (form === "dsqtl" ? "hg19" : undefined);
  const ofGenome = assemblyOf(genome.chromosomes);
  const parts = [
    ...(ofTable === undefined ? [] : [`tables of this form are ${ofTable}`]),
    ...(ofGenome === undefined ? [] : [`the genome has the lengths of ${ofGenome}`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}

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
function onOtherStrand(table: VariantTable, { of, mismatches }: References): boolean {
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
