import { averagePrecisionEstimate, averagePrecisionOver } from "../../../metrics/auprc.ts";
import { aurocEstimate, aurocOver } from "../../../metrics/auroc.ts";
import { blockInference } from "../../../metrics/block-estimate.ts";
import { genomicBlocks } from "../../../metrics/blocks.ts";
import {
  pearsonEstimate,
  pearsonOver,
  spearmanEstimate,
  spearmanOver,
} from "../../../metrics/correlation.ts";
import type { Estimate } from "../../../metrics/intervals.ts";
import { type MannWhitneyResult, mannWhitney } from "../../../metrics/mann-whitney.ts";
import type { Protocol } from "../../../models/model.ts";
import { blockInterval, intervalNotes } from "../intervals.ts";
import { finiteOrNull, type Measurement, type Metric, metricNamed, metricOf } from "../measurement.ts";
import type { Predictions } from "../prediction.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import {
  type EvaluatedVariants,
  evaluatedVariants,
  knownCountsNote,
  variantAverages,
  variantCounts,
  variantNotes,
  variantQuirks,
} from "./evaluated-variants.ts";
import {
  alternativeAgainstReference,
  type Orientation,
  orientationOf,
  type ScoredVariant,
  type ScoreKind,
  type StoredVariantFacts,
  scoredVariants,
} from "./scores.ts";

/** Metrics of differences between alleles. */
export type VariantMetric =
  | "auroc"
  | "auroc-p"
  | "auprc"
  | "mann-whitney-p"
  | "mann-whitney-u"
  | "pearson"
  | "spearman"
  | "spearman-sizes"
  | "causality-auprc"
  | "direction-pearson";

/**
 * Metrics of differences between alleles, by two evaluations of the same scores.
 *
 * DART-Eval's: classification of QTLs against controls by the size of the difference (AUROC, average
 * precision, a one-sided Mann–Whitney test), and over QTLs the correlation of signed differences with
 * measured effects (Pearson, Spearman).
 *
 * The ChromBPNet and AlphaGenome papers': causality, the average precision of the size; direction, Pearson's
 * correlation over QTLs, of the alternative allele against the reference. Controls with p ≤ 0.001 are
 * excluded if the table has p.
 *
 * Metrics that the table does not allow (no labels, no effects) are null with a reason.
 */
export function measureVariants(
  predictions: Predictions<StoredVariantFacts>,
  context: MeasureContext,
): Measurement<VariantMetric> {
  const { variants, kind, ties } = scoredVariants(predictions, context);
  const { favours } = variants[0].facts;
  const orientation = orientationOf(favours, kind, context.protocol);
  const evaluated = evaluatedVariants(variants, context.protocol);
  const dartEval = [
    ...classificationMetrics(evaluated, context.protocol),
    ...correlationMetrics(evaluated.withEffect, orientation),
  ];
  const value = (name: VariantMetric) => metricNamed(dartEval, name).value;
  const precision = metricNamed(dartEval, "auprc");
  const counts = variantCounts(variants, evaluated, context);
  const known = knownCountsNote(variants[0].facts.form, counts);
  const sizes = sizeMetrics(evaluated.withEffect, orientation);
  const metrics = [...dartEval, ...sizes, ...causalityAndDirection(evaluated, favours, kind, precision)];
  return {
    metrics,
    published: {
      auroc: value("auroc"),
      auprc: value("auprc"),
      pearson: value("pearson"),
      spearman: value("spearman"),
      mannwhitney_p_less: finiteOrNull(mannWhitneyOf(evaluated.significant, evaluated.controls).p),
    },
    counts,
    averages: variantAverages(variants, favours, kind),
    ...(ties === undefined ? {} : { ties }),
    quirks: variantQuirks(variants, kind, context.protocol),
    notes: [
      ...variantNotes(variants, evaluated, orientation, ties, context),
      ...(known === undefined ? [] : [known]),
      ...intervalNotes(metrics, genomicBlocks(variants.map(({ facts }) => facts))),
    ],
  };
}

