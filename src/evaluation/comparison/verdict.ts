import type { ComparedGroup, ComparedModel, ComparedPair } from "./comparison.ts";

/** Largest number of tied models that a sentence names. */
const NAMED = 2;

/** The best model of a group, as a document names it and prints its value. */
export interface StatedBest {
  readonly label: string;
  /** "AUROC" */
  readonly quantity: string;
  /** `0.898 [0.835, 0.939]` */
  readonly value: string;
}

/** A statement on the best models of a group. */
export interface ComparisonVerdict {
  /** Without a full stop. */
  readonly sentence: string;
  /** True if the best model is distinguished from the second; the sentence then states the difference. */
  readonly isAhead: boolean;
}

/**
 * A sentence on the best models of a group that its tie groups and intervals support: "hyenadna has the
 * highest AUROC, 0.731 [0.705, 0.756]; the difference from caduceus, 0.011 [−0.020, 0.040], is not
 * significant". Undefined with fewer than two compared models.
 *
 * @param stated  default: the label, metric title and value of the group
 */
export function verdictOf(
  { models, pairs, metric }: Pick<ComparedGroup, "models" | "pairs" | "metric">,
  stated?: StatedBest,
): ComparisonVerdict | undefined {
  const [first, second, ...others] = models.filter(({ tier }) => tier !== null);
  if (first === undefined || second === undefined) return undefined;
  const { label, quantity, value } = stated ?? {
    label: first.label,
    quantity: metric.title,
    value: valueText(first),
  };
  const tied = [second, ...others].filter(({ tier }) => tier === 1).map((model) => model.label);
  const best = `${label} has the ${metric.better === "lower" ? "lowest" : "highest"} ${readable(quantity)}, ${value}`;
  const without = (sentence: string): ComparisonVerdict => ({ sentence, isAhead: false });
  if (tied.length > 1) {
    const names = tied.length > NAMED ? [tied[0], `${tied.length - 1} other models`] : tied;
    return without(`${best}; the differences from ${names.join(" and ")} are not significant`);
  }
  const [rival = second.label] = tied;
  const pair = pairs.find((one) => one.first === first.label && one.second === rival);
  if (pair === undefined) return without(best);
  const difference = differenceText(pair);
  if (excludesZero(pair)) {
    if (tied.length === 0) return { sentence: `${best}, ahead of ${rival} by ${difference}`, isAhead: true };
    // The interval is of one pair, the tie group allows for all of them.
    const holm = pairs.length === 1 ? "" : ` after Holm's correction for ${pairs.length} pairs`;
    const p = pair.pHolm === null ? "" : ` (p ${pair.pHolm.toPrecision(2)}${holm})`;
    return without(`${best}; the difference from ${rival}, ${difference}, is not significant${p}`);
  }
  return without(`${best}; the difference from ${rival}, ${difference}, is not significant`);
}

/** A quantity within a sentence: "Spearman ρ, peaks" is "Spearman ρ (peaks)". */
export const readable = (quantity: string): string => quantity.replace(/^([^,(]+), (.+)$/, "$1 ($2)");

/** True if the interval of a difference does not contain 0. */
const excludesZero = ({ difference }: Pick<ComparedPair, "difference">): boolean =>
  difference !== null && (difference.low > 0 || difference.high < 0);

/** `0.016 [−0.004, 0.035]` */
export function differenceText({ value, difference }: Pick<ComparedPair, "value" | "difference">): string {
  return difference === null ? fixed(value) : inInterval(difference);
}

const valueText = ({ value, estimate }: ComparedModel): string =>
  estimate === null ? fixed(value ?? Number.NaN) : inInterval(estimate);

const inInterval = ({ value, low, high }: { value: number; low: number; high: number }) =>
  `${fixed(value)} [${fixed(low)}, ${fixed(high)}]`;

/** Three decimal places, without a minus at zero. */
const fixed = (value: number): string =>
  Number(value.toFixed(3)) === 0 ? "0.000" : value.toFixed(3).replace("-", "−");
