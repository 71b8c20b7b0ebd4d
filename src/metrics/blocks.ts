import { InputError } from "../base/errors.ts";
import { requireFinite, requireSameLength } from "./input-checks.ts";

/**
 * Sizes of blocks of rows. Rows of one block may depend on one another; blocks are taken as independent, and
 * are left out as a whole. Neighbours along a chromosome share composition, repeats and annotation; both
 * strands of one background sequence share everything.
 */
export interface BlockSizes {
  /** Rows in each block, never 0. [blocks] */
  readonly sizes: Int32Array;
  /** Kind of block, kebab-case; the first part of `Estimate.method`: "genomic-block". */
  readonly kind: string;
  /** Positions of the blocks along the genome; absent for blocks without positions. */
  readonly positions?: {
    /** Chromosome of each block, as a number. [blocks] */
    readonly chromosome: Int32Array;
    /** 0-based bin of each block along its chromosome, in bins of `width`. [blocks] */
    readonly bin: Int32Array;
    /** Width of a bin in bases. */
    readonly width: number;
  };
}

/** Rows in blocks. */
export interface Blocks extends BlockSizes {
  /** Block of each row, numbered from 0 in order of first appearance. [rows] */
  readonly of: Int32Array;
}

/** Bases [start, end) of a chromosome, 0-based and half-open. */
export interface GenomicRow {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
}

/** Genomic intervals column by column, 0-based and half-open. */
export interface GenomicColumns {
  /** Names, or numbers that identify chromosomes. */
  readonly chromosomes: ArrayLike<string | number>;
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

/**
 * A number computed from rows in blocks, as a function of how often each block is counted: all 1 gives the
 * value itself, a jackknife sets some to 0. NaN where the counted rows leave it undefined.
 */
export interface BlockStatistic {
  (times: Int32Array): number;
  /** For a statistic over classes of rows, the rows of each class in each block: [classes][blocks]. */
  readonly classes?: readonly Float64Array[];
}

/**
 * Width of a genomic block in bases: 1 Mb, the shortest block of the jackknife. `blockEstimate` joins
 * neighbouring blocks into longer ones.
 */
const GENOMIC_BLOCK = 1_000_000;

/**
 * Groups rows by a key.
 *
 * @param keys  one per row, such as the name of a gene
 * @param kind  kind of block, kebab-case: "background"
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
 * Blocks of fixed width along each chromosome, the default for genomic rows: a row belongs to the block of
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

/**
 * `genomicBlocks` of rows given column by column, all columns of one length.
 *
 * @throws {InputError} as `genomicBlocks`
 */
export function genomicBlocksOf(
  { chromosomes, starts, ends }: GenomicColumns,
  width = GENOMIC_BLOCK,
): Blocks {
  const numbers = new GenomicBlockNumbers(width);
  const of = new Int32Array(starts.length);
  for (let row = 0; row < starts.length; row++) {
    of[row] = numbers.add(chromosomes[row], starts[row], ends[row]);
  }
  return { of, ...numbers.blocks() };
}

/** `genomicBlocksOf` for rows that arrive one after another. */
export class GenomicBlockNumbers {
  readonly #found = new Map<
    string | number,
    { readonly number: number; readonly blocks: Map<number, number> }
  >();
  readonly #sizes: number[] = [];
  readonly #chromosome: number[] = [];
  readonly #bin: number[] = [];

  /** @throws {InputError} as `genomicBlocks` */
  constructor(private readonly width = GENOMIC_BLOCK) {
    if (Number.isSafeInteger(width) && width > 0) return;
    throw new InputError(`the width of genomic blocks is ${width}; expected a whole number of bases above 0`);
  }

  /**
   * Adds a row to its block.
   *
   * @param chromosome  its name, or a number that identifies it
   * @returns           number of the block, from 0 in order of first appearance
   */
  add(chromosome: string | number, start: number, end: number): number {
    const at = Math.floor((start + end) / 2 / this.width);
    let along = this.#found.get(chromosome);
    if (along === undefined) {
      along = { number: this.#found.size, blocks: new Map() };
      this.#found.set(chromosome, along);
    }
    let block = along.blocks.get(at);
    if (block === undefined) {
      block = this.#sizes.length;
      along.blocks.set(at, block);
      this.#sizes.push(0);
      this.#chromosome.push(along.number);
      this.#bin.push(at);
    }
    this.#sizes[block]++;
    return block;
  }

  /** The blocks of all rows so far. */
  blocks(): BlockSizes {
    return {
      sizes: Int32Array.from(this.#sizes),
      kind: "genomic-block",
      positions: {
        chromosome: Int32Array.from(this.#chromosome),
        bin: Int32Array.from(this.#bin),
        width: this.width,
      },
    };
  }
}

/**
 * Whole chromosomes as blocks: the longest possible, safe against dependence of any length, but few. The
 * benchmark has six test chromosomes of different sizes, which leave five degrees of freedom or fewer.
 */
export function chromosomeBlocks(rows: readonly Pick<GenomicRow, "chrom">[]): Blocks {
  return blocksBy(
    rows.map(({ chrom }) => chrom),
    "chromosome",
  );
}

/** Every row as a block of its own, for independent rows. */
export function singleRows(rows: number): Blocks {
  return {
    of: Int32Array.from({ length: rows }, (_, row) => row),
    sizes: new Int32Array(rows).fill(1),
    kind: "row",
  };
}

/** Number of rows in all blocks. */
export const rowsIn = ({ sizes }: BlockSizes): number => sizes.reduce((rows, size) => rows + size, 0);

/** Sums of row values by block, such as 1 for each row of a class. [blocks] */
export function blockSums(values: ArrayLike<number>, { of, sizes }: Blocks): Float64Array {
  const sums = new Float64Array(sizes.length);
  for (let row = 0; row < of.length; row++) sums[of[row]] += values[row];
  return sums;
}

/** Row numbers of each block, ascending. [blocks][rows] */
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
 * @returns  one per block; blocks have equal weight whatever their size
 * @throws {InputError} when the number of values is not the number of rows in blocks, or a value is not
 *                      finite
 */
export function blockMeans(values: ArrayLike<number>, blocks: Blocks): Float64Array {
  requireSameLength(values, blocks.of, ["values", "rows in blocks"]);
  requireFinite(values, "value");
  return blockSums(values, blocks).map((total, block) => total / blocks.sizes[block]);
}
