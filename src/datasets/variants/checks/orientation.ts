import { spearman } from "../../../metrics/correlation.ts";
import type { EffectFavours } from "../forms.ts";
import { hasEffect, isEvaluated, type VariantTable } from "../table.ts";
import { CLEARLY, type Finding, finding } from "./finding.ts";
import type { References } from "./references.ts";

/** Fewest QTLs per reference allele, and weakest correlation, for a direction. */
const ENOUGH = 20;
const CLEAR = 0.2;

/**
 * Allele that positive effects or scores favour. "reference" is no convention in use and indicates an error.
 */
type Favours = EffectFavours | "reference";

/** Conventions of scoring tools: allele 2 − allele 1, or alternative − reference. */
const USUAL: readonly Favours[] = ["allele2", "alternative"];

const NAME: Readonly<Record<Favours, string>> = {
  allele1: "allele 1 − allele 2",
  allele2: "allele 2 − allele 1",
  alternative: "alternative − reference",
  reference: "reference − alternative",
};

/** +1 if this convention favours allele 2 of a row with this reference. */
function signOf(favours: Favours, reference: 1 | 2): 1 | -1 {
  if (favours === "allele2") return 1;
  if (favours === "allele1") return -1;
  return (favours === "alternative") === (reference === 1) ? 1 : -1;
}

/**
 * Compares the direction of effects with that of scores, separately for QTLs whose reference is allele 1 and
 * allele 2.
 *
 * If the user stated which allele the scores favour, effects of the opposite direction are an error.
 * Otherwise the scores should follow the convention of the table's effects. If they follow another usual
 * convention, the finding is a warning, since only the scores' author knows the intended one. Effects that
 * contradict every usual convention are an error.
 *
 * A direction requires a Spearman correlation beyond ±0.2 that differs from 0 by 3.72 standard errors (p
 * below 1e-4).
 */
export function orientationFindings(
  table: VariantTable,
  references: References,
  scores: TableScores | undefined,
): readonly Finding[] {
  const { columns, favours, rows } = table;
  const { effect } = columns;
  if (effect === undefined || scores === undefined) return [];
  const qtls = scoredQtls(table, references, scores);
  const groups = ([1, 2] as const).flatMap((reference) => {
    const observed = directionOf(qtls[reference]);
    return observed === undefined ? [] : [{ reference, ...observed }];
  });
  // Sign of the correlation in a group, given the scores' convention.
  const expected = (scored: Favours, reference: 1 | 2) =>
    signOf(favours, reference) * signOf(scored, reference);
  const fits = (scored: Favours) =>
    groups.every(({ reference, sign }) => sign === expected(scored, reference));
  const stated = scores.favours ?? favours;
  const against = groups.filter(({ reference, sign }) => sign !== expected(stated, reference));
  if (against.length === 0) return [];
  const concerned = new Set(against.flatMap(({ reference }) => qtls[reference].map(({ index }) => index)));
  const { column, values } = scores;
  const whole = against.length === groups.length;
  const which = whole
    ? "all rows"
    : `the rows whose ${against[0].reference === 1 ? "first" : "second"} allele is the reference`;
  const correlations = groups
    .map(({ reference, r }) => `r ${r.toFixed(2)} where allele ${reference} is the reference`)
    .join(", ");
  const other =
    scores.favours === undefined ? USUAL.find((usual) => usual !== favours && fits(usual)) : undefined;
  const what = {
    what:
      other === undefined
        ? `${effect} and ${column} have opposite directions in ${which} (${correlations}), if ${effect} is ${NAME[favours]} and ${column} is ${NAME[stated]}`
        : `${column} seems to be ${NAME[other]}, while ${effect} of this form is ${NAME[favours]} (${correlations})`,
    fix:
      other === undefined
        ? `invert the sign of ${effect} in ${which}`
        : `nothing, if ${column} is ${NAME[other]} (--compare-favours ${other} confirms it); if ${column} is ${NAME[favours]} like a published column (--compare-favours ${favours}), invert the sign of ${effect} in ${which}`,
  };
  return [
    finding(
      other === undefined ? "error" : "warning",
      "effect-orientation",
      rows.filter(({ index }) => concerned.has(index)),
      what,
      (row) => `; ${effect} ${row.effect}, score ${values[row.index]}`,
    ),
  ];
}

/** Sign of a group's correlation; undefined if it is not clear. */
function directionOf(rows: readonly ScoredQtl[]): { readonly sign: 1 | -1; readonly r: number } | undefined {
  if (rows.length < ENOUGH) return undefined;
  const { r, z, error } = effectScoreCorrelation(rows);
  if (!(Math.abs(r) > CLEAR && Math.abs(z) > CLEARLY * error) && Math.abs(r) !== 1) return undefined;
  return { sign: r < 0 ? -1 : 1, r };
}

/**
 * Scored QTLs with scores multiplied by -1 where their direction is opposite to the effects', so that both
 * should agree.
 */
export function alignedQtls(
  table: VariantTable,
  references: References,
  scores: TableScores,
): readonly ScoredQtl[] {
  const qtls = scoredQtls(table, references, scores);
  return ([1, 2] as const).flatMap((reference) => {
    const stated = signOf(table.favours, reference) * signOf(scores.favours ?? table.favours, reference);
    const sign = directionOf(qtls[reference])?.sign ?? stated;
    return qtls[reference].map((row) => ({ ...row, score: sign * row.score }));
  });
}

/** Column of a model's scores in the table. */
export interface TableScores {
  readonly column: string;
  /** [row]; NaN if missing. */
  readonly values: Float64Array;
  /** Allele that a positive score favours, if the user stated it. */
  readonly favours: EffectFavours | undefined;
}

/** QTL with its effect and score. */
export interface ScoredQtl {
  readonly index: number;
  readonly effect: number;
  readonly score: number;
}

/** Evaluated QTLs with effect and score, by the allele that is the reference. */
function scoredQtls(
  { rows }: VariantTable,
  { of }: References,
  { values }: TableScores,
): Readonly<Record<1 | 2, readonly ScoredQtl[]>> {
  const groups: Record<1 | 2, ScoredQtl[]> = { 1: [], 2: [] };
  for (const row of rows) {
    const { index, significant } = row;
    const [reference, score] = [of.get(index), values[index]];
    if (significant !== true || !isEvaluated(row) || !reference) continue;
    if (hasEffect(row) && Number.isFinite(score)) {
      groups[reference].push({ index, effect: row.effect, score });
    }
  }
  return groups;
}

/**
 * Spearman's correlation of effects and scores, which is robust against extreme effects.
 * @returns correlation r, its Fisher transform z, and the standard error of z
 */
export function effectScoreCorrelation(rows: readonly ScoredQtl[]): {
  readonly r: number;
  readonly z: number;
  readonly error: number;
} {
  const { r, n } = spearman(
    rows.map(({ effect }) => effect),
    rows.map(({ score }) => score),
  );
  // Variance of Fisher's z for ranks: Bonett & Wright 2000, doi:10.1007/BF02294183
  const error = Math.sqrt((1 + r ** 2 / 2) / (n - 3));
  return { r, z: Math.atanh(r), error };
}
