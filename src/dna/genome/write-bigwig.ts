import { InputError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";

/** Runs per data block and children per index node: the defaults of UCSC's tools. */
const ITEMS_PER_BLOCK = 1024;
const CHILDREN_PER_NODE = 256;

const HEADER_BYTES = 64;
const SUMMARY_BYTES = 40;
const BLOCK_HEADER_BYTES = 24;
const ITEM_BYTES = 12;
const TREE_HEADER_BYTES = 48;
const LEAF_BYTES = 32;
const BRANCH_BYTES = 24;

/** Genomic range that may span chromosomes. */
interface Span {
  readonly startChrom: number;
  readonly start: number;
  readonly endChrom: number;
  readonly end: number;
}

/** A run of equal values over bases [start, end). */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** A data block: runs of one chromosome, sorted by start. */
interface Block extends Span {
  readonly runs: readonly Run[];
}

/**
 * Encodes a signal as a bigWig file, version 4.
 *
 * Data blocks contain uncompressed bedGraph items, so equal signals give equal bytes on every machine. There
 * are no zoom levels. Bases with value 0 have no item, as in files of cut counts; readers return 0 or NaN
 * there. The file is built in memory: suitable for genomes of up to tens of megabases.
 *
 * @param signal  one value per base of each chromosome
 * @throws {InputError} when a value is not finite, or a name is empty or not printable ASCII
 * @see Kent et al. 2010, doi:10.1093/bioinformatics/btq351, supplementary tables 5 to 17
 */
export function bigWigBytes(signal: ReadonlyMap<string, ArrayLike<number>>): Uint8Array {
  // The chromosome tree is searched by name: ids follow the sorted names.
  const names = Array.from(signal.keys()).sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    if (!/^[!-~]+$/.test(name))
      throw new InputError(`${JSON.stringify(name)} is not a valid chromosome name for bigWig`);
  }
  const blocks = names.flatMap((name, chrom) => blocksOf(chrom, name, valueAt(signal, name)));
  const levels = treeLevels(blocks);

  const keyBytes = Math.max(1, ...names.map((name) => name.length));
  const chromTree = HEADER_BYTES + SUMMARY_BYTES;
  const data = chromTree + 32 + 4 + names.length * (keyBytes + 8);
  const blockOffsets = cumulativeOffsets(
    data + 8,
    blocks.map(({ runs }) => BLOCK_HEADER_BYTES + runs.length * ITEM_BYTES),
  );
  const index = blockOffsets[blocks.length];
  const treeBytes = levels.flat().reduce((sum, node) => sum + nodeBytes(node), 0);
  const bytes = new Uint8Array(index + TREE_HEADER_BYTES + treeBytes + 4);

  const out = new Writer(bytes);
  writeHeader(out, { chromTree, data, index });
  writeSummary(out, blocks);
  writeChromosomes(out, names, keyBytes, signal);
  out.u64(blocks.length);
  for (const block of blocks) writeBlock(out, block);
  writeTree(out, levels, blocks.length, index, blockOffsets);
  out.u32(BIGWIG_MAGIC);
  return bytes;
}

const BIGWIG_MAGIC = 0x888f_fc26;
const CHROM_TREE_MAGIC = 0x78ca_8c91;
const TREE_MAGIC = 0x2468_ace0;

function blocksOf(chrom: number, name: string, values: ArrayLike<number>): Block[] {
  const blocks: Block[] = [];
  let runs: Run[] = [];
  const close = () => {
    const [first, last] = [runs[0], runs.at(-1)];
    if (first === undefined || last === undefined) return;
    blocks.push({ startChrom: chrom, start: first.start, endChrom: chrom, end: last.end, runs });
    runs = [];
  };
  for (let start = 0, end: number; start < values.length; start = end) {
    const value = values[start];
    if (!Number.isFinite(value)) {
      throw new InputError(
        `the signal of ${name} at base ${start} is ${value}; bigWig values must be finite`,
      );
    }
    end = start + 1;
    while (end < values.length && values[end] === value) end++;
    if (value === 0) continue;
    runs.push({ start, end, value });
    if (runs.length === ITEMS_PER_BLOCK) close();
  }
  close();
  return blocks;
}

/** A node of the R tree with the ranges of its children. */
interface Node extends Span {
  readonly children: readonly Span[];
  readonly leaf: boolean;
}

const nodeBytes = ({ leaf, children }: Node) => 4 + children.length * (leaf ? LEAF_BYTES : BRANCH_BYTES);

/** Levels of the R tree from the root to the leaves. Without data the root is an empty leaf. */
function treeLevels(blocks: readonly Block[]): Node[][] {
  let level = groups(blocks, true);
  const levels = [level];
  while (level.length > 1) {
    level = groups(level, false);
    levels.unshift(level);
  }
  return levels;
}

