import { counted } from "../base/message-text.ts";
import type { BlockStatistic, Blocks } from "./blocks.ts";
import { studentTQuantile } from "./distributions.ts";
import { requireLevel, requireSameLength } from "./input-checks.ts";
import type { Estimate, IntervalBasis } from "./intervals.ts";
import { sum } from "./mean.ts";

/** Longer blocks are taken as long as at least so many are left: Student's t is then 2.09 standard errors or less. */
const ENOUGH_BLOCKS = 20;

/** With fewer blocks an interval is flagged. */
const FEWEST_BLOCKS = 5;

/** With fewer rows of a class, or of an outcome, an interval is flagged. */
const FEWEST_OF_CLASS = 12;

/** Shorter blocks that adjoin others are flagged: dependence over more than one of them could not be seen. Bases. */
const SHORTEST_LINKED = "1 Mb";

/** Neighbouring blocks depend on each other where the standardised sum of their products is larger: one-sided, 5 %. */
const DEPENDENT = 1.645;

/** A statistic with its values when each group of blocks is left out. */
export interface LeftOutGroups {
  readonly value: number;
  /** [groups] */
  readonly without: Float64Array;
  readonly groups: BlockGroups;
  /** Rows of each group. [groups] */
  readonly sizes: Float64Array;
  readonly basis: IntervalBasis;
}

/**
 * Delete-one-group jackknife over blocks of a length that follows from the data.
 *
 * It begins with the longest of 1, 4 and 16 Mb that leaves at least 20 blocks, and takes the next longer one, at last whole
 * chromosomes, while the contributions of neighbouring blocks are correlated (one-sided test at 5 %) and five longer blocks are left.
 * Long blocks are the default because a test sees dependence between short ones only when it is strong, whereas 20 blocks
 * instead of hundreds make an interval 7 % longer. docs/decisions/0011-long-blocks-and-one-jackknife.md has the simulations.
 *
 * The degrees of freedom (`degreesOfFreedom`) are those of the blocks' sizes; for a statistic of classes those of the class that is spread
 * over the fewest blocks.
 *
 * `basis.unreliable` is given with fewer than 5 blocks, with fewer than 12 rows of the rarest class, where blocks of 1 Mb adjoin each other (too
 * little genome to see how far dependence reaches), and where the longest possible blocks still depend on each other.
 *
 * @param rarest  rows of the rarest class or outcome; of a statistic with classes they are counted
 * @see MacKinnon, Nielsen & Webb 2023, doi:10.1016/j.jeconom.2022.04.001 (CV3)
 */
export function leaveOutGroups(
  blocks: Blocks,
  statistic: BlockStatistic,
  rarest = Math.min(...(statistic.classes ?? []).map(sum)),
): LeftOutGroups {
  const ladder = groupLadder(blocks);
  const value = statistic(new Int32Array(blocks.sizes.length).fill(1));
  let rung = Math.max(ladder.length - 2, 0);
  while (rung > 0 && ladder[rung].count < ENOUGH_BLOCKS) rung--;
  for (;;) {
    const groups = ladder[rung];
    const without = valuesWithout(groups, statistic);
    const neighbours = neighbourDependence(groups, without, value);
    const longer = ladder[rung + 1];
    if (neighbours.dependent && longer !== undefined && longer.count >= FEWEST_BLOCKS) {
      rung++;
      continue;
    }
    const sizes = groupSums(groups, blocks.sizes);
    const classes = statistic.classes?.map((rows) => groupSums(groups, rows)) ?? [];
    return {
      value,
      without,
      groups,
      sizes,
      basis: {
        blocks: groups.count,
        ...(groups.length === undefined ? {} : { length: groups.length }),
        dof: Math.min(...[sizes, ...classes].map(degreesOfFreedom)),
        ...(Number.isFinite(neighbours.correlation) ? { neighbourCorrelation: neighbours.correlation } : {}),
        ...unreliable(groups, rarest, neighbours),
      },
    };
  }
}

function valuesWithout({ of, count }: BlockGroups, statistic: BlockStatistic): Float64Array {
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

interface NeighbourDependence {
  /** NaN where no two groups adjoin. */
  readonly correlation: number;
  readonly dependent: boolean;
}

/** Contributions of groups sum to about 0, so that those of independent ones have a correlation of −1/groups. */
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
  if (count < FEWEST_BLOCKS) reasons.push(counted(count, "block"));
  if (rarest < FEWEST_OF_CLASS) reasons.push(`${counted(Math.floor(rarest), "row")} of the rarer class`);
  if (dependent)
    reasons.push(`neighbouring blocks of ${length} have a correlation of ${correlation.toFixed(2)}`);
  else if (length === SHORTEST_LINKED && follows.includes(1)) {
    reasons.push(`too little genome: ${counted(count, "block")} of ${length}`);
  }
  return reasons.length === 0 ? {} : { unreliable: reasons.join(", ") };
}

