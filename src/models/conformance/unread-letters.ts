import type { Asker } from "./asker.ts";
import { otherLetters } from "./probes.ts";

/** An effect smaller than this, of the score, is none: even far letters change a score by more. */
const NO_EFFECT = 1e-9;

/**
 * Places of a sequence at which no other letter changes its score. The second and third other letter are asked for only where
 * the first changes nothing: two letters may well be alike to a model, all four are not.
 *
 * @param places  0-based; negative ones count from the end
 */
export async function unreadLetters(
  asker: Asker,
  sequence: string,
  score: number,
  places: readonly number[],
): Promise<readonly number[]> {
  let unread = places;
  for (const alternative of [0, 1, 2] as const) {
    if (unread.length === 0) break;
    const variants = unread.map((place) => otherLetters(sequence, place)[alternative]);
    const scores = await asker.scoresUnpadded(variants);
    unread = unread.filter((_, i) => Math.abs(scores[i]! - score) <= NO_EFFECT * Math.abs(score));
  }
  return unread;
}
