import { counted } from "../../../base/message-text.ts";
import { genomicBlocks } from "../../../metrics/blocks.ts";
import { mean } from "../../../metrics/mean.ts";
import { finiteOrNull } from "../json-numbers.ts";
import type { Measurement, TieTolerance } from "../measurement.ts";
import type { MeasureContext } from "../task.ts";
import {
  alternativeAgainstReference,
  type Orientation,
  type ScoredVariant,
  type ScoreKind,
  turnedAtReference,
} from "./scores.ts";
import type { EvaluatedVariants } from "./selection.ts";

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
  const { facts } = variants[0]!;
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
