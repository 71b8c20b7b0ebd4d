import { median } from "../../../metrics/quantiles.ts";
import { isEvaluated, type VariantRow, type VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";

/** Largest plausible size of a typical effect: a log fold change of 20 is a factor of a million or more. */
const LARGEST_TYPICAL = 20;
/** Effects of more than this many times the QTLs' median, in at least so many rows, are in another unit. */
const TIMES_MEDIAN = 100;
const ENOUGH = 5;

/** QTLs without an effect: correlations leave them out. */
export function missingEffectFindings({ rows, columns }: VariantTable): readonly Finding[] {
  if (columns.effect === undefined) return [];
  const qtls = rows.filter((row) => row.significant && isEvaluated(row));
  const without = qtls.filter(({ effect }) => !Number.isFinite(effect));
  if (without.length === 0) return [];
  return [
    finding("note", "missing-effects", without, {
      what: `${without.length} of ${qtls.length} QTLs have no ${columns.effect}`,
      fix: "nothing: AUROC and AUPRC include them, correlations do not",
    }),
  ];
}

/** Effects that are too large for a log fold change, in all of the table or in a part of it. */
export function effectScaleFindings({ rows, columns: { effect } }: VariantTable): readonly Finding[] {
  if (effect === undefined) return [];
  const known = rows.filter((row) => Number.isFinite(row.effect));
  const qtls = known.filter((row) => row.significant && isEvaluated(row));
  const size = (row: VariantRow) => Math.abs(row.effect!);
  const typical = median((qtls.length >= ENOUGH ? qtls : known).map(size));
  const larger = known.filter((row) => size(row) > TIMES_MEDIAN * typical);
  const remark = (row: VariantRow) => `; ${effect} ${row.effect}`;
  if (typical > 0 && larger.length >= ENOUGH) {
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
  if (!(typical > LARGEST_TYPICAL)) return [];
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
