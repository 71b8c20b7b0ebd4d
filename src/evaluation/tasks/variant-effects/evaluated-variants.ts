import { counted } from "../../../base/message-text.ts";
import { valueAt } from "../../../base/record.ts";
import type { VariantForm } from "../../../datasets/variants/forms.ts";
import { isEvaluated } from "../../../datasets/variants/table.ts";
import { auroc } from "../../../metrics/auroc.ts";
import { genomicBlocks } from "../../../metrics/blocks.ts";
import { pearson } from "../../../metrics/correlation.ts";
import { mean } from "../../../metrics/mean.ts";
import type { Protocol } from "../../../models/model.ts";
import { finiteOrNull, type Measurement, type QuirkEffect, type TieTolerance } from "../measurement.ts";
import type { MeasureContext } from "../task.ts";
import {
  alternativeAgainstReference,
  effectOfAllele2,
  type Orientation,
  orientationOf,
  type ScoredVariant,
  type ScoreKind,
} from "./scores.ts";

/** Evaluated variants, and counts of the others. */
export interface EvaluatedVariants {
  readonly significant: readonly ScoredVariant[];
  readonly controls: readonly ScoredVariant[];
  /** Significant variants with a known effect. */
  readonly withEffect: readonly ScoredVariant[];
  /** Rows that stop the original with an error, left out under `paper`. */
  readonly refused: number;
  /** Rows that repeat the position and alleles of another. */
  readonly duplicates: number;
}

/**
 * The rows that the benchmark evaluates: those marked as used and, of the African caQTLs, as in peaks, if the
 * table has these columns. Labelled rows are QTLs or controls.
 *
 * Under `paper`, rows that stop the original are left out (quirks Q19 and Q20), and a variant listed k times
 * counts k² times, as in the original's join of scores and table by position and alleles (quirk Q39).
 */
export function evaluatedVariants(variants: readonly ScoredVariant[], protocol: Protocol): EvaluatedVariants {
  const accepted = variants.filter(({ facts }) => facts.original !== "refused");
  const scored = protocol === "paper" ? accepted : variants;
  const distinct = distinctKeys(scored);
  const joined = protocol === "paper" && distinct < scored.length ? joinedByKey(scored) : scored;
  const evaluated = joined.filter(({ facts }) => isEvaluated(facts));
  const significant = evaluated.filter(({ facts }) => facts.significant === true);
  return {
    significant,
    controls: evaluated.filter(({ facts }) => facts.significant === false),
    withEffect: significant.filter(({ facts }) => facts.effect !== undefined),
    refused: variants.length - accepted.length,
    duplicates: scored.length - distinct,
  };
}

function distinctKeys(scored: readonly ScoredVariant[]): number {
  const largest = scored.reduce((largest, { key }) => Math.max(largest, key), -1);
  const seen = new Uint8Array(largest + 1);
  for (const { key } of scored) seen[key] = 1;
  return seen.reduce((sum, one) => sum + one, 0);
}

function joinedByKey(scored: readonly ScoredVariant[]): readonly ScoredVariant[] {
  const byKey = new Map<number, ScoredVariant[]>();
  for (const variant of scored) {
    const same = byKey.get(variant.key);
    if (same === undefined) byKey.set(variant.key, [variant]);
    else same.push(variant);
  }
  return scored.flatMap((row) => valueAt(byKey, row.key).map(({ difference }) => ({ ...row, difference })));
}

/** Counts of rows. */
export function variantCounts(
  variants: readonly ScoredVariant[],
  { significant, controls, withEffect, refused, duplicates }: EvaluatedVariants,
  { rowsInTable }: MeasureContext,
): Measurement["counts"] {
  const count = (is: (variant: ScoredVariant) => boolean) => variants.filter(is).length;
  return {
    rows: variants.length,
    rowsInTable,
    significant: significant.length,
    controls: controls.length,
    significantWithEffect: withEffect.length,
    rowsWithAllele1Reference: count(({ facts }) => facts.reference === 1),
    rowsWithAllele2Reference: count(({ facts }) => facts.reference === 2),
    rowsWithNeitherReference: count(({ facts }) => facts.reference === 0),
    rowsRefusedByOriginal: refused,
    rowsWithUnknownBases: count(({ facts }) => facts.unknown > 0),
    rowsComparedByWholeWindows: count(({ wholeWindows }) => wholeWindows),
    duplicateRows: duplicates,
    genomicBlocks: genomicBlocks([...significant, ...controls].map(({ facts }) => facts)).sizes.length,
  };
}

