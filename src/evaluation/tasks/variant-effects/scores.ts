import { InternalError } from "../../../base/errors.ts";
import type { EffectFavours, VariantForm } from "../../../datasets/variants/forms.ts";
import type { ReferenceAllele } from "../../../dna/sequence/variant.ts";
import type { Protocol } from "../../../models/model.ts";
import { comparedScores } from "../compared-scores.ts";
import { POSITION_FACTS } from "../intervals.ts";
import type { TieTolerance } from "../measurement.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { MeasureContext } from "../task.ts";

/**
 * Status of a variant in the original. "neither": neither allele is the reference base, and both are
 * substituted for it (quirk Q21; lower-case alleles differ from any base there). "refused": the original
 * stops with an error, since an allele has more than one base (quirk Q20) or the window starts before the
 * chromosome (quirk Q19).
 */
export type OriginalStatus = "ok" | "neither" | "refused";

/** Facts of a variant. */
export interface VariantFacts {
  readonly chrom: string;
  /** 0-based, of the first base. */
  readonly start: number;
  readonly end: number;
  readonly allele1: string;
  readonly allele2: string;
  /** Number of the allele that the genome has; 0: neither. */
  readonly reference: ReferenceAllele;
  readonly original: OriginalStatus;
  readonly form: VariantForm;
  readonly favours: EffectFavours;
  /** The next three are undefined if the table does not have their column. */
  readonly significant: boolean | undefined;
  readonly used: boolean | undefined;
  readonly inPeaks: boolean | undefined;
  readonly effect: number | undefined;
  /** Effect of allele 2 against allele 1, if DART-Eval's data.h5 was joined. */
  readonly allele2Effect: number | undefined;
  readonly p: number | undefined;
  readonly unknown: number;
}

type Flag = "significant" | "used" | "inPeaks";
type OptionalNumber = "effect" | "allele2Effect" | "p";

/** Facts of a variant as stored: booleans as 0 and 1, unknown values absent. */
export type StoredVariantFacts = Omit<VariantFacts, Flag | OptionalNumber> & {
  readonly [Name in Flag]?: 0 | 1;
} & {
  readonly [Name in OptionalNumber]?: number;
} & {
  /** Comparison of the alleles that the zero-shot setting chose. */
  readonly compared?: "hidden" | "windows";
};

/** Descriptions of the facts. */
export const VARIANT_FACTS = {
  ...POSITION_FACTS,
  effect: "measured effect of the variant",
  allele1: "allele 1",
  allele2: "allele 2",
  significant: "1 for a QTL, 0 for a control",
  unknown: "bases that are not A, C, G or T",
  reference: "allele of the reference genome: 1, 2, or 0 for neither",
  original: "status in the original: ok, neither (quirk Q21) or refused (quirks Q19 and Q20)",
  form: "format of the variant table",
  favours: "allele with the more open chromatin if the effect is positive",
  used: "1 if the study used the variant",
  inPeaks: "1 if the variant lies in a peak",
  allele2Effect: "effect of allele 2 against allele 1 from data.h5",
  p: "p-value of the study",
  compared: "comparison of the alleles: hidden bases or whole windows",
};

export function factsOf(facts: VariantFacts): StoredVariantFacts {
  const { significant, used, inPeaks, effect, allele2Effect, p, ...rest } = facts;
  return {
    ...rest,
    ...(significant === undefined ? {} : { significant: significant ? 1 : 0 }),
    ...(used === undefined ? {} : { used: used ? 1 : 0 }),
    ...(inPeaks === undefined ? {} : { inPeaks: inPeaks ? 1 : 0 }),
    ...(isKnown(effect) ? { effect } : {}),
    ...(isKnown(allele2Effect) ? { allele2Effect } : {}),
    ...(isKnown(p) ? { p } : {}),
  };
}

const isKnown = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);

/** A variant with its score. */
export interface ScoredVariant {
  readonly row: number;
  /** Number of the position and alleles, by which the original joins scores with its table. */
  readonly key: number;
  readonly facts: VariantFacts;
  /** Allele 2 − allele 1, or their distance, which has no direction and is never negative. */
  readonly difference: number;
  /** The distance in the other precision, if it was stored (quirk Q16). */
  readonly otherArithmetic: number | undefined;
  /** Compared by log-likelihoods of whole windows. */
  readonly wholeWindows: boolean;
}

