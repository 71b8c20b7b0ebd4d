import type { Blocks } from "../../metrics/blocks.ts";
import { clusteredProportion } from "../../metrics/clustered-proportion.ts";
import { type Estimate, waldInterval, wilsonInterval } from "../../metrics/intervals.ts";
import { sum } from "../../metrics/mean.ts";
import type { Protocol } from "../../models/model.ts";

/** Denominators of the original for the same interval; its tables print the first. */
export type Trials = readonly [number, ...number[]];

/** The published interval of a share, as if it had been found in this many trials. */
export function waldOver(share: number, trials: number): Estimate {
  return waldInterval(share * trials, trials);
}

/**
 * The intervals of a share in the order in which a reader should meet them: the published one first under the paper's
 * protocol; else the one that takes neighbouring rows as belonging together and allows for few stretches.
 *
 * @param outcomes  in [0, 1], one per row
 * @param trials    of the published intervals, one interval each
 */
export function shareIntervals(
  outcomes: Float64Array,
  blocks: Blocks,
  { protocol, trials }: { readonly protocol: Protocol; readonly trials: Trials },
): readonly Estimate[] {
  const n = outcomes.length;
  const wins = sum(outcomes);
  const wilson = wilsonInterval(wins, n);
  const published = n === 0 ? [wilson] : trials.map((count) => waldOver(wins / n, count));
  const honest = [clusteredProportion(outcomes, blocks), wilson];
  return protocol === "paper" ? [...published, ...honest] : [...honest, ...published];
}
