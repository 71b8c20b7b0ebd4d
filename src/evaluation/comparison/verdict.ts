import type { Estimate } from "../../metrics/intervals.ts";
import type { ComparedGroup, ComparedPair } from "./comparison.ts";

/** Largest number of models that a sentence names. */
const NAMED = 4;

/**
 * One sentence on the best models of a group that its numbers support: "hyenadna and caduceus cannot be
 * distinguished: difference 0.011 [-0.020, 0.040]"; undefined with fewer than two compared models.
 */
export function verdictOf({ models, pairs }: Pick<ComparedGroup, "models" | "pairs">): string | undefined {
  const compared = models.filter(({ tier }) => tier !== null);
  const [first, second] = compared;
  if (first === undefined || second === undefined) return undefined;
  const leaders = compared.filter(({ tier }) => tier === 1).map(({ label }) => label);
  const pair = pairs.find((one) => one.first === first.label && one.second === second.label);
  const difference = pair === undefined ? "" : `: difference ${differenceText(pair.value, pair.difference)}`;
  if (leaders.length === 1 && pair !== undefined && !excludesZero(pair)) {
    return `${first.label} has the best value, but is not distinguished from ${second.label}${difference}`;
  }
  if (leaders.length === 1) {
    const next = compared.length === 2 ? second.label : `every other model; ${second.label} is second`;
    return `${first.label} is better than ${next}${difference}`;
  }
  if (leaders.length === 2) return `${first.label} and ${leaders[1]} cannot be distinguished${difference}`;
  const named = leaders.slice(1, NAMED);
  const more = leaders.length - 1 - named.length;
  const others = `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `${first.label} has the highest value, and ${others} cannot be distinguished from it`;
}

/** True if the interval of a difference does not contain 0. */
export const excludesZero = ({ difference }: Pick<ComparedPair, "difference">): boolean =>
  difference !== null && (difference.low > 0 || difference.high < 0);

/** `+0.011 [-0.020, 0.040]`. */
function differenceText(value: number, difference: Estimate | null): string {
  const text = (number: number) =>
    Number(number.toFixed(3)) === 0 ? "0.000" : number.toFixed(3).replace("-", "−");
  return difference === null
    ? text(value)
    : `${text(value)} [${text(difference.low)}, ${text(difference.high)}]`;
}