/** Averages that need no labels: size and direction of differences. */
export function variantAverages(
  variants: readonly ScoredVariant[],
  favours: ScoredVariant["facts"]["favours"],
  kind: ScoreKind,
): Measurement["averages"] {
  const size = mean(variants.map(({ difference }) => Math.abs(difference)));
  if (kind === "distance") return { differenceSize: finiteOrNull(size) };
  const { difference } = alternativeAgainstReference(favours);
  return {
    differenceSize: finiteOrNull(size),
    alternativeLessReference: finiteOrNull(mean(variants.map(difference))),
  };
}

/** Notes on the result. */
export function variantNotes(
  variants: readonly ScoredVariant[],
  { significant, withEffect, refused, duplicates }: EvaluatedVariants,
  { label }: Orientation,
  ties: TieTolerance | undefined,
  { protocol }: MeasureContext,
): readonly string[] {
  const [isPaper, isCaqtl] = [protocol === "paper", variants[0].facts.form === "caqtl"];
  const withoutEffect = significant.length - withEffect.length;
  const whole = variants.filter(({ wholeWindows }) => wholeWindows).length;
  const rounded = ties?.byRounding ?? 0;
  const notes: readonly (string | false | undefined)[] = [
    withEffect.length > 0 && `Correlations are those of ${label}.`,
    joinedEffectsNote(variants),
    isCaqtl &&
      variants.every(({ facts }) => facts.inPeaks === undefined) &&
      "The table has no column for variants in peaks: all used variants are evaluated.",
    refused > 0 &&
      `The original stops at ${counted(refused, "variant")} with an allele of several bases or too near the start of a chromosome (quirks Q19 and Q20): ${isPaper ? "scored, but left out of all metrics" : "included here"}.`,
    duplicates > 0 &&
      `${counted(duplicates, "row")} ${oneOrMore(duplicates, "repeats", "repeat")} the position and alleles of another; ${isPaper ? "the original's join multiplies them (quirk Q39)" : "each row counts once"}.`,
    rounded > 0 &&
      `${counted(rounded, "difference")} of alleles ${oneOrMore(rounded, "is", "are")} within the rounding error of the scores (at most ${ties?.tolerance.toPrecision(2)}) and ${oneOrMore(rounded, "counts", "count")} as 0.`,
    withoutEffect > 0 &&
      `${counted(withoutEffect, "QTL")} without an effect ${oneOrMore(withoutEffect, "is", "are")} not in the correlations.`,
    whole > 0 &&
      `${counted(whole, "variant")} ${oneOrMore(whole, "was", "were")} compared by log-likelihoods of whole windows without masking: sums over all positions, which also change after the variant.`,
  ];
  return notes.filter((note) => typeof note === "string");
}

const oneOrMore = (count: number, one: string, more: string) => (count === 1 ? one : more);

/** Note on effects that the corrected protocol takes from data.h5; undefined without any. */
function joinedEffectsNote(variants: readonly ScoredVariant[]): string | undefined {
  const joined = variants.filter(({ facts }) => facts.allele2Effect !== undefined);
  if (joined.length === 0) return undefined;
  const other = joined.filter(
    (variant) => Math.sign(variant.facts.allele2Effect!) !== Math.sign(effectOfAllele2(variant)),
  );
  return `The corrected protocol uses effect_size of DART-Eval's data.h5 as the effect of allele 2. Its sign differs from that of beta (negated where allele 2 is the reference) in ${other.length} of ${counted(joined.length, "row")}.`;
}

/** Published counts of a table, by their names in a measurement. */
interface KnownCounts {
  readonly form: VariantForm;
  /** Minimum rows of the table; smaller tables of the form are others. */
  readonly atLeast: number;
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Published counts of the benchmark's tables. African: rows, and rows whose allele 2 is the reference (quirk
 * Q41), from a report on the original's repository; variants as printed by its notebooks. Yoruban: variants
 * as printed by the notebooks.
 */
const KNOWN: readonly KnownCounts[] = [
  {
    form: "caqtl",
    atLeast: 200_000,
    counts: { rowsInTable: 219_382, rowsWithAllele2Reference: 39_504, significant: 6_821, controls: 77_999 },
  },
  { form: "dsqtl", atLeast: 20_000, counts: { significant: 560, controls: 26_813 } },
];

/**
 * Sentence that compares a table's counts with the published ones; undefined for a smaller table, or a part
 * of one.
 *
 * @param counts  of a measurement
 */
export function knownCountsNote(
  form: VariantForm,
  counts: Readonly<Record<string, number>>,
): string | undefined {
  const known = KNOWN.find((one) => one.form === form && counts.rowsInTable >= one.atLeast);
  if (known === undefined || counts.rows !== counts.rowsInTable) return undefined;
  const number = (value: number) => value.toLocaleString("en-US");
  const differ = Object.entries(known.counts).filter(([name, value]) => counts[name] !== value);
  const expected = Object.entries(known.counts).map(([name, value]) => `${name} ${number(value)}`);
  if (differ.length === 0) return `The table has the published counts: ${expected.join(", ")}.`;
  const other = differ.map(
    ([name, value]) => `${name} ${number(counts[name] ?? 0)} instead of ${number(value)}`,
  );
  return `The table is not the published one, or not all of it: ${other.join(", ")}.`;
}