/**
 * Degrees of freedom of B blocks whose contributions vary like these numbers: Satterthwaite's (Σ x)²/Σ x², the effective number of
 * blocks, and at most B − 1.
 *
 * @returns  at least 1: below, t means nothing; 0 with fewer than two blocks
 */
export function degreesOfFreedom(variances: Float64Array): number {
  if (variances.length < 2) return 0;
  const effective = sum(variances) ** 2 / sum(variances.map((variance) => variance * variance));
  return Math.max(Math.min(effective, variances.length - 1), 1);
}

/** √((B − 1)/B · Σ (value without a block − value)²) */
export function jackknifeError(value: number, without: Float64Array): number {
  return Math.sqrt(((without.length - 1) / without.length) * sum(without.map((rest) => (rest - value) ** 2)));
}

/**
 * The interval value ± t · standard error of a statistic that was computed already without each block.
 *
 * @param found  the statistic of all rows, and without each block in turn: [blocks]
 * @returns      `<kind>-jackknife`; bounds NaN with fewer than two blocks or where a value is undefined, not cut off at the ends of the
 *               statistic's range
 * @throws {InputError} when there is not one value per block, or the level is outside (0, 1)
 */
export function jackknifeOf(
  blocks: Blocks,
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
    n: blocks.of.length,
    method: `${blocks.kind}-jackknife`,
    basis: { blocks: count, dof, ...(count < FEWEST_BLOCKS ? { unreliable: counted(count, "block") } : {}) },
  };
}

/** Blocks joined into groups: what the jackknife leaves out as a whole. */
export interface BlockGroups {
  /** Group of each block, numbered from 0; along a chromosome in the order of positions. [blocks] */
  readonly of: Int32Array;
  readonly count: number;
  /** 1 where a group adjoins the one before on the same chromosome. [groups] */
  readonly follows: Uint8Array;
  /** Length along the genome: "16 Mb", "chromosome". Absent for blocks without positions. */
  readonly length?: string;
}

/** Lengths of joined blocks along the genome, bases. */
const LADDER = [4_000_000, 16_000_000];

/** More blocks without positions than this are joined in order of appearance: the cost grows with their number, the precision hardly. */
const MOST_BLOCKS = 500;

/**
 * The ways in which blocks can be joined, from short to long: of genomic blocks about 1, 4 and 16 Mb and whole chromosomes; of others
 * the only one, at most 500 groups in order of appearance.
 *
 * Each chromosome is divided into equal parts from its first block to its last, so that no part is a remnant.
 */
function groupLadder(blocks: Blocks): readonly [BlockGroups, ...BlockGroups[]] {
  const { places } = blocks;
  const count = blocks.sizes.length;
  if (places === undefined) {
    const joined = Math.max(Math.ceil(count / MOST_BLOCKS), 1);
    const groups = Math.ceil(count / joined);
    return [
      {
        of: Int32Array.from({ length: count }, (_, block) => Math.floor(block / joined)),
        count: groups,
        follows: new Uint8Array(groups),
      },
    ];
  }
  const { chromosome, stretch, width } = places;
  const order = Array.from({ length: count }, (_, block) => block).sort(
    (a, b) => chromosome[a] - chromosome[b] || stretch[a] - stretch[b],
  );
  const whole = { ...joinAlong(order, places, () => 1), length: "chromosome" };
  const parted = (length: number) => {
    const groups = joinAlong(order, places, (span) => Math.max(Math.round((span * width) / length), 1));
    return groups.count === whole.count ? whole : { ...groups, length: `${length / 1e6} Mb` };
  };
  return [parted(width), ...LADDER.map(parted), whole];
}

/** @param partsOf  number of parts of a chromosome whose blocks span so many widths */
function joinAlong(
  order: readonly number[],
  { chromosome, stretch }: NonNullable<Blocks["places"]>,
  partsOf: (span: number) => number,
): Pick<BlockGroups, "of" | "count" | "follows"> {
  const of = new Int32Array(order.length);
  const follows: number[] = [];
  let start = 0;
  while (start < order.length) {
    const first = order[start];
    let end = start + 1;
    while (end < order.length && chromosome[order[end]] === chromosome[first]) end++;
    const span = stretch[order[end - 1]] - stretch[first] + 1;
    const parts = partsOf(span);
    let last = -2;
    for (let i = start; i < end; i++) {
      const part = Math.floor(((stretch[order[i]] - stretch[first]) * parts) / span);
      if (part !== last) follows.push(part === last + 1 ? 1 : 0);
      last = part;
      of[order[i]] = follows.length - 1;
    }
    start = end;
  }
  return { of, count: follows.length, follows: Uint8Array.from(follows) };
}

/** Sum of the values of each group's blocks. [groups] */
function groupSums({ of, count }: BlockGroups, values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(count);
  for (let block = 0; block < of.length; block++) sums[of[block]] += values[block];
  return sums;
}
