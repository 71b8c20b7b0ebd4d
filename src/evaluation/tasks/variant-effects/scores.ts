import { InternalError } from "../../../base/errors.ts";
import type { EffectFavours, VariantForm } from "../../../datasets/variants/forms.ts";
import type { Protocol } from "../../../models/model.ts";
import { comparedScores } from "../compared-scores.ts";
import type { TieTolerance } from "../measurement.ts";
import type { Prediction, RowFacts } from "../prediction.ts";
import type { MeasureContext } from "../task.ts";

/** What a row of the task is known by, beside its answer. */
export interface VariantFacts {
  readonly chrom: string;
  /** 0-based, of the first base. */
  readonly start: number;
  readonly end: number;
  readonly allele1: string;
  readonly allele2: string;
  /** Which allele the genome reads; 0 neither. */
  readonly reference: 0 | 1 | 2;
  readonly original: "ok" | "neither" | "refused";
  readonly form: VariantForm;
  readonly favours: EffectFavours;
  /** Undefined where the table does not tell. */
  readonly significant: boolean | undefined;
  readonly used: boolean | undefined;
  readonly inPeaks: boolean | undefined;
  readonly effect: number | undefined;
  /** Effect of allele 2 against allele 1, where DART-Eval's data.h5 was joined. */
  readonly allele2Effect: number | undefined;
  readonly p: number | undefined;
  readonly unknown: number;
}

/** Facts as a store keeps them: what is not known is not there. */
export function factsOf(facts: VariantFacts): RowFacts {
  const { significant, used, inPeaks, effect, allele2Effect, p, ...rest } = facts;
  const flags = { significant, used, inPeaks };
  const numbers = { effect, allele2Effect, p };
  return {
    ...rest,
    ...Object.fromEntries(
      Object.entries(flags).flatMap(([name, flag]) => (flag === undefined ? [] : [[name, flag ? 1 : 0]])),
    ),
    ...Object.fromEntries(
      Object.entries(numbers).filter(([, value]) => value !== undefined && Number.isFinite(value)),
    ),
  };
}

/** A variant with its answer. */
export interface ScoredVariant {
  readonly row: number;
  readonly facts: VariantFacts;
  /** Allele 2 less allele 1; a distance of the two, which is never negative, where there is no direction. */
  readonly difference: number;
  /** The same distance by the other arithmetic, where it was kept. */
  readonly otherArithmetic: number | undefined;
  /** Compared by log-likelihoods of whole windows. */
  readonly wholeWindows: boolean;
  /** Absent where the alleles are compared exactly. */
  readonly ties?: TieTolerance;
}

/**
 * A variant of a prediction. Corrected, a difference within the rounding of the two scores is 0.
 *
 * @throws {InternalError} for an answer that is no comparison of two alleles
 */
export function scoredVariant(
  prediction: Prediction,
  context: Pick<MeasureContext, "protocol" | "scoreRounding">,
): ScoredVariant {
  const { row, facts } = prediction;
  const flag = (name: string) => (name in facts ? facts[name] === 1 : undefined);
  const read = {
    ...(facts as unknown as VariantFacts),
    significant: flag("significant"),
    used: flag("used"),
    inPeaks: flag("inPeaks"),
  };
  const wholeWindows = facts.compared === "windows";
  switch (prediction.kind) {
    case "distance": {
      const { float32, float64 } = prediction.otherwise ?? {};
      const other = (float32 ?? float64)?.[0];
      return { row, facts: read, difference: prediction.values[0]!, otherArithmetic: other, wholeWindows };
    }
    case "likelihood":
    case "activity": {
      const [first, second] = prediction.values.map((value) => Float64Array.of(value));
      const scores = comparedScores(first!, second!, context);
      const difference = scores.second[0]! - scores.first[0]!;
      return {
        ...{ row, facts: read, difference, otherArithmetic: undefined, wholeWindows },
        ...(scores.ties === undefined ? {} : { ties: scores.ties }),
      };
    }
    default:
      throw new InternalError(`row ${row} has ${prediction.kind}, which compares no alleles`);
  }
}

