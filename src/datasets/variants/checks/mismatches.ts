import { type Assembly, assemblyOf } from "../../../dna/genome/assembly.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { binomialUpperTail } from "../../../metrics/distributions.ts";
import type { VariantRow, VariantTable } from "../table.ts";
import { isMoreThan } from "./false-alarm.ts";
import { type Finding, finding } from "./finding.ts";
import { constantOffset, otherChromosomes } from "./misplaced.ts";
import { onOtherStrand, palindromes } from "./other-strand.ts";
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
