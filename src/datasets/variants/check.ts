import { InputError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { parseDecimal } from "../../base/table.ts";
import { type Assembly, assemblyOf } from "../../dna/genome/assembly.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { alleleFindings, alleleOrderFindings, duplicateFindings } from "./checks/alleles.ts";
import { effectRowFindings, effectScaleFindings, missingEffectFindings } from "./checks/effects.ts";
import type { Finding } from "./checks/finding.ts";
import { labelErrorFindings, labelFindings, missingLabelFindings } from "./checks/labels.ts";
import { chromosomeFindings, mismatchFindings } from "./checks/mismatches.ts";
import { orientationFindings, type TableScores } from "./checks/orientation.ts";
import { lookUpReferences, type References } from "./checks/references.ts";
import type { EffectFavours, VariantForm } from "./forms.ts";
import { isEvaluated, type VariantTable } from "./table.ts";

/** Counts of a variant table, and findings. */
export interface VariantCheck {
  readonly form: VariantForm;
  readonly rows: number;
  /** Alternatives of a VCF file without a sequence, such as <DEL>, or of more than 1,000 bases. */
  readonly leftOut: number;
  /**
   * Number of variants by the allele that is the reference; `unknown`: on a chromosome that the genome lacks.
   */
  readonly reference: Readonly<Record<"allele1" | "allele2" | "neither" | "unknown", number>>;
  /** Number of evaluated QTLs and controls. */
  readonly significant: number;
  readonly controls: number;
  /** Assembly of the genome, if its chromosome lengths are known. */
  readonly assembly: Assembly | undefined;
  /** Score column that effects were compared with, if any. */
  readonly comparedWith: string | undefined;
  /** Not sorted by level. A table without errors can be evaluated. */
  readonly findings: readonly Finding[];
}

export interface CheckVariantsOptions {
  /**
   * Score column, read with the table, to compare effects with; default: ChromBPNet's, if the table has it.
   */
  readonly compareWith?: string | undefined;
  /**
   * Allele that positive scores favour; default: the effects' convention, with a warning for other usual
   * ones.
   */
  readonly compareFavours?: EffectFavours | undefined;
}

/**
 * Names of the columns with ChromBPNet's log fold changes for GM12878, the most accurate model on both sets.
 */
export const SCORE_COLUMN = /chrombpnet\.encsr000emt\.(variant|var)score\.logfc$/;

/**
 * Checks a variant table, before scoring, for faults that invalidate scores or metrics: chromosome names,
 * assembly, positions, strand, order of alleles, direction, signs, rows and unit of effects, labels,
 * p-values, duplicates. Each fault gives one finding.
 *
 * Direction and signs of effects are checked only if the table contains a model's scores (`extra`, read with
 * `SCORE_COLUMN`). Each statistical test has a false-alarm rate of at most 1e-4 per table under its stated
 * assumption.
 *
 * @throws {InputError} when the table has no variants
 */
export async function checkVariants(
  table: VariantTable,
  genome: Genome,
  { compareWith, compareFavours }: CheckVariantsOptions = {},
): Promise<VariantCheck> {
  if (table.rows.length === 0) {
    const { path, leftOut } = table;
    const symbolic = leftOut === 0 ? "" : `: ${leftOutText(leftOut)}`;
    throw new InputError(`there is no variant in the table${symbolic}`, { place: { file: path } });
  }
  const evaluated = table.rows.filter(isEvaluated);
  const references = await lookUpReferences(table, genome);
  const scores = scoresOf(table, compareWith, compareFavours);
  const orientation = orientationFindings(table, references, scores);
  const mismatches = await mismatchFindings(table, genome, references);
  const labelErrors = labelErrorFindings(table);
  // At wrong positions, allele order and duplicates are random. Findings from scores replace those from
  // order.
  const misplaced = mismatches.some(({ kind, level }) => level === "error" && kind !== "beyond-end");
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
      ...effectRowFindings(table, references, scores, {
        pReliable: labelErrors.length === 0,
        known: scores !== undefined && SCORE_COLUMN.test(scores.column),
      }),
      ...effectScaleFindings(table),
      ...alleleFindings(table),
      ...duplicateFindings(table).filter(({ count }) => !misplaced || count > references.mismatches.length),
      ...labelFindings(table),
      ...labelErrors,
      ...missingLabelFindings(table),
      // Wrong labels explain QTLs without effects.
      ...(labelErrors.length > 0 ? [] : missingEffectFindings(table)),
    ],
  };
}

/** Text on the alternatives of a VCF file that were left out. */
export const leftOutText = (leftOut: number): string =>
  `${counted(leftOut, "alternative")} without a sequence, such as <DEL>, or of more than 1,000 bases left out`;

function countsOf({ rows }: VariantTable, { of }: References): VariantCheck["reference"] {
  const counts = { allele1: 0, allele2: 0, neither: 0, unknown: rows.length - of.size };
  for (const reference of of.values()) {
    if (reference === 1) counts.allele1++;
    else if (reference === 2) counts.allele2++;
    else counts.neither++;
  }
  return counts;
}

function scoresOf(
  { extra }: VariantTable,
  wanted: string | undefined,
  favours: EffectFavours | undefined,
): TableScores | undefined {
  for (const [column, texts] of extra) {
    if (wanted === undefined ? SCORE_COLUMN.test(column) : column === wanted)
      return { column, values: Float64Array.from(texts, parseDecimal), favours };
  }
  return undefined;
}