function groups(spans: readonly Span[], leaf: boolean): Node[] {
  const nodes: Node[] = [];
  for (let i = 0; i === 0 || i < spans.length; i += CHILDREN_PER_NODE) {
    const children = spans.slice(i, i + CHILDREN_PER_NODE);
    nodes.push({ ...spanOf(children), children, leaf });
  }
  return nodes;
}

function spanOf(spans: readonly Span[]): Span {
  const [first, last] = [spans[0], spans.at(-1)];
  return {
    startChrom: first?.startChrom ?? 0,
    start: first?.start ?? 0,
    endChrom: last?.endChrom ?? 0,
    end: last?.end ?? 0,
  };
}

/** Cumulative offsets: start, start + sizes[0], …; one more than there are sizes. */
function cumulativeOffsets(start: number, sizes: readonly number[]): number[] {
  const offsets = [start];
  for (const [i, size] of sizes.entries()) offsets.push(offsets[i] + size);
  return offsets;
}

/** Sequential writer of little-endian fields. */
class Writer {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }
  u16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }
  u32(...values: readonly number[]): void {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
  }
  u64(...values: readonly number[]): void {
    for (const value of values) {
      this.#view.setBigUint64(this.#at, BigInt(value), true);
      this.#at += 8;
    }
  }
  f32(value: number): void {
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }
  f64(...values: readonly number[]): void {
    for (const value of values) {
      this.#view.setFloat64(this.#at, value, true);
      this.#at += 8;
    }
  }
  span({ startChrom, start, endChrom, end }: Span): void {
    this.u32(startChrom, start, endChrom, end);
  }
}

function writeHeader(out: Writer, offsets: { chromTree: number; data: number; index: number }): void {
  out.u32(BIGWIG_MAGIC);
  out.u16(4); // version
  out.u16(0); // zoom levels
  out.u64(offsets.chromTree, offsets.data, offsets.index);
  out.u16(0); // fields and defined fields: of bigBed only
  out.u16(0);
  out.u64(0, HEADER_BYTES); // autoSql (none), total summary
  out.u32(0); // decompression buffer: none, blocks are not compressed
  out.u64(0); // extension header: none
}

function writeSummary(out: Writer, blocks: readonly Block[]): void {
  let covered = 0;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let squares = 0;
  for (const { runs } of blocks) {
    for (const { start, end, value } of runs) {
      covered += end - start;
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
      sum += (end - start) * value;
      squares += (end - start) * value * value;
    }
  }
  out.u64(covered);
  out.f64(covered === 0 ? 0 : lowest, covered === 0 ? 0 : highest, sum, squares);
}

/** Writes the chromosome B+ tree with a single leaf. */
function writeChromosomes(
  out: Writer,
  names: readonly string[],
  keyBytes: number,
  signal: ReadonlyMap<string, ArrayLike<number>>,
): void {
  if (names.length > 0xffff)
    throw new InputError(`${names.length} chromosomes exceed the limit of 65535 of this bigWig writer`);
  out.u32(CHROM_TREE_MAGIC, Math.max(1, names.length), keyBytes, 8);
  out.u64(names.length, 0);
  out.u8(1); // a leaf
  out.u8(0);
  out.u16(names.length);
  names.forEach((name, chrom) => {
    for (let i = 0; i < keyBytes; i++) out.u8(i < name.length ? name.charCodeAt(i) : 0);
    out.u32(chrom, valueAt(signal, name).length);
  });
}

function writeBlock(out: Writer, { startChrom, start, end, runs }: Block): void {
  out.u32(startChrom, start, end, 0, 0); // step and span: not used by bedGraph
  out.u8(1); // bedGraph
  out.u8(0);
  out.u16(runs.length);
  for (const run of runs) {
    out.u32(run.start, run.end);
    out.f32(run.value);
  }
}

function writeTree(
  out: Writer,
  levels: readonly Node[][],
  blocks: number,
  index: number,
  blockOffsets: readonly number[],
): void {
  out.u32(TREE_MAGIC, CHILDREN_PER_NODE);
  out.u64(blocks);
  out.span(levels[0][0]);
  out.u64(index); // end of the data
  out.u32(1, 0); // items per leaf slot
  let levelStart = index + TREE_HEADER_BYTES;
  let block = 0;
  for (const level of levels) {
    const below = levels[levels.indexOf(level) + 1] ?? [];
    levelStart += level.reduce((sum, node) => sum + nodeBytes(node), 0);
    const childOffsets = cumulativeOffsets(levelStart, below.map(nodeBytes));
    let child = 0;
    for (const { leaf, children } of level) {
      out.u8(leaf ? 1 : 0);
      out.u8(0);
      out.u16(children.length);
      for (const span of children) {
        out.span(span);
        if (leaf) out.u64(blockOffsets[block], blockOffsets[block + 1] - blockOffsets[block++]);
        else out.u64(childOffsets[child++]);
      }
    }
  }
}
