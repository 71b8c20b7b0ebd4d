import { type Assembly, assemblyOf } from "../../../dna/genome/assembly.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import type { VariantRow, VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";
import type { Mismatch, References } from "./references.ts";

/** From so many rows on a pattern among mismatches is taken for more than chance: 2⁻¹⁰ for one in two. */
const ENOUGH = 10;
/** Share of mismatches that one cause must explain. */
const NEARLY_ALL = 0.95;
/** At random places one of two alleles is the genome's letter about every second time. */
const RANDOM_MISMATCH = 0.2;
/** So many A/T and C/G variants must be expected among mismatches before their absence tells anything: e⁻⁵ by chance. */
const EXPECTED_PALINDROMES = 5;

/** Why some alleles are not the genome's: one finding, the likeliest cause, or none. */
export function mismatchFindings(
  table: VariantTable,
  genome: Genome,
  references: References,
): readonly Finding[] {
  const { of, mismatches } = references;
  if (mismatches.length === 0) return [];
  const letterOf = new Map(mismatches.map(({ row, letter }) => [row.index, letter]));
  const remark = ({ index }: VariantRow) => {
    const letter = letterOf.get(index);
    return letter === "" ? "; the chromosome ends before" : `; the genome has ${letter}`;
  };
  const { kind, because, fix } = causeOf(table, genome, references);
  const rows = mismatches.map(({ row }) => row);
  const what = `${rows.length} of ${of.size} variants have neither allele at their position${because}`;
  return [finding(kind, rows, { what, fix }, remark)];
}

interface Cause extends Pick<Finding, "kind" | "fix"> {
  /** What follows "neither allele at their position". */
  readonly because: string;
}

function causeOf(table: VariantTable, genome: Genome, { of, mismatches }: References): Cause {
  const count = mismatches.length;
  const nearlyAll = (is: (mismatch: Mismatch) => boolean) =>
    count >= ENOUGH && mismatches.filter(is).length >= NEARLY_ALL * count;
  // Of rows at a wrong place every second one or so mismatches; where far fewer do, the others stand where they belong.
  const inPart = count <= RANDOM_MISMATCH * of.size;
  const positions = inPart ? "positions of a part of the table" : "positions";
  const others = inPart
    ? "; only in the rows that came with these, since most of the others fit as they are"
    : "";
  if (nearlyAll(({ before }) => before)) {
    return {
      kind: "shifted-positions",
      because: `, and nearly all of them have one a base before: ${positions} are not counted from 1`,
      fix: `take 1 from the positions, or find out what counted them from 2${others}`,
    };
  }
  if (nearlyAll(({ behind }) => behind)) {
    return {
      kind: "shifted-positions",
      because: `, and nearly all of them have one a base behind: ${positions} are not counted from 1`,
      fix: `add 1 to the positions: they seem to be counted from 0, as in BED${others}`,
    };
  }
  if (onOtherStrand(table, of, mismatches)) {
    return {
      kind: "other-strand",
      because: ", and none of these is A/T or C/G: alleles are given on the other strand",
      fix: "complement the alleles of these rows; of A/T and C/G variants nobody can tell the strand from the letters",
    };
  }
  if (count >= ENOUGH && count > RANDOM_MISMATCH * of.size) {
    return {
      kind: "other-assembly",
      because: `, as if the positions were random: table and genome are of different assemblies${assembliesOf(table, genome)}`,
      fix: "take the genome that the table was made for: hg38 for the African caQTLs, hg19 for the Yoruban dsQTLs",
    };
  }
  const beyond = mismatches.filter(({ letter }) => letter === "").length;
  return {
    kind: "reference-mismatch",
    because: beyond === 0 ? "" : `, ${beyond} of them since the chromosome ends before it`,
    fix:
      beyond === 0
        ? "look at these rows; each is scored with either allele put in place of the genome's letter, and counted"
        : "look at these rows; those beyond the end of a chromosome must go before the table can be run, the others are scored with either allele put in place of the genome's letter, and counted",
  };
}

/** A/T and C/G variants fit on either strand, so among variants of the other strand there are none that mismatch. */
function onOtherStrand(
  { rows }: VariantTable,
  of: References["of"],
  mismatches: readonly Mismatch[],
): boolean {
  const single = rows.filter(({ index, allele1, allele2 }) => {
    return of.has(index) && allele1.length === 1 && allele2.length === 1;
  });
  const palindromes = single.filter(isPalindrome).length;
  const expected = (palindromes / single.length) * mismatches.length;
  return expected >= EXPECTED_PALINDROMES && !mismatches.some(({ row }) => isPalindrome(row));
}

function isPalindrome({ allele1, allele2 }: VariantRow): boolean {
  return ["AT", "CG"].includes([allele1.toUpperCase(), allele2.toUpperCase()].sort().join(""));
}

/** What is known of either assembly, for the sentence. */
function assembliesOf({ columns, form }: VariantTable, genome: Genome): string {
  const named = /hg(19|38)/.exec(columns.position)?.[0] as Assembly | undefined;
  const ofTable = named ?? (form === "dsqtl" ? "hg19" : undefined);
  const ofGenome = assemblyOf(genome.chromosomes);
  const parts = [
    ...(ofTable === undefined ? [] : [`the table's form is of ${ofTable}`]),
    ...(ofGenome === undefined ? [] : [`the genome has the lengths of ${ofGenome}`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}
