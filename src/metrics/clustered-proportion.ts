import type { BlockInference } from "./block-estimate.ts";
import { type BlockSizes, type Blocks, blockSums, rowsIn } from "./blocks.ts";
import { studentTQuantile, studentTUpperTail } from "./distributions.ts";
import { requireProportions, requireSameLength } from "./input-checks.ts";
import { criticalValue, type Estimate, wilsonInterval } from "./intervals.ts";
import { degreesOfFreedom, jackknifeError, type LeftOutGroups, leaveOutGroups } from "./jackknife.ts";
import { meanOfSums, sum } from "./mean.ts";

/** Outcomes in [0, 1] of rows in blocks, added up: 1 correct, 0 wrong, 0.5 half a success. */
export interface ProportionSums {
  readonly blocks: BlockSizes;
  /** Sum of the outcomes of each block. [blocks] */
  readonly sums: ArrayLike<number>;
  /** Sum of all outcomes. */
  readonly total: number;
}

/** @throws {InputError} when there is not one outcome in [0, 1] per row */
export function proportionSums(outcomes: ArrayLike<number>, blocks: Blocks): ProportionSums {
  requireProportions(outcomes, "outcome");
  requireSameLength(outcomes, blocks.of, ["outcomes", "rows in blocks"]);
  return { blocks, sums: blockSums(outcomes, blocks), total: sum(outcomes) };
}

/**
 * A proportion of rows in blocks, with Wilson's interval at the effective number of rows, and the matching
 * test: the interval of choice for accuracies and paired accuracies along a genome.
 *
 * The effective number of rows is p(1 − p)/se², with se from the jackknife over blocks (`leaveOutGroups`).
 * The score statistic T = (p − p₀)/√(p₀(1 − p₀)/effective) is corrected for the skewness γ of the sum over
 * blocks by Hall's monotone transformation T + γT²/3 + γ²T³/27 + γ/6 and compared with Student's t. With
 * fewer than 20 blocks, γ is multiplied by (blocks/20)². The
 * effective number may exceed the number of rows: by chance, blocks vary less than independent rows as often
 * as they vary more, and t accounts for both.
 *
 * At 0 and at 1, where blocks show no variation, the effective number is the number of blocks; where blocks
 * are equal otherwise, the number of rows. The interval stays in [0, 1] and never shrinks to a point.
 *
 * @param outcomes  in [0, 1], one per row: 1 correct, 0 wrong, 0.5 half a success
 * @returns         `<kind>-wilson`; n is the number of rows. Bounds NaN with fewer than two blocks
 * @throws {InputError} when there is not one outcome in [0, 1] per row, or the level is outside (0, 1)
 * @see Korn & Graubard 1998, Survey Methodology 24:193–201 (effective sample size); Hall 1992,
 *      doi:10.1111/j.2517-6161.1992.tb01876.x
 */
export const proportionInference = (
  outcomes: ArrayLike<number>,
  blocks: Blocks,
  level?: number,
): BlockInference => proportionInferenceOf(proportionSums(outcomes, blocks), level);

/** `proportionInference` of outcomes that were added up block by block. */
export function proportionInferenceOf({ blocks, sums, total }: ProportionSums, level = 0.95): BlockInference {
  const n = rowsIn(blocks);
  const found = leaveOutGroups(blocks, meanOfSums(sums, blocks), Math.min(total, n - total));
  const { value, without } = found;
  const variation = jackknifeError(value, without) ** 2;
  const extreme = value === 0 || value === 1;
  const effective = extreme ? found.groups.count : variation > 0 ? (value * (1 - value)) / variation : n;
  const dof = degreesOf(found, variation);
  const skewness = extreme || variation === 0 ? 0 : skewnessOf(without.map(logOddsInside));
  const tail = (1 - level) / 2;
  // At a bound Hall's transform of T equals t, so the number of trials for Wilson's z differs between the
  // bounds.
  const trialsAt = (t: number) => effective * (criticalValue(level) / unskewed(t, skewness)) ** 2;
  const t = studentTQuantile(tail, dof);
  const bound = (at: number) => wilsonInterval(value * trialsAt(at), trialsAt(at), level);
  const known = dof > 0;
  return {
    estimate: {
      value,
      low: known ? bound(t).low : Number.NaN,
      high: known ? bound(-t).high : Number.NaN,
      n,
      method: `${blocks.kind}-wilson`,
      basis: { ...found.basis, dof },
    },
    pAgainst: (proportion) => {
      const score = (value - proportion) / Math.sqrt((proportion * (1 - proportion)) / effective);
      return known ? Math.min(2 * studentTUpperTail(Math.abs(skewed(score, skewness)), dof), 1) : Number.NaN;
    },
  };
}

/** The estimate of `proportionInference`. */
export const clusteredProportion = (outcomes: ArrayLike<number>, blocks: Blocks, level?: number): Estimate =>
  proportionInference(outcomes, blocks, level).estimate;

/**
 * Degrees of freedom if a block of k rows has variance k + ρk(k − 1), with the correlation ρ between its rows
 * estimated from the blocks: large blocks of dependent rows dominate more than their sizes suggest.
 */
function degreesOf({ value, sizes, basis }: LeftOutGroups, variation: number): number {
  const rows = sum(sizes);
  const binomial = (value * (1 - value)) / rows;
  const squares = sum(sizes.map((size) => size * size)) / rows;
  if (!(binomial > 0 && squares > 1)) return basis.dof;
  const correlation = Math.min(Math.max((variation / binomial - 1) / (squares - 1), 0), 1);
  const spreads = sizes.map((size) => size + correlation * size * (size - 1));
  return degreesOfFreedom(spreads);
}

/** Log-odds of a proportion, clamped to stay finite: leaving out a block may give 0 or 1. */
const logOddsInside = (proportion: number) =>
  Math.log(Math.max(proportion, 1e-9) / Math.max(1 - proportion, 1e-9));

/** Blocks from which on the sample skewness is used in full. */
const ENOUGH_FOR_SKEWNESS = 20;

/**
 * Skewness of the sum of the blocks' contributions, shrunk where it comes from few blocks and is mostly
 * noise.
 */
function skewnessOf(without: Float64Array): number {
  const centre = sum(without) / without.length;
  const squares = sum(without.map((rest) => (centre - rest) ** 2));
  if (squares === 0) return 0;
  const weight = Math.min(without.length / ENOUGH_FOR_SKEWNESS, 1) ** 2;
  return (weight * sum(without.map((rest) => (centre - rest) ** 3))) / squares ** 1.5;
}

/** Hall's transformation of a studentised value, and its inverse. */
const skewed = (t: number, skewness: number) =>
  t + (skewness * t * t) / 3 + (skewness * skewness * t * t * t) / 27 + skewness / 6;

function unskewed(x: number, skewness: number): number {
  if (Math.abs(skewness) < 1e-6) return x;
  return (3 / skewness) * (Math.cbrt(1 + skewness * (x - skewness / 6)) - 1);
}
