import type { Blocks } from "./blocks.ts";

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
export function groupLadder(blocks: Blocks): readonly [BlockGroups, ...BlockGroups[]] {
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
    (a, b) => chromosome[a]! - chromosome[b]! || stretch[a]! - stretch[b]!,
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
    const first = order[start]!;
    let end = start + 1;
    while (end < order.length && chromosome[order[end]!] === chromosome[first]) end++;
    const span = stretch[order[end - 1]!]! - stretch[first]! + 1;
    const parts = partsOf(span);
    let last = -2;
    for (let i = start; i < end; i++) {
      const part = Math.floor(((stretch[order[i]!]! - stretch[first]!) * parts) / span);
      if (part !== last) follows.push(part === last + 1 ? 1 : 0);
      last = part;
      of[order[i]!] = follows.length - 1;
    }
    start = end;
  }
  return { of, count: follows.length, follows: Uint8Array.from(follows) };
}

/** Sum of the values of each group's blocks. [groups] */
export function groupSums({ of, count }: BlockGroups, values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(count);
  for (let block = 0; block < of.length; block++) sums[of[block]!]! += values[block]!;
  return sums;
}