/** AUROC of the size of the difference, over blocks of the genome. */
export function variantStatistic(
  predictions: Predictions<StoredVariantFacts>,
  context: MeasureContext,
): MainStatistic<VariantMetric> {
  const { variants } = scoredVariants(predictions, context);
  const { significant, controls } = evaluatedVariants(variants, context.protocol);
  const { scores, labels, blocks } = classesOf(significant, controls);
  return { metric: "auroc", blocks, statistic: aurocOver(scores, labels, blocks), range: [0, 1] };
}

/** Sizes of differences as scores, QTLs against controls as labels. */
function classesOf(significant: readonly ScoredVariant[], controls: readonly ScoredVariant[]) {
  const both = [...significant, ...controls];
  return {
    scores: Float64Array.from(both, ({ difference }) => Math.abs(difference)),
    labels: Uint8Array.from(both, (_, i) => (i < significant.length ? 1 : 0)),
    blocks: genomicBlocks(both.map(({ facts }) => facts)),
  };
}

function classificationMetrics(
  { significant, controls }: EvaluatedVariants,
  protocol: Protocol,
): readonly Metric<VariantMetric>[] {
  const why = noClasses(significant, controls);
  const forms = [
    {
      name: "auroc",
      title: "AUROC of |difference|, QTLs against controls",
      column: "AUROC",
      better: "higher",
      main: true,
    },
    { name: "auprc", title: "average precision of |difference|", better: "higher", main: false },
    ...(protocol === "paper"
      ? ([
          {
            name: "mann-whitney-p",
            title:
              "original Mann–Whitney p (|difference| smaller for controls, variants assumed independent)",
            better: "lower",
            main: false,
          },
          {
            name: "mann-whitney-u",
            title: "original Mann–Whitney U of controls",
            better: "neither",
            main: false,
          },
        ] as const)
      : ([
          {
            name: "auroc-p",
            title: "p against AUROC 0.5 (two-sided, genomic blocks)",
            better: "lower",
            main: false,
          },
        ] as const)),
  ] as const;
  if (why !== undefined) return forms.map((form) => metricOf(form, Number.NaN, why));
  const { scores, labels, blocks } = classesOf(significant, controls);
  const { estimate: area, pAgainst } = blockInference(blocks, aurocOver(scores, labels, blocks), {
    range: [0, 1],
  });
  const precision = blockInterval(blocks, averagePrecisionOver(scores, labels, blocks), [0, 1]);
  const original = mannWhitneyOf(significant, controls);
  const tests = protocol === "paper" ? [original.p, original.u] : [pAgainst(0.5)];
  return [
    metricOf(forms[0], area.value, "", [area, aurocEstimate(scores, labels)]),
    metricOf(forms[1], precision.value, "", [precision, averagePrecisionEstimate(scores, labels)]),
    ...tests.map((value, i) => metricOf(forms[i + 2], value, NO_VARIATION)),
  ];
}

const NO_VARIATION = "the statistic does not vary between genomic blocks";

/** The original's test, which takes every variant as independent. */
function mannWhitneyOf(
  significant: readonly ScoredVariant[],
  controls: readonly ScoredVariant[],
): MannWhitneyResult {
  const sizes = (variants: readonly ScoredVariant[]) =>
    Float64Array.from(variants, ({ difference }) => Math.abs(difference));
  return mannWhitney(sizes(controls), sizes(significant), { alternative: "less" });
}

function noClasses(significant: readonly unknown[], controls: readonly unknown[]): string | undefined {
  if (significant.length === 0 && controls.length === 0) {
    return "no evaluated variant is labelled as a QTL or a control";
  }
  if (significant.length === 0) return "no evaluated variant is a QTL";
  return controls.length === 0 ? "no evaluated variant is a control" : undefined;
}

const NO_EFFECTS = "fewer than two QTLs have an effect, or all differences or all effects are equal";