/** Effects of the original's quirks, from the same predictions; quirks without an effect are left out. */
export function variantQuirks(
  variants: readonly ScoredVariant[],
  kind: ScoreKind,
  protocol: Protocol,
): readonly QuirkEffect[] {
  const { favours } = variants[0].facts;
  const quirks: QuirkEffect[] = [];
  const directed = kind !== "distance";
  if (directed && favours === "allele1" && kind === "likelihood") {
    quirks.push({
      label: "Q22",
      description:
        "Pearson r. Original: allele 2 − allele 1 for likelihoods of the Yoruban variants, although their effects refer to allele 1. Corrected: allele 1 − allele 2.",
      effect: byProtocol((rule) => signedPearson(variants, kind, rule, protocol)),
    });
  }
  if (favours === "alternative" && variants.some(({ facts }) => facts.reference === 2)) {
    quirks.push({
      label: "Q41",
      description:
        "Pearson r. Original: beta unchanged, also where allele 2 is the reference and beta refers to allele 1. Corrected: beta negated in these rows.",
      effect: byProtocol((rule) => signedPearson(variants, kind, rule, protocol)),
    });
  }
  if (variants.some(({ facts }) => facts.used === false) && variants.some(({ facts }) => facts.used)) {
    quirks.push({
      label: "Q23",
      description:
        "AUROC. Original: labels from the column is_causal of the published file, which marks the used variants instead of the QTLs. Corrected: labels of the QTLs.",
      effect: {
        paper: areaOf(variants, ({ facts }) => facts.used),
        corrected: evaluatedArea(variants, protocol),
      },
    });
  }
  if (variants.some(({ facts }) => facts.original === "refused")) {
    quirks.push({
      label: "Q20",
      description:
        "AUROC. Original: stops at alleles of several bases and at windows that begin before the chromosome (quirk Q19). Corrected: these variants are included.",
      effect: byProtocol((rule) =>
        evaluatedArea(
          rule === "paper" ? variants.filter(({ facts }) => facts.original !== "refused") : variants,
          "corrected",
        ),
      ),
    });
  }
  if (evaluatedVariants(variants, protocol).duplicates > 0) {
    quirks.push({
      label: "Q39",
      description:
        "AUROC. Original: scores and table are joined by position and alleles, and a variant listed k times counts k² times. Corrected: each row counts once.",
      effect: byProtocol((rule) => evaluatedArea(variants, rule)),
    });
  }
  if (variants.every(({ otherArithmetic }) => otherArithmetic !== undefined)) {
    const other = variants.map((variant) => ({ ...variant, difference: variant.otherArithmetic! }));
    const [paper, corrected] = protocol === "paper" ? [variants, other] : [other, variants];
    quirks.push({
      label: "Q16",
      description:
        "AUROC. Original: distances in float32, whose rounding error is about as large as the effect of one base. Corrected: float64.",
      effect: { paper: evaluatedArea(paper, protocol), corrected: evaluatedArea(corrected, protocol) },
    });
  }
  return quirks;
}

const byProtocol = (value: (rule: Protocol) => number | null) => ({
  paper: value("paper"),
  corrected: value("corrected"),
});

/** Pearson's r over QTLs with one protocol's signs, over the rows that the cell's protocol evaluates. */
function signedPearson(
  variants: readonly ScoredVariant[],
  kind: ScoreKind,
  rule: Protocol,
  protocol: Protocol,
): number | null {
  const { withEffect } = evaluatedVariants(variants, protocol);
  const { difference, effect } = orientationOf(withEffect[0]?.facts.favours ?? "allele2", kind, rule);
  return finiteOrNull(pearson(withEffect.map(difference), withEffect.map(effect)).r);
}

function evaluatedArea(variants: readonly ScoredVariant[], protocol: Protocol): number | null {
  const { significant, controls } = evaluatedVariants(variants, protocol);
  const chosen = new Set(significant);
  return areaOf([...significant, ...controls], (variant) => chosen.has(variant));
}

function areaOf(
  variants: readonly ScoredVariant[],
  label: (variant: ScoredVariant) => boolean | undefined,
): number | null {
  const labels = variants.map((variant) => (label(variant) ? 1 : 0));
  return finiteOrNull(
    auroc(
      variants.map(({ difference }) => Math.abs(difference)),
      labels,
    ),
  );
}
