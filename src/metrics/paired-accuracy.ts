import { requireFinite, requireSameLength } from "./input-checks.ts";
import { type Estimate, wilsonInterval } from "./intervals.ts";

/** How many pairs went which way; a win is a first member with the strictly higher score. */
export interface PairedCounts {
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
}

/**
 * What a tie counts as. The original counts it as wrong (`>`) for Task 1 and for the embeddings of Task 2, and as
 * correct (`>=`) for the likelihoods of Task 2 (quirk Q15); by half, a model that cannot tell the members apart
 * gets 0.5, as it should.
 */
export type TieRule = "wrong" | "half" | "correct";

const CREDIT: Readonly<Record<TieRule, number>> = { wrong: 0, half: 0.5, correct: 1 };

/**
 * Counts pairs by the sign of first − second.
 *
 * @param first   scores of the members that should score higher: elements, true motifs
 * @param second  scores of their partners, in the same order: controls, shuffled motifs
 * @throws {InputError} when the lengths differ or a score is not finite
 */
export function pairedCounts(first: ArrayLike<number>, second: ArrayLike<number>): PairedCounts {
  let wins = 0;
  let ties = 0;
  for (const outcome of pairedOutcomes(first, second, "half")) {
    if (outcome === 1) wins++;
    else if (outcome === 0.5) ties++;
  }
  return { wins, ties, losses: first.length - wins - ties };
}

/**
 * The credit of each pair: 1 for a win, 0 for a loss, and what the rule says for a tie. Its mean is the paired
 * accuracy; with blocks, `meanOver(pairedOutcomes(...), blocks)`.
 *
 * @throws {InputError} when the lengths differ or a score is not finite
 */
export function pairedOutcomes(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  ties: TieRule = "half",
): Float64Array {
  requireSameLength(first, second, ["first scores", "second scores"]);
  requireFinite(first, "first score");
  requireFinite(second, "second score");
  return Float64Array.from({ length: first.length }, (_, i) => {
    if (first[i] === second[i]) return CREDIT[ties];
    return first[i] > second[i] ? 1 : 0;
  });
}

/**
 * Paired accuracy: the share of pairs whose first member scores higher.
 *
 * @returns  in [0, 1], 0.5 for a coin; NaN without pairs
 */
export function pairedAccuracy(counts: PairedCounts, ties: TieRule = "half"): number {
  return credited(counts, ties) / numberOf(counts);
}

/**
 * Paired accuracy with Wilson's interval, for pairs that are independent of one another. Pairs along a genome are
 * not quite: `blockEstimate(blocks, meanOver(pairedOutcomes(...), blocks))` gives the interval that says so.
 *
 * @returns  n is the number of pairs, ties included
 */
export function pairedAccuracyEstimate(counts: PairedCounts, ties: TieRule = "half", level = 0.95): Estimate {
  return wilsonInterval(credited(counts, ties), numberOf(counts), level);
}

function credited({ wins, ties }: PairedCounts, rule: TieRule): number {
  return wins + CREDIT[rule] * ties;
}

function numberOf({ wins, ties, losses }: PairedCounts): number {
  return wins + ties + losses;
}
