import { requireFinite, requireSameLength } from "./input-checks.ts";
import { type Estimate, wilsonInterval } from "./intervals.ts";

/** Pairs by outcome; a win is a pair whose first member has the strictly higher score. */
export interface PairedCounts {
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
}

/**
 * Credit of a tie. The original counts ties as wrong (`>`) for Task 1 and for the embeddings of Task 2, and
 * as correct (`>=`) for the likelihoods of Task 2 (quirk Q15). With half credit, a model that cannot
 * distinguish the members scores 0.5.
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
 * Credit of each pair: 1 for a win, 0 for a loss, and that of the rule for a tie. Its mean is the paired
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
 * @returns  in [0, 1], 0.5 at chance; NaN without pairs
 */
export function pairedAccuracy(counts: PairedCounts, ties: TieRule = "half"): number {
  return credited(counts, ties) / pairsIn(counts);
}

/**
 * Paired accuracy with Wilson's interval, for independent pairs. Pairs along a genome are not independent:
 * use `clusteredProportion(pairedOutcomes(...), blocks)` for them.
 *
 * @returns  n is the number of pairs, ties included
 */
export function pairedAccuracyEstimate(counts: PairedCounts, ties: TieRule = "half", level = 0.95): Estimate {
  return wilsonInterval(credited(counts, ties), pairsIn(counts), level);
}

function credited({ wins, ties }: PairedCounts, rule: TieRule): number {
  return wins + CREDIT[rule] * ties;
}

function pairsIn({ wins, ties, losses }: PairedCounts): number {
  return wins + ties + losses;
}
