import type { BlockSizes } from "./blocks.ts";

/** Blocks joined into groups, which the jackknife leaves out as a whole. */
export interface BlockGroups {
  /** Group of each block, numbered from 0; in the order of positions along a chromosome. [blocks] */
  readonly of: Int32Array;
  readonly count: number;
  /** 1 where a group adjoins the previous one on the same chromosome. [groups] */
  readonly follows: Uint8Array;
  /** Length along the genome: "16 Mb", "chromosome". Absent for blocks without positions. */
  readonly length?: string;
}

/** Lengths of joined blocks along the genome, in bases. */
const LADDER = [4_000_000, 16_000_000];

/**
 * Blocks without positions beyond this number are joined in order of appearance: more cost time and add
 * hardly any precision.
 */
const MAX_BLOCKS = 500;

/**
 * Beyond this number of groups along the genome, scaffolds are joined: each group takes one pass over the
 * blocks or rows.
 */
const MAX_ALONG_GENOME = 1000;

/**
 * Groupings of blocks, from short to long: for genomic blocks about 1, 4 and 16 Mb and whole chromosomes; for
 * others a single one, of at most 500 groups in order of appearance.
 *
 * Each chromosome is divided into equal parts from its first block to its last, so that none is a short
 * remainder. In a genome of more than 1,000 groups, consecutive sequences that are not divided are joined, in
 * order of appearance, to groups of at most 1/500 of the rows.
 */
export function groupLadder(blocks: BlockSizes): readonly [BlockGroups, ...BlockGroups[]] {
  const { positions } = blocks;
  const count = blocks.sizes.length;
  if (positions === undefined) {
    const joined = Math.max(Math.ceil(count / MAX_BLOCKS), 1);
    const groups = Math.ceil(count / joined);
    return [
      {
        of: Int32Array.from({ length: count }, (_, block) => Math.floor(block / joined)),
        count: groups,
        follows: new Uint8Array(groups),
      },
    ];
  }
  const { chromosome, bin, width } = positions;
  const order = Array.from({ length: count }, (_, block) => block).sort(
    (a, b) => chromosome[a] - chromosome[b] || bin[a] - bin[b],
  );
  const whole = { ...joinAlong(order, blocks.sizes, positions, () => 1), length: "chromosome" };
  const parted = (length: number) => {
    const partsOf = (span: number) => Math.max(Math.round((span * width) / length), 1);
    const groups = joinAlong(order, blocks.sizes, positions, partsOf);
    return groups.count === whole.count ? whole : { ...groups, length: `${length / 1e6} Mb` };
  };
  return [parted(width), ...LADDER.map(parted), whole];
}

/**
 * Joins blocks along each chromosome, and chromosomes where there are more than 1,000 groups.
 *
 * @param order    blocks by position
 * @param sizes    rows of each block
 * @param partsOf  number of parts of a chromosome whose blocks span this many bins
 */
function joinAlong(
  order: readonly number[],
  sizes: Int32Array,
  positions: Positions,
  partsOf: (span: number) => number,
): JoinedBlocks {
  const apart = joinUpTo(0, order, sizes, positions, partsOf);
  if (apart.count <= MAX_ALONG_GENOME) return apart;
  const rows = sizes.reduce((sum, size) => sum + size, 0);
  return joinUpTo(rows / MAX_BLOCKS, order, sizes, positions, partsOf);
}

type Positions = NonNullable<BlockSizes["positions"]>;
type JoinedBlocks = Pick<BlockGroups, "of" | "count" | "follows">;

/** Joins blocks along each chromosome, and chromosomes to groups of at most so many rows. */
function joinUpTo(
  most: number,
  order: readonly number[],
  sizes: Int32Array,
  { chromosome, bin }: Positions,
  partsOf: (span: number) => number,
): JoinedBlocks {
  const of = new Int32Array(order.length);
  const follows: number[] = [];
  // Rows of the last group, which another chromosome may join; infinite for a part of a chromosome.
  let joined = Number.POSITIVE_INFINITY;
  for (const blocks of blocksByChromosome(order, chromosome)) {
    const first = bin[blocks[0]];
    const span = bin[blocks[blocks.length - 1]] - first + 1;
    const parts = partsOf(span);
    const rows = blocks.reduce((sum, block) => sum + sizes[block], 0);
    const joins = parts === 1 && joined + rows <= most;
    joined = parts > 1 ? Number.POSITIVE_INFINITY : joins ? joined + rows : rows;
    let last = joins ? 0 : -2;
    for (const block of blocks) {
      const part = Math.floor(((bin[block] - first) * parts) / span);
      if (part !== last) follows.push(part === last + 1 ? 1 : 0);
      last = part;
      of[block] = follows.length - 1;
    }
  }
  return { of, count: follows.length, follows: Uint8Array.from(follows) };
}

/** Blocks of each chromosome in turn. */
function* blocksByChromosome(
  order: readonly number[],
  chromosome: ArrayLike<number>,
): Generator<readonly number[]> {
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && chromosome[order[end]] === chromosome[order[start]]) end++;
    yield order.slice(start, end);
  }
}

/** Sum of the values of each group's blocks. [groups] */
export function groupSums({ of, count }: BlockGroups, values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(count);
  for (let block = 0; block < of.length; block++) sums[of[block]] += values[block];
  return sums;
}
