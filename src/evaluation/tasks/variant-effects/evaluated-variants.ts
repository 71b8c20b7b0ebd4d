import { counted } from "../../../base/message-text.ts";
import type { VariantForm } from "../../../datasets/variants/forms.ts";
import { isEvaluated } from "../../../datasets/variants/table.ts";
import { genomicBlocks } from "../../../metrics/blocks.ts";
import { mean } from "../../../metrics/mean.ts";
import type { Protocol } from "../../../models/model.ts";
import { finiteOrNull, type Measurement, type TieTolerance } from "../measurement.ts";
import type { MeasureContext } from "../task.ts";
import {
  alternativeAgainstReference,
  type Orientation,
  type ScoredVariant,
  type ScoreKind,
  turnedAtReference,
} from "./scores.ts";

/** The variants that are evaluated, and what became of the others. */
export interface EvaluatedVariants {
  readonly significant: readonly ScoredVariant[];
  readonly controls: readonly ScoredVariant[];
  /** Significant ones whose effect is known. */
  readonly withEffect: readonly ScoredVariant[];
  /** Rows that the original stops at, left out under `paper`. */
  readonly refused: number;
  /** Rows that stand in the table again, with the same place and alleles. */
  readonly duplicates: number;
}

/**
 * The rows that the benchmark evaluates: those that the table marks as used and, of the African caQTLs, as in peaks, where the
 * table has these columns; those with a label among them are QTLs or controls.
 *
 * Under `paper` rows that the original stops at are left out (quirks Q19 and Q20), and a variant that stands in the table k
 * times counts k² times, as a join of scores with table by place and alleles has it (quirk Q39).
 */
export function evaluatedVariants(variants: readonly ScoredVariant[], protocol: Protocol): EvaluatedVariants {
  const accepted = variants.filter(({ facts }) => facts.original !== "refused");
  const scored = protocol === "paper" ? accepted : variants;
  const distinct = distinctKeys(scored);
  const joined = protocol === "paper" && distinct < scored.length ? joinedByKey(scored) : scored;
  const asked = joined.filter(({ facts }) => isEvaluated(facts));
  const significant = asked.filter(({ facts }) => facts.significant === true);
  return {
    significant,
    controls: asked.filter(({ facts }) => facts.significant === false),
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
  return scored.flatMap((row) => byKey.get(row.key)!.map(({ difference }) => ({ ...row, difference })));
}

/** Counts of rows, and of what became of them. */
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
    rowsWithUnknownLetters: count(({ facts }) => facts.unknown > 0),
    rowsComparedByWholeWindows: count(({ wholeWindows }) => wholeWindows),
    duplicateRows: duplicates,
    genomicBlocks: genomicBlocks([...significant, ...controls].map(({ facts }) => facts)).sizes.length,
  };
}

/** Averages that need no labels: how large differences are, and which way they go. */
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

/** What a reader of the numbers must know. */
export function variantNotes(
  variants: readonly ScoredVariant[],
  { significant, withEffect, refused, duplicates }: EvaluatedVariants,
  { says }: Orientation,
  ties: TieTolerance | undefined,
  { protocol }: MeasureContext,
): readonly string[] {
  const { facts } = variants[0];
  const notes = withEffect.length > 0 ? [`The sign of a correlation is that of ${says}.`] : [];
  const joined = variants.filter((variant) => variant.facts.allele2Effect !== undefined);
  if (joined.length > 0) {
    const other = joined.filter(
      (variant) => Math.sign(variant.facts.allele2Effect!) !== Math.sign(turnedAtReference(variant)),
    );
    notes.push(
      `Corrected correlations take effect_size of DART-Eval's data.h5; its sign is another than that of beta turned by the genome in ${counted(other.length, "row")} of ${joined.length}.`,
    );
  }
  if (facts.form === "caqtl" && variants.every((variant) => variant.facts.inPeaks === undefined)) {
    notes.push("The table does not say which variants are in peaks, so all that are used are evaluated.");
  }
  if (refused > 0) {
    const what = `${counted(refused, "variant")} ${refused === 1 ? "has" : "have"} an allele of several bases or ${refused === 1 ? "lies" : "lie"} too near the start of a chromosome, where the original stops`;
    notes.push(
      protocol === "paper"
        ? `${what}: they are scored and left out of every number.`
        : `${what}; here they count.`,
    );
  }
  if (duplicates > 0) {
    const repeating = `${counted(duplicates, "row")} ${duplicates === 1 ? "repeats" : "repeat"}`;
    notes.push(
      protocol === "paper"
        ? `${repeating} the place and alleles of another, and the original's join multiplies them (quirk Q39).`
        : `${repeating} the place and alleles of another; each row counts once.`,
    );
  }
  if (ties !== undefined && ties.byRounding > 0) {
    notes.push(
      `${counted(ties.byRounding, "difference")} of alleles ${ties.byRounding === 1 ? "is" : "are"} within the rounding of the scores (at most ${ties.tolerance.toPrecision(2)}) and ${ties.byRounding === 1 ? "counts" : "count"} as 0.`,
    );
  }
  const without = significant.length - withEffect.length;
  if (without > 0)
    notes.push(
      `${counted(without, "QTL")} without an effect ${without === 1 ? "is" : "are"} not in the correlations.`,
    );
  const whole = variants.filter(({ wholeWindows }) => wholeWindows).length;
  if (whole > 0) {
    notes.push(
      `${counted(whole, "variant")} ${whole === 1 ? "was" : "were"} compared by log-likelihoods of whole windows, what differs not hidden: a sum over all positions, of which those behind the variant change too.`,
    );
  }
  return notes;
}

/** Counts of a published table, by the names they have in a measurement. */
interface KnownCounts {
  readonly form: VariantForm;
  /** Rows of the table; a table of the form with fewer is another one. */
  readonly atLeast: number;
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * What is published of the benchmark's own tables. African: rows by a report on the original's repository, those whose allele 2
 * is the reference among them (quirk Q41), variants as its notebooks print them. Yoruban: variants as the notebooks print them.
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
 * Whether a table has the counts that are published of it, one sentence; undefined for a smaller table, or a part of one.
 *
 * @param counts  of a measurement
 */
export function knownCountsNote(
  form: VariantForm,
  counts: Readonly<Record<string, number>>,
): string | undefined {
  const known = KNOWN.find((one) => one.form === form && counts.rowsInTable! >= one.atLeast);
  if (known === undefined || counts.rows !== counts.rowsInTable) return undefined;
  const number = (value: number) => value.toLocaleString("en-US");
  const differ = Object.entries(known.counts).filter(([name, value]) => counts[name] !== value);
  const told = Object.entries(known.counts).map(([name, value]) => `${name} ${number(value)}`);
  if (differ.length === 0) return `The table has the counts that are published of it: ${told.join(", ")}.`;
  const other = differ.map(
    ([name, value]) => `${name} ${number(counts[name] ?? 0)} instead of ${number(value)}`,
  );
  return `The table is not the published one, or not all of it: ${other.join(", ")}.`;
}