/** How answers were got: what a difference is of, and whether it has a direction. */
export type ScoreKind = "likelihood" | "activity" | "distance";

/** Rules by which answers become numbers that can be compared with effects. */
export interface Orientation {
  /** Of a variant's difference, so that it points where its effect points. */
  difference(variant: ScoredVariant): number;
  effect(variant: ScoredVariant): number;
  /** In words: "allele 2 − allele 1 with beta as tabled". */
  readonly says: string;
}

const AS_TABLED = ({ facts }: ScoredVariant) => facts.effect ?? Number.NaN;
/** Beta as the effect of allele 2, by the genome. */
export const turnedAtReference = ({ facts }: ScoredVariant) =>
  (facts.reference === 2 ? -1 : 1) * (facts.effect ?? Number.NaN);
const EFFECT_OF_ALLELE_2 = (variant: ScoredVariant) =>
  variant.facts.allele2Effect ?? turnedAtReference(variant);
const TWO_LESS_ONE = ({ difference }: ScoredVariant) => difference;
const ONE_LESS_TWO = ({ difference }: ScoredVariant) => -difference;

/**
 * Which way a difference and an effect are told, which decides the sign of every correlation.
 *
 * - African caQTLs: allele 2 − allele 1 against `beta`; corrected, `beta` is turned where allele 2 is the genome's (quirk Q41),
 *   or replaced by `effect_size` of DART-Eval's data.h5 where that is joined.
 * - Yoruban dsQTLs: allele 1 − allele 2 against `obs.estimate`; paper, allele 2 − allele 1 for likelihoods (quirk Q22).
 * - Other tables: allele 2 − allele 1 against the effect as tabled.
 */
export function orientationOf(favours: EffectFavours, kind: ScoreKind, protocol: Protocol): Orientation {
  if (kind === "distance") {
    const turned = favours === "alternative" && protocol === "corrected";
    return {
      difference: TWO_LESS_ONE,
      effect: turned ? EFFECT_OF_ALLELE_2 : AS_TABLED,
      says: `distance of the alleles, which has no direction, with ${turned ? "the alternative's effect" : "the effect as tabled"}`,
    };
  }
  if (favours === "allele1") {
    const straight = protocol === "paper" && kind === "likelihood";
    return straight
      ? { difference: TWO_LESS_ONE, effect: AS_TABLED, says: "allele 2 − allele 1 with allele 1's effect" }
      : { difference: ONE_LESS_TWO, effect: AS_TABLED, says: "allele 1 − allele 2 with allele 1's effect" };
  }
  if (favours === "alternative" && protocol === "corrected") {
    return {
      difference: TWO_LESS_ONE,
      effect: EFFECT_OF_ALLELE_2,
      says: "allele 2 − allele 1 with the effect turned where allele 2 is the genome's",
    };
  }
  return {
    difference: TWO_LESS_ONE,
    effect: AS_TABLED,
    says: "allele 2 − allele 1 with the effect as tabled",
  };
}

/**
 * Both told of the alternative allele against the genome's, as the ChromBPNet and AlphaGenome papers do; where neither allele
 * is the genome's, allele 2 is the alternative.
 */
export function alternativeAgainstReference(favours: EffectFavours): Orientation {
  const toAlternative = ({ facts }: ScoredVariant) => (facts.reference === 2 ? -1 : 1);
  const toAllele2 = favours === "allele1" ? -1 : 1;
  return {
    difference: (variant) => toAlternative(variant) * variant.difference,
    effect: (variant) =>
      favours === "alternative"
        ? AS_TABLED(variant)
        : toAllele2 * toAlternative(variant) * AS_TABLED(variant),
    says: "alternative − reference with the alternative's effect",
  };
}
