import { counted } from "../base/message-text.ts";
import { type BlockGroups, groupLadder, groupSums } from "./block-groups.ts";
import { type BlockSizes, type BlockStatistic, rowsIn } from "./blocks.ts";
import { studentTQuantile } from "./distributions.ts";
import { requireLevel, requireSameLength } from "./input-checks.ts";
import type { Estimate, IntervalBasis } from "./intervals.ts";
import { sum } from "./mean.ts";

/** The longest blocks are taken that leave at least this many: the t quantile is then at most 2.09. */
const ENOUGH_BLOCKS = 20;

/** An interval over fewer blocks is flagged as unreliable. */
const MIN_BLOCKS = 5;

/** An interval with fewer rows of a class or of an outcome is flagged as unreliable. */
const MIN_CLASS_ROWS = 12;

/**
 * Adjoining blocks of this length are flagged as unreliable: dependence across several of them would go
 * undetected.
 */
const MIN_ADJOINING_LENGTH = "1 Mb";

/**
 * Critical value of the one-sided 5 % test for dependence of neighbouring blocks, on the standardised sum of
 * their products.
 */
export const DEPENDENT = 1.645;

/** A statistic with its values when each group of blocks is left out. */
export interface LeftOutGroups {
  readonly value: number;
  /** [groups] */
  readonly without: Float64Array;
  readonly groups: BlockGroups;
  /** Number of rows of each group. [groups] */
  readonly sizes: Float64Array;
  readonly basis: IntervalBasis;
}

/**
 * Delete-one-group jackknife over blocks of a length that follows from the data.
 *
 * It begins with the longest of 1, 4 and 16 Mb that leaves at least 20 blocks, and takes the next longer one
 * (at last whole chromosomes) as long as the contributions of neighbouring blocks are correlated (one-sided
 * test at 5 %) and five longer blocks remain. Long blocks are the default because the test detects dependence
 * between short ones only when it is strong, whereas 20 blocks instead of hundreds make an interval only 7 %
 * longer. docs/decisions/0011-long-blocks-and-one-jackknife.md has the simulations.
 *
 * The degrees of freedom (`degreesOfFreedom`) follow from the sizes of the blocks; for a statistic over
 * classes, from the class that is spread over the fewest blocks.
 *
 * `basis.unreliable` is set with fewer than 5 blocks, with fewer than 12 rows of the rarest class, where
 * blocks of 1 Mb adjoin each other (too little genome to measure the range of dependence), and where the
 * longest possible blocks still depend on each other.
 *
 * @param rarest  number of rows of the rarest class or outcome; by default counted from the statistic's
 *                classes
 * @see MacKinnon, Nielsen & Webb 2023, doi:10.1016/j.jeconom.2022.04.001 (CV3)
 */
export function leaveOutGroups(
  blocks: BlockSizes,
  statistic: BlockStatistic,
  rarest = rarestClass(statistic),
): LeftOutGroups {
  const value = statistic(new Int32Array(blocks.sizes.length).fill(1));
  return leaveOutOn(groupLadder(blocks), blocks, {
    value,
    valuesWithout: (groups) => valuesWithout(groups, statistic),
    classes: statistic.classes ?? [],
    rarest,
  });
}

/** Number of rows of the rarest class of a statistic over classes, else infinity. */
export const rarestClass = ({ classes = [] }: Pick<BlockStatistic, "classes">) =>
  Math.min(...classes.map(sum));

/** A statistic whose values without each group of blocks are known for any grouping. */
export interface LeaveOutValues {
  readonly value: number;
  readonly valuesWithout: (groups: BlockGroups) => Float64Array;
  /** Rows of each class in each block, for a statistic over classes: [classes][blocks]. */
  readonly classes: readonly Float64Array[];
  /** Number of rows of the rarest class or outcome. */
  readonly rarest: number;
}

/** `leaveOutGroups` with given groupings, from short to long. */
export function leaveOutOn(
  ladder: readonly BlockGroups[],
  blocks: BlockSizes,
  { value, valuesWithout, classes, rarest }: LeaveOutValues,
): LeftOutGroups {
  const { groups, without, neighbours } = groupsOn(ladder, (groups) => {
    const without = valuesWithout(groups);
    return { without, neighbours: neighbourDependence(groups, without, value) };
  });
  const sizes = groupSums(groups, blocks.sizes);
  const ofClasses = classes.map((rows) => groupSums(groups, rows));
  return {
    value,
    without,
    groups,
    sizes,
    basis: {
      blocks: groups.count,
      ...(groups.length === undefined ? {} : { length: groups.length }),
      dof: Math.min(...[sizes, ...ofClasses].map(degreesOfFreedom)),
      ...(Number.isFinite(neighbours.correlation) ? { neighbourCorrelation: neighbours.correlation } : {}),
      ...unreliable(groups, rarest, neighbours),
    },
  };
}

/**
 * The grouping to leave out: the longest with enough groups, or a longer one as long as neighbours depend on
 * each other.
 */