/** Variants of a cell with their scores. */
export interface ScoredVariants {
  readonly variants: readonly ScoredVariant[];
  readonly kind: ScoreKind;
  /** Undefined if alleles are compared exactly. */
  readonly ties: TieTolerance | undefined;
}

/**
 * Variants of predictions, in their order. Corrected, a difference within the rounding of the two scores is
 * 0.
 *
 * @throws {InternalError} for predictions that compare no alleles
 */
export function scoredVariants(
  predictions: Predictions<StoredVariantFacts>,
  context: Pick<MeasureContext, "protocol" | "scoreRounding">,
): ScoredVariants {
  const columns = PredictionColumns.of(predictions);
  const { kind } = columns;
  if (kind !== "distance" && kind !== "likelihood" && kind !== "activity") {
    throw new InternalError(`row ${columns.rows[0]} has ${kind}, which compares no alleles`);
  }
  const { differences, ties } =
    kind === "distance"
      ? { differences: columns.numbers("values", 0), ties: undefined }
      : allelesCompared(columns, context);
  const others = ["float32", "float64"].flatMap((way) => (columns.has(way) ? [columns.numbers(way, 0)] : []));
  const facts = factReaders(columns);
  const keys = new Map<string, number>();
  const variants = Array.from(differences, (difference, i): ScoredVariant => {
    const known = new FactsOfVariant(facts, i);
    const place = `${known.chrom} ${known.start} ${known.allele1} ${known.allele2}`;
    const key = keys.get(place) ?? keys.size;
    keys.set(place, key);
    return {
      row: columns.rows[i],
      key,
      facts: known,
      difference,
      otherArithmetic: others.map((other) => other[i]).find((other) => !Number.isNaN(other)),
      wholeWindows: facts.compared(i) === "windows",
    };
  });
  return { variants, kind, ties };
}

function allelesCompared(
  columns: PredictionColumns<StoredVariantFacts>,
  context: Pick<MeasureContext, "protocol" | "scoreRounding">,
) {
  const { first, second, ties } = comparedScores(
    columns.numbers("values", 0),
    columns.numbers("values", 1),
    context,
  );
  return { differences: second.map((score, i) => score - first[i]), ties };
}

type FactReaders = ReturnType<typeof factReaders>;

const factReaders = (columns: PredictionColumns<StoredVariantFacts>) => ({
  chrom: columns.factReader("chrom"),
  start: columns.factReader("start"),
  end: columns.factReader("end"),
  allele1: columns.factReader("allele1"),
  allele2: columns.factReader("allele2"),
  reference: columns.factReader("reference"),
  original: columns.factReader("original"),
  form: columns.factReader("form"),
  favours: columns.factReader("favours"),
  significant: columns.factReader("significant"),
  used: columns.factReader("used"),
  inPeaks: columns.factReader("inPeaks"),
  effect: columns.factReader("effect"),
  allele2Effect: columns.factReader("allele2Effect"),
  p: columns.factReader("p"),
  unknown: columns.factReader("unknown"),
  compared: columns.factReader("compared"),
});

const asBoolean = (flag: 0 | 1 | undefined) => (flag === undefined ? undefined : flag === 1);

/**
 * Facts of one variant, read from the columns on access: objects for all variants would take hundreds of
 * bytes each.
 */
class FactsOfVariant implements VariantFacts {
  constructor(
    private readonly facts: FactReaders,
    private readonly i: number,
  ) {}

  get chrom() {
    return this.facts.chrom(this.i);
  }
  get start() {
    return this.facts.start(this.i);
  }
  get end() {
    return this.facts.end(this.i);
  }
  get allele1() {
    return this.facts.allele1(this.i);
  }
  get allele2() {
    return this.facts.allele2(this.i);
  }
  get reference() {
    return this.facts.reference(this.i);
  }
  get original() {
    return this.facts.original(this.i);
  }
  get form() {
    return this.facts.form(this.i);
  }
  get favours() {
    return this.facts.favours(this.i);
  }
  get significant() {
    return asBoolean(this.facts.significant(this.i));
  }
  get used() {
    return asBoolean(this.facts.used(this.i));
  }
  get inPeaks() {
    return asBoolean(this.facts.inPeaks(this.i));
  }
  get effect() {
    return this.facts.effect(this.i);
  }
  get allele2Effect() {
    return this.facts.allele2Effect(this.i);
  }
  get p() {
    return this.facts.p(this.i);
  }
  get unknown() {
    return this.facts.unknown(this.i) ?? 0;
  }
}

