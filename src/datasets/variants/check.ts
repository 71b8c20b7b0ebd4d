import { InputError } from "../../base/errors.ts";
import { decimalNumber } from "../../base/fields.ts";
import { type Assembly, assemblyOf } from "../../dna/genome/assembly.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { alleleOrderFindings } from "./checks/allele-order.ts";
import { chromosomeFindings } from "./checks/chromosomes.ts";
import { duplicateFindings } from "./checks/duplicates.ts";
import { missingEffectFindings, orientationFindings, type TableScores } from "./checks/effects.ts";
import { equalAlleleFindings } from "./checks/equal-alleles.ts";
import type { Finding } from "./checks/finding.ts";
import { labelFindings, missingLabelFindings } from "./checks/labels.ts";
import { mismatchFindings } from "./checks/mismatches.ts";
import { lookUpReferences, type References } from "./checks/references.ts";
import type { VariantForm } from "./forms.ts";
import { isEvaluated, type VariantTable } from "./table.ts";

/** What was looked at, and what was found. */
export interface VariantCheck {
  readonly form: VariantForm;
  readonly rows: number;
  /** Alternatives of a VCF file that are no letters. */
  readonly leftOut: number;
  /** Variants by the allele that the genome reads; `unknown`: on a chromosome that it lacks. */
  readonly reference: Readonly<Record<"allele1" | "allele2" | "neither" | "unknown", number>>;
  /** Of the rows that are to be evaluated. */
  readonly significant: number;
  readonly controls: number;
  /** Which assembly the genome is, where its chromosomes' lengths tell. */
  readonly assembly: Assembly | undefined;
  /** The column of scores that effects were compared with, where the table has one. */
  readonly comparedWith: string | undefined;
  /** None where the table can be relied on. */
  readonly findings: readonly Finding[];
}

export interface CheckVariantsOptions {
  /** Column of scores, read with the table, that effects are compared with; ChromBPNet's where the table has it. */
  readonly compareWith?: string | undefined;
}

/** Columns that are worth comparing effects with: ChromBPNet's fold changes for GM12878, best of all models on both sets. */
export const SCORE_COLUMN = /chrombpnet\.encsr000emt\.(variant|var)score\.logfc$/;

/**
 * Looks for what makes scores of a table of variants worthless or turns their sign, before anything is scored: other names of
 * chromosomes, another assembly, positions counted otherwise, alleles on the other strand or in another order, effects told of
 * the other allele, labels coded otherwise, variants twice. Each fault is told by one finding.
 *
 * The direction of effects can be checked only where the table brings a model's scores (`extra`, read with `SCORE_COLUMN`).
 *
 * @throws {InputError} when the table has no variant
 */
export async function checkVariants(
  table: VariantTable,
  genome: Genome,
  { compareWith }: CheckVariantsOptions = {},
): Promise<VariantCheck> {
  if (table.rows.length === 0) {
    const { path, leftOut } = table;
    const symbolic = leftOut === 0 ? "" : `: ${leftOut} alternatives that are no letters are left out`;
    throw new InputError(`there is no variant in the table${symbolic}`, { place: { file: path } });
  }
  const evaluated = table.rows.filter(isEvaluated);
  const references = await lookUpReferences(table, genome);
  const scores = scoresOf(table, compareWith);
  const orientation = orientationFindings(table, references, scores);
  const mismatches = mismatchFindings(table, genome, references);
  // At places that are not the variants' own, which allele the genome reads is chance; and scores tell more than the order.
  const misplaced = mismatches.some(({ kind }) => kind !== "reference-mismatch");
  const orderFindings =
    orientation.length > 0 || misplaced ? orientation : alleleOrderFindings(table, references);
  return {
    form: table.form,
    rows: table.rows.length,
    leftOut: table.leftOut,
    reference: countsOf(table, references),
    significant: evaluated.filter(({ significant }) => significant === true).length,
    controls: evaluated.filter(({ significant }) => significant === false).length,
    assembly: assemblyOf(genome.chromosomes),
    comparedWith: scores?.column,
    findings: [
      ...chromosomeFindings(table, genome),
      ...mismatches,
      ...orderFindings,
      ...equalAlleleFindings(table),
      ...duplicateFindings(table),
      ...labelFindings(table),
      ...missingLabelFindings(table),
      ...missingEffectFindings(table),
    ],
  };
}

function countsOf({ rows }: VariantTable, { of }: References): VariantCheck["reference"] {
  const counts = { allele1: 0, allele2: 0, neither: 0, unknown: rows.length - of.size };
  for (const reference of of.values()) {
    if (reference === 1) counts.allele1++;
    else if (reference === 2) counts.allele2++;
    else counts.neither++;
  }
  return counts;
}

function scoresOf({ extra }: VariantTable, wanted: string | undefined): TableScores | undefined {
  for (const [column, texts] of extra) {
    if (wanted === undefined ? SCORE_COLUMN.test(column) : column === wanted)
      return { column, values: Float64Array.from(texts, decimalNumber) };
  }
  return undefined;
}
