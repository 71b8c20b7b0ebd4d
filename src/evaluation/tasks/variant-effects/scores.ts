import { InternalError } from "../../../base/errors.ts";
import type { EffectFavours, VariantForm } from "../../../datasets/variants/forms.ts";
import type { Protocol } from "../../../models/model.ts";
import { comparedScores } from "../compared-scores.ts";
import type { TieTolerance } from "../measurement.ts";
import type { Predictions, RowFacts } from "../prediction.ts";
import { type FactReader, PredictionColumns } from "../prediction-columns.ts";
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
  /** Number of the place and alleles, by which the original joins scores with its table: the same for the same ones. */
  readonly key: number;
  readonly facts: VariantFacts;
  /** Allele 2 less allele 1; a distance of the two, which is never negative, where there is no direction. */
  readonly difference: number;
  /** The same distance by the other arithmetic, where it was kept. */
  readonly otherArithmetic: number | undefined;
  /** Compared by log-likelihoods of whole windows. */
  readonly wholeWindows: boolean;
}

/** Variants of a cell with their scores. */
export interface ScoredVariants {
  readonly variants: readonly ScoredVariant[];
  readonly kind: ScoreKind;
  /** Absent where the alleles are compared exactly. */
  readonly ties: TieTolerance | undefined;
}

/**
 * Variants of predictions, in their order. Corrected, a difference within the rounding of the two scores is 0.
 *
 * @throws {InternalError} for predictions that compare no alleles
 */
export function scoredVariants(
  predictions: Predictions,
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
  const facts = new FactReaders(columns);
  const keys = new Map<string, number>();
  const variants = Array.from(differences, (difference, i): ScoredVariant => {
    const known = new FactsOfVariant(facts, i);
    const key = `${known.chrom} ${known.start} ${known.allele1} ${known.allele2}`;
    if (!keys.has(key)) keys.set(key, keys.size);
    return {
      row: columns.rows[i],
      key: keys.get(key)!,
      facts: known,
      difference,
      otherArithmetic: others.map((other) => other[i]).find((other) => !Number.isNaN(other)),
      wholeWindows: facts.text("compared", i) === "windows",
    };
  });
  return { variants, kind, ties };
}

function allelesCompared(
  columns: PredictionColumns,
  context: Pick<MeasureContext, "protocol" | "scoreRounding">,
) {
  const { first, second, ties } = comparedScores(
    columns.numbers("values", 0),
    columns.numbers("values", 1),
    context,
  );
  return { differences: second.map((score, i) => score - first[i]), ties };
}

class FactReaders {
  private readonly readers = new Map<string, FactReader>();

  constructor(private readonly columns: PredictionColumns) {}

  text(name: string, i: number): string | undefined {
    const value = this.of(name)(i);
    return typeof value === "string" ? value : undefined;
  }

  number(name: string, i: number): number | undefined {
    const value = this.of(name)(i);
    return typeof value === "number" ? value : undefined;
  }

  flag(name: string, i: number): boolean | undefined {
    const value = this.of(name)(i);
    return value === undefined ? undefined : value === 1;
  }

  private of(name: string): FactReader {
    let reader = this.readers.get(name);
    if (reader === undefined) {
      reader = this.columns.factReader(name);
      this.readers.set(name, reader);
    }
    return reader;
  }
}

/** Facts of one variant, read from the columns: objects of them for all would take a few hundred bytes each. */
class FactsOfVariant implements VariantFacts {
  constructor(
    private readonly facts: FactReaders,
    private readonly i: number,
  ) {}

  get chrom() {
    return this.facts.text("chrom", this.i) ?? "";
  }
  get start() {
    return this.facts.number("start", this.i) ?? Number.NaN;
  }
  get end() {
    return this.facts.number("end", this.i) ?? Number.NaN;
  }
  get allele1() {
    return this.facts.text("allele1", this.i) ?? "";
  }
  get allele2() {
    return this.facts.text("allele2", this.i) ?? "";
  }
  get reference() {
    return this.facts.number("reference", this.i) as VariantFacts["reference"];
  }
  get original() {
    return this.facts.text("original", this.i) as VariantFacts["original"];
  }
  get form() {
    return this.facts.text("form", this.i) as VariantForm;
  }
  get favours() {
    return this.facts.text("favours", this.i) as EffectFavours;
  }
  get significant() {
    return this.facts.flag("significant", this.i);
  }
  get used() {
    return this.facts.flag("used", this.i);
  }
  get inPeaks() {
    return this.facts.flag("inPeaks", this.i);
  }
  get effect() {
    return this.facts.number("effect", this.i);
  }
  get allele2Effect() {
    return this.facts.number("allele2Effect", this.i);
  }
  get p() {
    return this.facts.number("p", this.i);
  }
  get unknown() {
    return this.facts.number("unknown", this.i) ?? 0;
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
