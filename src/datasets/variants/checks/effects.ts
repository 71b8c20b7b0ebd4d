import { valueAt } from "../../../base/record.ts";
import { aurocEstimate } from "../../../metrics/auroc.ts";
import { spearman, topDownCorrelation } from "../../../metrics/correlation.ts";
import { median } from "../../../metrics/quantiles.ts";
import { hasEffect, hasP, isEvaluated, type VariantRow, type VariantTable } from "../table.ts";
import { CLEARLY, FALSE_ALARM, type Finding, finding } from "./finding.ts";
import { alignedQtls, effectScoreCorrelation, type ScoredQtl, type TableScores } from "./orientation.ts";
import type { References } from "./references.ts";

/** Largest plausible size of a typical effect: a log fold change of 20 is a factor of a million or more. */
const MAX_TYPICAL = 20;
/** Effects beyond this multiple of the QTLs' median, in at least so many rows, are in another unit. */
const TIMES_MEDIAN = 100;
const MIN_LARGE = 5;

/** Finding for QTLs without an effect, which correlations exclude. */
export function missingEffectFindings({ rows, columns }: VariantTable): readonly Finding[] {
  if (columns.effect === undefined) return [];
  const qtls = rows.filter((row) => row.significant && isEvaluated(row));
  const without = qtls.filter(({ effect }) => !Number.isFinite(effect));
  if (without.length === 0) return [];
  return [
    finding("note", "missing-effects", without, {
      what: `${without.length} of ${qtls.length} QTLs have no ${columns.effect}`,
      fix: "no action needed: AUROC and AUPRC include them, correlations do not",
    }),
  ];
}

/** Finding for effects that are too large for a log fold change, in the whole table or a part of it. */
export function effectScaleFindings({ rows, columns: { effect } }: VariantTable): readonly Finding[] {
  if (effect === undefined) return [];
  const known = rows.filter(hasEffect);
  const qtls = known.filter((row) => row.significant && isEvaluated(row));
  const size = (row: { readonly effect: number }) => Math.abs(row.effect);
  const typical = median((qtls.length >= MIN_LARGE ? qtls : known).map(size));
  const larger = known.filter((row) => size(row) > TIMES_MEDIAN * typical);
  const remark = (row: VariantRow) => `; ${effect} ${row.effect}`;
  if (typical > 0 && larger.length >= MIN_LARGE) {
    return [
      finding(
        "error",
        "effect-scale",
        larger,
        {
          what: `${larger.length} of ${known.length} values of ${effect} are more than ${TIMES_MEDIAN} times the median of ${typical.toPrecision(2)}: they are in another unit`,
          fix: `express ${effect} in one unit: otherwise these rows decide Pearson's correlation`,
        },
        remark,
      ),
    ];
  }
  if (!(typical > MAX_TYPICAL)) return [];
  return [
    finding(
      "warning",
      "effect-scale",
      known,
      {
        what: `${effect} has a median size of ${typical.toPrecision(2)}, too large for a log fold change`,
        fix: `find out the unit of ${effect}: correlations do not depend on it, but a factor of 1,000 suggests a conversion error`,
      },
      remark,
    ),
  ];
}

/** Fewest QTLs of opposite signs for a test. */
const MIN_OPPOSITE = 30;
/**
 * Threshold of √(n − 1) times the top-down correlation. Savage scores are skewed: of 200,000 permutations for
 * each n from 30 to 1,000, at most 4e-5 of them exceeded it, and 4e-4 exceeded the normal quantile 3.72.
 */
const SIZES_AGREE = 4.5;
/**
 * Largest share of opposite signs in a clean table among the fifth of its QTLs with the largest products of
 * effect and score.
 */
const OPPOSITE_AT_TOP = 0.12;
/** Correlation of |effect| with −p that controls exceed if both come from one test statistic. */
const MIN_P_CORRELATION = 0.1;

/**
 * Findings for effects with wrong signs in a random part of the rows, or that belong to other rows.
 *
 * - effect-signs: in QTLs whose effect and score have opposite signs, one of the two should be small. If
 *   large effects have large scores in them instead (top-down correlation), and they are more than 12 % of
 *   the fifth with the largest products, their signs are wrong. This does not depend on the model's accuracy.
 * - shuffled-effects: scores distinguish QTLs from controls, but correlate with effects less than that
 *   implies: the upper bound of Spearman's r is below the lower bound of AUROC − 0.5. For comparison,
 *   published African ChromBPNet scores have r 0.70 and AUROC 0.77, fine-tuned language models r 0.2 and
 *   AUROC 0.6. Without a clear correlation with scores, |effect| of the controls must correlate with their
 *   p-values.
 *
 * Bounds are at 3.72 standard errors (p below 1e-4). Findings from scores other than ChromBPNet's are
 * warnings, since such scores may have no direction.
 *
 * @param pReliable  true if p-values agree with the labels
 * @param known      true if the scores are ChromBPNet's
 */
