import { isEvaluated, type VariantRow, type VariantTable } from "../table.ts";
import { type Finding, finding } from "./finding.ts";
import type { References } from "./references.ts";

/** QTLs without an effect, which say nothing about directions. */
export function missingEffectFindings({ rows, columns }: VariantTable): readonly Finding[] {
  if (columns.effect === undefined) return [];
  const qtls = rows.filter((row) => row.significant && isEvaluated(row));
  const without = qtls.filter(({ effect }) => !Number.isFinite(effect));
  if (without.length === 0) return [];
  return [
    finding("missing-effects", without, {
      what: `${without.length} of ${qtls.length} QTLs have no ${columns.effect}`,
      fix: "nothing: they count where QTLs are told from controls, and not in correlations",
    }),
  ];
}

/** Fewer QTLs of one order of alleles, or a weaker correlation, tell nothing. */
const ENOUGH = 20;
const CLEAR = 0.2;
/** Standard errors, of Fisher's z. */
const CLEARLY = 4;

/** Scores of another model that stand in the table. */
export interface TableScores {
  readonly column: string;
  /** [row]; NaN where there is none. */
  readonly values: Float64Array;
}

/**
 * Whether effects run the same way in all rows, by a good model's scores that the table brings: QTLs whose first allele is the
 * genome's and those whose second is must agree with the scores alike, and both must agree.
 */
export function orientationFindings(
  { rows, columns }: VariantTable,
  { of }: References,
  scores: TableScores | undefined,
): readonly Finding[] {
  if (columns.effect === undefined || scores === undefined) return [];
  const { column, values } = scores;
  const known = rows.filter(
    ({ index, significant, effect }) =>
      significant && Number.isFinite(effect) && Number.isFinite(values[index]),
  );
  const groups = ([1, 2] as const)
    .map((reference) => ({ reference, rows: known.filter(({ index }) => of.get(index) === reference) }))
    .filter((group) => group.rows.length >= ENOUGH)
    .map((group) => ({ ...group, r: correlationWith(group.rows, values) }));
  const against = groups.filter(
    (group) => group.r < -CLEAR && Math.atanh(group.r) * Math.sqrt(group.rows.length - 3) < -CLEARLY,
  );
  if (against.length === 0) return [];
  const whole = against.length === groups.length;
  const which = against[0]!.reference === 1 ? "first" : "second";
  return [
    finding(
      "effect-orientation",
      against.flatMap((group) => group.rows),
      {
        what: whole
          ? `${columns.effect} runs against ${column} in all of the table (r ${against[0]!.r.toFixed(2)})`
          : `${columns.effect} runs against ${column} in the rows whose ${which} allele is the genome's, and with it in the others: it is told of the alternative allele in one part and of allele 1 or 2 in the other`,
        fix: whole
          ? `turn the sign of ${columns.effect} or of ${column}: they are told of different alleles`
          : `turn the sign of ${columns.effect} in these rows, or exchange their alleles`,
      },
      ({ index, effect }) => `; ${columns.effect} ${effect}, score ${values[index]}`,
    ),
  ];
}

function correlationWith(rows: readonly VariantRow[], values: Float64Array): number {
  const mean = (of: (row: VariantRow) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const x = (row: VariantRow) => row.effect!;
  const y = (row: VariantRow) => values[row.index]!;
  const [mx, my] = [mean(x), mean(y)];
  const xy = mean((row) => (x(row) - mx) * (y(row) - my));
  return xy / Math.sqrt(mean((row) => (x(row) - mx) ** 2) * mean((row) => (y(row) - my) ** 2));
}