/** Pearson and Spearman correlations over rows in blocks, with intervals. */
function correlations(
  rows: readonly ScoredVariant[],
  x: (variant: ScoredVariant) => number,
  y: (variant: ScoredVariant) => number,
): Readonly<Record<"pearson" | "spearman", readonly Estimate[]>> {
  const blocks = genomicBlocks(rows.map(({ facts }) => facts));
  const [a, b] = [Float64Array.from(rows, x), Float64Array.from(rows, y)];
  if (rows.length === 0) return { pearson: [], spearman: [] };
  return {
    pearson: [blockInterval(blocks, pearsonOver(a, b, blocks), [-1, 1]), pearsonEstimate(a, b)],
    spearman: [blockInterval(blocks, spearmanOver(a, b, blocks), [-1, 1]), spearmanEstimate(a, b)],
  };
}

function correlationMetric(
  form: Pick<Metric<VariantMetric>, "name" | "title" | "quantity" | "column">,
  intervals: readonly Estimate[],
  why = NO_EFFECTS,
): Metric<VariantMetric> {
  const value = intervals[0]?.value ?? Number.NaN;
  return metricOf({ ...form, better: "higher", main: false }, value, why, intervals);
}

function correlationMetrics(
  withEffect: readonly ScoredVariant[],
  { difference, effect, label }: Orientation,
): readonly Metric<VariantMetric>[] {
  const { pearson, spearman } = correlations(withEffect, difference, effect);
  return [
    correlationMetric(
      {
        name: "pearson",
        quantity: `pearson, ${label}`,
        title: `Pearson r over QTLs, ${label}`,
        column: "Pearson r",
      },
      pearson,
    ),
    correlationMetric(
      { name: "spearman", quantity: `spearman, ${label}`, title: `Spearman ρ over QTLs, ${label}` },
      spearman,
    ),
  ];
}

/** Correlation of sizes, which does not depend on sign conventions. */
function sizeMetrics(
  withEffect: readonly ScoredVariant[],
  { effect }: Orientation,
): readonly Metric<VariantMetric>[] {
  const { spearman } = correlations(
    withEffect,
    ({ difference }) => Math.abs(difference),
    (variant) => Math.abs(effect(variant)),
  );
  const title = "Spearman ρ over QTLs, |difference| against |effect|";
  return [correlationMetric({ name: "spearman-sizes", title }, spearman)];
}

/** −log10 p of controls is below 3 in the sets of the ChromBPNet paper. */
const CONTROL_P = 1e-3;

function causalityAndDirection(
  { significant, controls, withEffect }: EvaluatedVariants,
  favours: ScoredVariant["facts"]["favours"],
  kind: ScoreKind,
  dartEval: Pick<Metric, "value" | "intervals">,
): readonly Metric<VariantMetric>[] {
  const clear = controls.filter(({ facts }) => facts.p === undefined || facts.p > CONTROL_P);
  const causality = {
    name: "causality-auprc",
    title: "ChromBPNet/AlphaGenome causality: average precision of |difference|",
    better: "higher",
    main: false,
  } as const;
  const why = noClasses(significant, clear);
  // Intervals of so many rows take seconds, and without p these are the rows of DART-Eval's metric.
  const precision = clear.length === controls.length ? dartEval : precisionOf(significant, clear);
  const { difference, effect, label } = alternativeAgainstReference(favours);
  const { pearson } = kind === "distance" ? { pearson: [] } : correlations(withEffect, difference, effect);
  return [
    metricOf(causality, precision.value ?? Number.NaN, why ?? "", precision.intervals.slice(0, 1)),
    correlationMetric(
      {
        name: "direction-pearson",
        title: `ChromBPNet/AlphaGenome direction: Pearson r over QTLs, ${label}`,
      },
      pearson,
      kind === "distance" ? "a distance between alleles has no direction" : NO_EFFECTS,
    ),
  ];
}

function precisionOf(
  significant: readonly ScoredVariant[],
  controls: readonly ScoredVariant[],
): Pick<Metric, "value" | "intervals"> {
  if (noClasses(significant, controls) !== undefined) return { value: null, intervals: [] };
  const { scores, labels, blocks } = classesOf(significant, controls);
  const area = blockInterval(blocks, averagePrecisionOver(scores, labels, blocks), [0, 1]);
  return { value: area.value, intervals: [area] };
}