export function effectRowFindings(
  table: VariantTable,
  references: References,
  scores: TableScores | undefined,
  { pReliable, known }: { readonly pReliable: boolean; readonly known: boolean },
): readonly Finding[] {
  const { effect, p } = table.columns;
  if (effect === undefined) return [];
  const sizes = p === undefined || !pReliable ? "unknown" : sizesFollowP(table);
  if (scores !== undefined) {
    const qtls = alignedQtls(table, references, scores);
    const wrong = wrongSigns(qtls, effect, scores.column);
    if (wrong !== undefined) return [faultFinding(wrong, table, effect, scores, known)];
    if (qtls.length >= MIN_OPPOSITE) {
      const correlation = effectScoreCorrelation(qtls);
      if (correlation.z - CLEARLY * correlation.error > 0) return [];
      const unrelated = unrelatedEffects(qtls, correlation, table, effect, scores, sizes);
      if (unrelated !== undefined) return [faultFinding(unrelated, table, effect, scores, known)];
    }
  }
  if (sizes !== "shuffled") return [];
  const controls = controlsWithP(table);
  return [
    finding("warning", "shuffled-effects", controls, {
      what: `${effect} of ${controls.length} controls does not follow ${p}: the effects, or the p-values, belong to other rows`,
      fix: `join ${effect} and ${p} to the variants again by chromosome, position and both alleles`,
    }),
  ];
}

/** Fault of effects that contradict scores. */
interface Fault {
  readonly code: "effect-signs" | "shuffled-effects";
  readonly qtls: readonly ScoredQtl[];
  readonly what: string;
  readonly fix: string;
}

function faultFinding(
  { code, qtls, what, fix }: Fault,
  { rows }: VariantTable,
  effect: string,
  { column, values }: TableScores,
  known: boolean,
): Finding {
  const byIndex = new Map(rows.map((row) => [row.index, row]));
  return finding(
    known ? "error" : "warning",
    code,
    qtls.map(({ index }) => valueAt(byIndex, index)),
    { what: known ? what : `${what}, or ${column} has no direction`, fix },
    (row) => `; ${effect} ${row.effect}, score ${values[row.index]}`,
  );
}

/** The fault of more opposite signs among the QTLs in the top fifth than in a clean table. */
function wrongSigns(qtls: readonly ScoredQtl[], effect: string, column: string): Fault | undefined {
  const opposite = qtls.filter(isOpposite);
  if (opposite.length < MIN_OPPOSITE) return undefined;
  const sizes = opposite.map(({ effect }) => Math.abs(effect));
  const scores = opposite.map(({ score }) => Math.abs(score));
  if (!(topDownCorrelation(sizes, scores) * Math.sqrt(opposite.length - 1) > SIZES_AGREE)) return undefined;
  const product = ({ effect, score }: ScoredQtl) => Math.abs(effect * score);
  const top = qtls.toSorted((a, b) => product(b) - product(a)).slice(0, Math.ceil(qtls.length / 5));
  const wrong = top.filter(isOpposite);
  if (wrong.length <= OPPOSITE_AT_TOP * top.length) return undefined;
  const percent = Math.round((100 * wrong.length) / top.length);
  return {
    code: "effect-signs",
    qtls: wrong,
    what: `${effect} and ${column} have opposite signs in ${wrong.length} of the ${top.length} QTLs where both are largest, and large effects have large scores there too: about ${percent} % of the signs are random errors`,
    fix: `take ${effect} from its source again: which allele it compares must be the same in every row; single rows cannot be corrected from scores`,
  };
}

const isOpposite = ({ effect, score }: ScoredQtl) => effect * score < 0;

/** The fault of effects that correlate with scores less than the AUROC of the scores implies. */
function unrelatedEffects(
  qtls: readonly ScoredQtl[],
  { r, z, error }: ReturnType<typeof effectScoreCorrelation>,
  table: VariantTable,
  effect: string,
  { column, values }: TableScores,
  sizes: "follow" | "shuffled" | "unknown",
): Fault | undefined {
  const separation = separationBy(table, values);
  if (!(Math.tanh(z + CLEARLY * error) < separation.low - 0.5)) return undefined;
  const [code, why] =
    sizes === "follow"
      ? (["effect-signs", "the sizes of effects follow their p-values, so their signs are random"] as const)
      : (["shuffled-effects", "effects belong to other rows"] as const);
  return {
    code,
    qtls,
    what: `${column} distinguishes QTLs from controls (AUROC ${separation.value.toFixed(2)}), but does not correlate with ${effect} (r ${r.toFixed(2)} in ${qtls.length} QTLs): ${why}`,
    fix: `join ${effect} to the variants again by chromosome, position and both alleles`,
  };
}

/** AUROC of |score| for QTLs against controls, with a lower bound at confidence 1 − 1e-4. */
function separationBy({ rows }: VariantTable, values: Float64Array) {
  const scored = rows.filter(
    (row) => row.significant !== undefined && isEvaluated(row) && Number.isFinite(values[row.index]),
  );
  return aurocEstimate(
    scored.map(({ index }) => Math.abs(values[index])),
    scored.map(({ significant }) => (significant ? 1 : 0)),
    1 - 2 * FALSE_ALARM,
  );
}

const controlsWithP = ({ rows }: VariantTable) =>
  rows
    .filter((row) => row.significant === false && isEvaluated(row))
    .filter(hasEffect)
    .filter(hasP);

/**
 * "follow" if controls with larger effects have smaller p-values; "unknown" if there are too few, or all are
 * equal.
 */
function sizesFollowP(table: VariantTable): "follow" | "shuffled" | "unknown" {
  const controls = controlsWithP(table);
  const { r, n } = spearman(
    controls.map(({ effect }) => Math.abs(effect)),
    controls.map(({ p }) => -p),
  );
  const half = CLEARLY * Math.sqrt((1 + r ** 2 / 2) / (n - 3));
  if (Math.tanh(Math.atanh(r) + half) < MIN_P_CORRELATION) return "shuffled";
  return Math.atanh(r) - half > 0 ? "follow" : "unknown";
}
