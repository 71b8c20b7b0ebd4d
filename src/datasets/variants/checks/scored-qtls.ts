import { spearman } from "../../../metrics/correlation.ts";
import type { EffectFavours } from "../forms.ts";
import { isEvaluated, type VariantTable } from "../table.ts";
import type { References } from "./references.ts";

/** Another model's scores in the table. */
export interface TableScores {
  readonly column: string;
  /** [row]; NaN where there is none. */
  readonly values: Float64Array;
  /** Allele that a positive score favours, if the user stated it. */
  readonly favours: EffectFavours | undefined;
}

/** A QTL with its effect and its score, each as the table has it. */
export interface ScoredQtl {
  readonly index: number;
  readonly effect: number;
  readonly score: number;
}

/** Evaluated QTLs whose effect and score are numbers and whose reference is allele 1 or allele 2: two groups. */
export function scoredQtls(
  { rows }: VariantTable,
  { of }: References,
  { values }: TableScores,
): Readonly<Record<1 | 2, readonly ScoredQtl[]>> {
  const groups = { 1: [] as ScoredQtl[], 2: [] as ScoredQtl[] };
  for (const row of rows) {
    const { index, significant, effect } = row;
    const [reference, score] = [of.get(index), values[index]!];
    if (significant !== true || !isEvaluated(row) || !reference) continue;
    if (Number.isFinite(effect) && Number.isFinite(score))
      groups[reference].push({ index, effect: effect!, score });
  }
  return groups;
}

/** Spearman's correlation of effects and scores, which a few extreme effects do not change, with its standard error. */
export function agreement(rows: readonly ScoredQtl[]): {
  readonly r: number;
  readonly z: number;
  readonly error: number;
} {
  const { r, n } = spearman(
    rows.map(({ effect }) => effect),
    rows.map(({ score }) => score),
  );
  // Fisher's z with the variance for ranks: Bonett & Wright 2000, doi:10.1007/BF02294183
  const error = Math.sqrt((1 + r ** 2 / 2) / (n - 3));
  return { r, z: Math.atanh(r), error };
}
