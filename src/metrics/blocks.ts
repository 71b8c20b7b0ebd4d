import { InputError } from "../base/errors.ts";
import { requireFinite, requireSameLength } from "./input-checks.ts";

/**
 * Rows in groups that may depend on one another while the groups are taken as independent: what is resampled or left
 * out as a whole. Neighbours along a chromosome share composition, repeats and annotation; the two strands of one
 * background share everything.
 */
export interface Blocks {
  /** Block of each row, numbered from 0 in order of first appearance. [rows] */
  readonly of: Int32Array;
  /** Rows in each block, never 0. [blocks] */
  readonly sizes: Int32Array;
  /** What a block is, kebab-case; the first part of `Estimate.method`: "genomic-block". */
  readonly kind: string;
  /** Positions of the blocks along the genome; absent where blocks have none. */
  readonly places?: {
    /** Number of each block's chromosome. [blocks] */
    readonly chromosome: Int32Array;
    /** 0-based number of each block along its chromosome, in steps of `width`. [blocks] */
    readonly stretch: Int32Array;
    /** Bases. */
    readonly width: number;
  };
}

/** Bases [start, end) of a chromosome, 0-based and half-open. */
interface GenomicRow {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
}

/** Places of rows, column by column. */
export interface GenomicColumns {
  /** Names, or numbers that tell chromosomes apart. */
  readonly chromosomes: ArrayLike<string | number>;
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

/**
 * A number computed from rows in blocks, as a function of how often each block is there: all 1 gives the value itself,
 * a jackknife sets some of them to 0. NaN where those rows leave it undefined.
 */
export interface BlockStatistic {
  (times: Int32Array): number;
  /** For a statistic that compares classes of rows, the rows of each class in each block: [classes][blocks]. */
  readonly classes?: readonly Float64Array[];
}

/**
 * Width of a genomic block in bases: 1 Mb, the shortest stretch that an interval leaves out as a whole. `blockEstimate` joins
 * neighbouring blocks into longer ones.
 */
const GENOMIC_BLOCK = 1_000_000;

/**
 * Groups rows by a key of theirs.
 *
 * @param keys  one per row: a background's number, a gene's name
 * @param kind  what the key is, kebab-case: "background"
 */
export function blocksBy(keys: ArrayLike<string | number>, kind: string): Blocks {
  const numbers = new Map<string | number, number>();
  const of = new Int32Array(keys.length);
  const sizes: number[] = [];
  for (let row = 0; row < keys.length; row++) {
    let block = numbers.get(keys[row]);
    if (block === undefined) {
      block = numbers.size;
      numbers.set(keys[row], block);
      sizes.push(0);
    }
    of[row] = block;
    sizes[block]++;
  }
  return { of, sizes: Int32Array.from(sizes), kind };
}

/**
 * Contiguous stretches of chromosome, the default for rows along a genome: a row belongs to the stretch that holds
 * its midpoint.
 *
 * @param width  bases per block; default 1 Mb
 * @throws {InputError} when the width is not a whole number of bases
 */
export function genomicBlocks(rows: readonly GenomicRow[], width = GENOMIC_BLOCK): Blocks {
  return genomicBlocksOf(
    {
      chromosomes: rows.map(({ chrom }) => chrom),
      starts: rows.map(({ start }) => start),
      ends: rows.map(({ end }) => end),
    },
    width,
  );
}

/** `genomicBlocks` of rows as columns, all of one length. @throws {InputError} as `genomicBlocks` */
export function genomicBlocksOf(
  { chromosomes, starts, ends }: GenomicColumns,
  width = GENOMIC_BLOCK,
): Blocks {
  if (!(Number.isSafeInteger(width) && width > 0)) {
    throw new InputError(`a genomic block of ${width} bases is not possible; a whole number is needed`);
  }
  const found = new Map<string | number, { readonly number: number; readonly blocks: Map<number, number> }>();
  const of = new Int32Array(starts.length);
  const sizes: number[] = [];
  const chromosome: number[] = [];
  const stretch: number[] = [];
  for (let row = 0; row < starts.length; row++) {
    const at = Math.floor((starts[row] + ends[row]) / 2 / width);
    let along = found.get(chromosomes[row]);
    if (along === undefined) {
      along = { number: found.size, blocks: new Map() };
      found.set(chromosomes[row], along);
    }
    let block = along.blocks.get(at);
    if (block === undefined) {
      block = sizes.length;
      along.blocks.set(at, block);
      sizes.push(0);
      chromosome.push(along.number);
      stretch.push(at);
    }
    of[row] = block;
    sizes[block]++;
  }
  const places = { chromosome: Int32Array.from(chromosome), stretch: Int32Array.from(stretch), width };
  return { of, sizes: Int32Array.from(sizes), kind: "genomic-block", places };
}

/**
 * Whole chromosomes: the widest blocks there are, safe against dependence of any length, but few. The benchmark has six
 * test chromosomes, which leave five degrees of freedom, and they differ in size.
 */
export function chromosomeBlocks(rows: readonly Pick<GenomicRow, "chrom">[]): Blocks {
  return blocksBy(
    rows.map(({ chrom }) => chrom),
    "chromosome",
  );
}

/** Every row a block of its own, for rows that are independent. */
export function singleRows(rows: number): Blocks {
  return {
    of: Int32Array.from({ length: rows }, (_, row) => row),
    sizes: new Int32Array(rows).fill(1),
    kind: "row",
  };
}

/** Values of rows, such as 1 for rows of a class, added up by block. [blocks] */
export function blockSums(values: ArrayLike<number>, { of, sizes }: Blocks): Float64Array {
  const sums = new Float64Array(sizes.length);
  for (let row = 0; row < of.length; row++) sums[of[row]] += values[row];
  return sums;
}

/** The rows of each block, ascending. [blocks][rows] */
export function rowsOfBlocks({ of, sizes }: Blocks): readonly Int32Array[] {
  const rows = Array.from(sizes, (size) => new Int32Array(size));
  const filled = new Int32Array(sizes.length);
  of.forEach((block, row) => {
    rows[block][filled[block]++] = row;
  });
  return rows;
}

/**
 * Mean of each block's values: independent numbers for a test that needs them, such as `wilcoxon`.
 *
 * @returns  one per block, each block counting alike whatever its size
 * @throws {InputError} when there is not one value per row, or one is not finite
 */
export function blockMeans(values: ArrayLike<number>, blocks: Blocks): Float64Array {
  requireSameLength(values, blocks.of, ["values", "rows in blocks"]);
  requireFinite(values, "value");
  return blockSums(values, blocks).map((total, block) => total / blocks.sizes[block]);
}
