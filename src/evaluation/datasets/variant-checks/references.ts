import { type Assembly, assemblyOf } from "../../../dna/genome/assembly.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { type ReferenceAllele, reads, referenceAllele } from "../../../dna/sequence/variant.ts";
import type { VariantRow, VariantTable } from "../variant-table.ts";
import { type Finding, finding } from "./finding.ts";

/** What the genome reads where the variants are. */
export interface References {
  /** The allele that is the genome's, by the row's number; rows on chromosomes that the genome lacks are absent. */
  readonly of: ReadonlyMap<number, ReferenceAllele>;
  /** Rows of which neither allele is, and why that may be. */
  readonly mismatches: readonly Mismatch[];
}

interface Mismatch {
  readonly row: VariantRow;
  /** What the genome reads there, one base; empty beyond its end. */
  readonly letter: string;
  /** An allele is the genome's one base before, or behind. */
  readonly before: boolean;
  readonly behind: boolean;
}

/** Looks every variant up, chromosome by chromosome. */
export async function lookUpReferences({ rows }: VariantTable, genome: Genome): Promise<References> {
  const byChromosome = new Map<string, VariantRow[]>();
  for (const row of rows) {
    const others = byChromosome.get(row.chrom);
    if (others === undefined) byChromosome.set(row.chrom, [row]);
    else others.push(row);
  }
  const of = new Map<number, ReferenceAllele>();
  const mismatches: Mismatch[] = [];
  for (const [chrom, here] of byChromosome) {
    if (!genome.chromosomes.has(chrom)) continue;
    const letters = await genome.chromosome(chrom);
    const eitherAt = ({ allele1, allele2 }: VariantRow, position: number) =>
      reads(letters, position, allele1) || reads(letters, position, allele2);
    for (const row of here) {
      const reference = referenceAllele(letters, row);
      of.set(row.index, reference);
      if (reference !== 0) continue;
      const { position } = row;
      mismatches.push({
        row,
        letter: position < letters.length ? String.fromCharCode(letters[position]!) : "",
        before: eitherAt(row, position - 1),
        behind: eitherAt(row, position + 1),
      });
    }
  }
  mismatches.sort((a, b) => a.row.index - b.row.index);
  return { of, mismatches };
}

/** From so many rows on a pattern among mismatches is taken for more than chance: 2⁻¹⁰ for one in two. */
const ENOUGH = 10;
/** Share of mismatches that one cause must explain. */
const NEARLY_ALL = 0.95;
/** At random places one of two alleles is the genome's letter about every second time. */
const RANDOM_MISMATCH = 0.2;

/** Why some alleles are not the genome's: one finding, the likeliest cause, or none. */
export function mismatchFindings(
  table: VariantTable,
  genome: Genome,
  { of, mismatches }: References,
): readonly Finding[] {
  const count = mismatches.length;
  if (count === 0) return [];
  const rows = mismatches.map(({ row }) => row);
  const letterOf = new Map(mismatches.map(({ row, letter }) => [row.index, letter]));
  const remark = ({ index }: VariantRow) => {
    const letter = letterOf.get(index);
    return letter === "" ? "; the chromosome ends before" : `; the genome has ${letter}`;
  };
  const share = (cause: (mismatch: Mismatch) => boolean) => mismatches.filter(cause).length / count;
  const before = share((mismatch) => mismatch.before);
  const behind = share((mismatch) => mismatch.behind);
  const of_ = `of ${of.size} variants`;
  if (count >= ENOUGH && Math.max(before, behind) >= NEARLY_ALL) {
    const [where, off] = before >= behind ? ["one base before", 1] : ["one base behind", -1];
    return [
      finding(
        "shifted-positions",
        rows,
        {
          what: `${count} ${of_} have neither allele at their position, and nearly all of them have one ${where}: positions are counted otherwise than from 1`,
          fix:
            off === 1
              ? "take 1 from the positions, or find out what counted them from 2"
              : "add 1 to the positions: they seem to be counted from 0, as in BED",
        },
        remark,
      ),
    ];
  }
  if (onOtherStrand(table, of, rows)) {
    return [
      finding(
        "other-strand",
        rows,
        {
          what: `${count} ${of_} have neither allele at their position, and none of them is A/T or C/G: their alleles are given on the other strand`,
          fix: "complement the alleles of these rows; of A/T and C/G variants nobody can tell the strand from the letters",
        },
        remark,
      ),
    ];
  }
  if (count >= ENOUGH && count / of.size > RANDOM_MISMATCH) {
    return [
      finding(
        "other-assembly",
        rows,
        {
          what: `${count} ${of_} have neither allele at their position, as if the positions were random: table and genome are of different assemblies${assembliesOf(table, genome)}`,
          fix: "take the genome that the table was made for: hg38 for the African caQTLs, hg19 for the Yoruban dsQTLs",
        },
        remark,
      ),
    ];
  }
  return [
    finding(
      "reference-mismatch",
      rows,
      {
        what: `neither allele of ${count} ${of_} is what the genome reads`,
        fix: "look at these rows; each is scored with either allele put in place of the genome's letter, and counted",
      },
      remark,
    ),
  ];
}

/** A/T and C/G variants fit on either strand, so among variants of the other strand there are none that mismatch. */
function onOtherStrand(
  { rows }: VariantTable,
  of: References["of"],
  mismatched: readonly VariantRow[],
): boolean {
  const single = rows.filter(({ index, allele1, allele2 }) => {
    return of.has(index) && allele1.length === 1 && allele2.length === 1;
  });
  const palindromes = single.filter(isPalindrome).length;
  const expected = (palindromes / single.length) * mismatched.length;
  return expected >= 5 && !mismatched.some(isPalindrome);
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

/**
 * Rows whose second allele is the genome's, where the first one should be. Of the Yoruban dsQTLs and of any table whose effects
 * are told of allele 1 either order is usual, and nothing is found.
 */
export function alleleOrderFindings(table: VariantTable, { of, mismatches }: References): readonly Finding[] {
  const { form, favours, columns, rows } = table;
  if (favours === "allele1" || (form !== "vcf" && columns.effect === undefined)) return [];
  const swapped = rows.filter(({ index }) => of.get(index) === 2);
  // Of rows that stand at a wrong place, as many have the second allele there by chance as have neither, or fewer.
  if (swapped.length <= mismatches.length) return [];
  const what = `the second allele of ${swapped.length} of ${of.size} variants is what the genome reads`;
  if (form === "vcf") {
    return [
      finding("allele-order", swapped, {
        what: `${what}: REF and ALT are exchanged`,
        fix: "exchange REF and ALT of these rows, and whatever was told of ALT",
      }),
    ];
  }
  const effect = columns.effect!;
  return [
    finding("allele-order", swapped, {
      what: `${what}, so ${effect} of these rows may be told the other way round than of the rest (quirk Q41)`,
      fix:
        favours === "alternative"
          ? `nothing: under corrected, ${effect} is taken as the alternative's effect and turned on these rows; under paper it is taken as it stands, and both are told`
          : `find out whether ${effect} is told of the second allele or of the alternative one; it is taken as the second allele's`,
    }),
  ];
}
