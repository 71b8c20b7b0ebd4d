import type { ComparedGroup, ComparedModel, ComparedPair } from "./comparison.ts";

/** Largest number of models that a sentence names. */
const NAMED = 3;

/** The best model of a group, as a document names it and prints its value. */
export interface StatedBest {
  readonly label: string;
  /** "AUROC" */
  readonly quantity: string;
  /** `0.898 [0.835, 0.939]` */
  readonly value: string;
}

/**
 * One sentence on the best models of a group that its numbers support, without a full stop: "hyenadna and
 * caduceus are not distinguished: difference in AUROC 0.011 [−0.020, 0.040]". Undefined with fewer than two
 * compared models.
 *
 * @param stated  default: the label, metric title and value of the group
 */
export function verdictOf(
  { models, pairs, metric }: Pick<ComparedGroup, "models" | "pairs" | "metric">,
  stated?: StatedBest,
): string | undefined {
  const [first, second, ...others] = models.filter(({ tier }) => tier !== null);
  if (first === undefined || second === undefined) return undefined;
  const { label, quantity, value } = stated ?? {
    label: first.label,
    quantity: metric.title,
    value: valueText(first),
  };
  const tied = [first, second, ...others].filter(({ tier }) => tier === 1).map((model) => model.label);
  const pair = pairs.find((one) => one.first === first.label && one.second === second.label);
  const undecided = pair !== undefined && !excludesZero(pair);
  const best = `${label} has the ${metric.better === "lower" ? "lowest" : "highest"} ${quantity}, ${value}`;
  if (tied.length === 2 && undecided) {
    return `${tied.join(" and ")} are not distinguished: difference in ${quantity} ${differenceText(pair)}`;
  }
  if (tied.length > 2) {
    const names =
      tied.length > NAMED ? [...tied.slice(0, NAMED - 1), `${tied.length - NAMED + 1} more`] : tied;
    return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are not distinguished as the best; ${best}`;
  }
  if (undecided) {
    return `${best}, but is not distinguished from ${pair.second}: difference ${differenceText(pair)}`;
  }
  return pair === undefined ? best : `${best}, ahead of ${pair.second} by ${differenceText(pair)}`;
}

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