export function groupsOn<LeftOut extends { readonly neighbours: Pick<NeighbourDependence, "dependent"> }>(
  ladder: readonly BlockGroups[],
  leaveOut: (groups: BlockGroups) => LeftOut,
): LeftOut & { readonly groups: BlockGroups } {
  let rung = Math.max(ladder.length - 2, 0);
  while (rung > 0 && ladder[rung].count < ENOUGH_BLOCKS) rung--;
  for (;;) {
    const groups = ladder[rung];
    const leftOut = leaveOut(groups);
    const longer = ladder[rung + 1];
    if (!(leftOut.neighbours.dependent && longer !== undefined && longer.count >= MIN_BLOCKS)) {
      return { groups, ...leftOut };
    }
    rung++;
  }
}

/** Values of a statistic without each group. [groups] */
export function valuesWithout({ of, count }: BlockGroups, statistic: BlockStatistic): Float64Array {
  const members: number[][] = Array.from({ length: count }, () => []);
  of.forEach((group, block) => {
    members[group].push(block);
  });
  const times = new Int32Array(of.length).fill(1);
  return Float64Array.from(members, (left) => {
    for (const block of left) times[block] = 0;
    const rest = statistic(times);
    for (const block of left) times[block] = 1;
    return rest;
  });
}

export interface NeighbourDependence {
  /** NaN where no two groups adjoin. */
  readonly correlation: number;
  readonly dependent: boolean;
}

/** The contributions of all groups sum to about 0, so independent groups have a correlation of −1/groups. */
function neighbourDependence(
  { follows, count }: BlockGroups,
  without: Float64Array,
  value: number,
): NeighbourDependence {
  const contributions = without.map((rest) => value - rest);
  const variance = sum(contributions.map((part) => part * part)) / count;
  const products: number[] = [];
  for (let group = 1; group < count; group++) {
    if (follows[group] === 1) {
      products.push(contributions[group] * contributions[group - 1] + variance / count);
    }
  }
  const spread = Math.sqrt(sum(products.map((product) => product * product)));
  return {
    correlation: sum(products) / products.length / variance,
    dependent: sum(products) > DEPENDENT * spread,
  };
}

function unreliable(
  { count, length, follows }: BlockGroups,
  rarest: number,
  { correlation, dependent }: NeighbourDependence,
): Pick<IntervalBasis, "unreliable"> {
  const reasons: string[] = [];
  if (count < MIN_BLOCKS) reasons.push(counted(count, "block"));
  if (rarest < MIN_CLASS_ROWS) reasons.push(`${counted(Math.floor(rarest), "row")} of the rarer class`);
  if (dependent)
    reasons.push(`neighbouring blocks of ${length} have a correlation of ${correlation.toFixed(2)}`);
  else if (length === MIN_ADJOINING_LENGTH && follows.includes(1)) {
    reasons.push(`too little genome: ${counted(count, "block")} of ${length}`);
  }
  return reasons.length === 0 ? {} : { unreliable: reasons.join(", ") };
}

/**
 * Degrees of freedom of B blocks whose contributions have these variances: Satterthwaite's (Σ x)²/Σ x², the
 * effective number of blocks, and at most B − 1.
 *
 * @returns  at least 1; 0 with fewer than two blocks
 */
export function degreesOfFreedom(variances: Float64Array): number {
  if (variances.length < 2) return 0;
  const effective = sum(variances) ** 2 / sum(variances.map((variance) => variance * variance));
  return Math.max(Math.min(effective, variances.length - 1), 1);
}

/** Standard error by the delete-one-block jackknife: √((B − 1)/B · Σ (value without a block − value)²). */
export function jackknifeError(value: number, without: Float64Array): number {
  return Math.sqrt(((without.length - 1) / without.length) * sum(without.map((rest) => (rest - value) ** 2)));
}

/**
 * Interval value ± t · standard error of a statistic whose values without each block are known.
 *
 * @returns  `<kind>-jackknife`; bounds NaN with fewer than two blocks or where a value is undefined; not
 *           clipped to the range of the statistic
 * @throws {InputError} when the number of values is not the number of blocks, or the level is outside (0, 1)
 */
export function jackknifeOf(
  blocks: BlockSizes,
  { value, without }: { readonly value: number; readonly without: ArrayLike<number> },
  level = 0.95,
): Estimate {
  requireLevel(level);
  requireSameLength(without, blocks.sizes, ["values without a block", "blocks"]);
  const count = blocks.sizes.length;
  const dof = degreesOfFreedom(Float64Array.from(blocks.sizes));
  const half = studentTQuantile((1 - level) / 2, dof) * jackknifeError(value, Float64Array.from(without));
  return {
    value,
    low: value - half,
    high: value + half,
    n: rowsIn(blocks),
    method: `${blocks.kind}-jackknife`,
    basis: { blocks: count, dof, ...(count < MIN_BLOCKS ? { unreliable: counted(count, "block") } : {}) },
  };
}