/** Kind of score that a difference is of; distances have no direction. */
export type ScoreKind = "likelihood" | "activity" | "distance";

/** Signs of differences and effects. */
export interface Orientation {
  /** The variant's difference, in the direction of its effect. */
  difference(variant: ScoredVariant): number;
  effect(variant: ScoredVariant): number;
  /** Label: "allele 2 − allele 1 against the tabulated effect". */
  readonly label: string;
}

const AS_TABULATED = ({ facts }: ScoredVariant) => facts.effect ?? Number.NaN;
/** Beta as the effect of allele 2: negated if allele 2 is the reference. */
export const effectOfAllele2 = ({ facts }: ScoredVariant) =>
  (facts.reference === 2 ? -1 : 1) * (facts.effect ?? Number.NaN);
const EFFECT_OF_ALLELE_2 = (variant: ScoredVariant) =>
  variant.facts.allele2Effect ?? effectOfAllele2(variant);
const TWO_LESS_ONE = ({ difference }: ScoredVariant) => difference;
const ONE_LESS_TWO = ({ difference }: ScoredVariant) => -difference;

/**
 * Orientation of differences and effects, which decides the sign of every correlation.
 *
 * - African caQTLs: allele 2 − allele 1 against `beta`; corrected, `beta` is negated where allele 2 is the
 *   reference (quirk Q41), or replaced by `effect_size` of DART-Eval's data.h5 if that is joined.
 * - Yoruban dsQTLs: allele 1 − allele 2 against `obs.estimate`; paper, allele 2 − allele 1 for likelihoods
 *   (quirk Q22).
 * - Other tables: allele 2 − allele 1 against the tabulated effect.
 */
export function orientationOf(favours: EffectFavours, kind: ScoreKind, protocol: Protocol): Orientation {
  if (kind === "distance") {
    const converted = favours === "alternative" && protocol === "corrected";
    return {
      difference: TWO_LESS_ONE,
      effect: converted ? EFFECT_OF_ALLELE_2 : AS_TABULATED,
      label: `unsigned distances of the alleles against the ${converted ? "effect of allele 2" : "tabulated effect"}`,
    };
  }
  if (favours === "allele1") {
    const straight = protocol === "paper" && kind === "likelihood";
    return straight
      ? {
          difference: TWO_LESS_ONE,
          effect: AS_TABULATED,
          label: "allele 2 − allele 1 against the effect of allele 1",
        }
      : {
          difference: ONE_LESS_TWO,
          effect: AS_TABULATED,
          label: "allele 1 − allele 2 against the effect of allele 1",
        };
  }
  if (favours === "alternative" && protocol === "corrected") {
    return {
      difference: TWO_LESS_ONE,
      effect: EFFECT_OF_ALLELE_2,
      label: "allele 2 − allele 1 against the effect of allele 2",
    };
  }
  return {
    difference: TWO_LESS_ONE,
    effect: AS_TABULATED,
    label: "allele 2 − allele 1 against the tabulated effect",
  };
}

/**
 * Difference and effect of the alternative allele against the reference, as in the ChromBPNet and AlphaGenome
 * papers; if neither allele is the reference, allele 2 is the alternative.
 */
export function alternativeAgainstReference(favours: EffectFavours): Orientation {
  const toAlternative = ({ facts }: ScoredVariant) => (facts.reference === 2 ? -1 : 1);
  const toAllele2 = favours === "allele1" ? -1 : 1;
  return {
    difference: (variant) => toAlternative(variant) * variant.difference,
    effect: (variant) =>
      favours === "alternative"
        ? AS_TABULATED(variant)
        : toAllele2 * toAlternative(variant) * AS_TABULATED(variant),
    label: "alternative − reference allele against the effect of the alternative",
  };
}
