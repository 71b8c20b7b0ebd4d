import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";

/** Bytes read at once while nodes that lie together are walked through. */
const PIECE_BYTES = 2 ** 20;
/** A tree of this depth with two children per node would be larger than any disk. */
const DEEPEST = 48;
/** Genomes have fewer sequences, and fewer letters in the name of one. */
const MOST_CHROMOSOMES = 2 ** 24;
const LONGEST_NAME = 2 ** 12;
/** Blocks of values are of some 10 KiB; room for one, unpacked, is made before it is read. */
const LARGEST_BLOCK = 2 ** 28;
/** A summary this fine is none: no writer makes one. */
const FINEST_SUMMARY = 2;
const BIGWIG = 0x888ffc26;
const CHROMOSOMES = 0x78ca8c91;
const INDEX = 0x2468ace0;

/**
 * Walks through both trees of a bigWig file, of its chromosomes and of its blocks of values. The reader of the values trusts
 * them: a tree that bites its own tail would keep it busy for ever, and a node of an unknown kind would pass for no values.
 *
 * @throws {FormatError} when a node is of no known kind, leads out of the file, or is reached twice
 * @see Kent et al. 2010, doi:10.1093/bioinformatics/btq351, supplementary tables 5 to 17
 */
export async function checkBigWig(file: OpenFile): Promise<void> {
  if (file.size < 64) return; // The reader says that it is none.
  const head = await viewAt(file, 0, 64);
  if (head.getUint32(0, true) !== BIGWIG) return; // And what it is instead.
  const tree = offsetAt(file, head, 8);
  const index = offsetAt(file, head, 24);
  const summaries = await viewAt(file, 64, 24 * head.getUint16(6, true));
  for (let at = 0; at < summaries.byteLength; at += 24) {
    const bases = summaries.getUint32(at, true);
    // The reader would give it out for the values.
    if (bases <= FINEST_SUMMARY) throw damaged(file, `it has a summary of every ${bases} bases`);
  }
  const unpacked = head.getUint32(52, true);
  if (unpacked > LARGEST_BLOCK)
    throw damaged(file, `a block of values is said to unpack to ${unpacked} bytes`);

  const chromosomes = await viewAt(file, tree, 32);
  const [keyBytes, valueBytes] = [chromosomes.getUint32(8, true), chromosomes.getUint32(12, true)];
  const named =
    chromosomes.getUint32(0, true) === CHROMOSOMES && keyBytes <= LONGEST_NAME && valueBytes === 8;
  if (!named || chromosomes.getBigUint64(16, true) > MOST_CHROMOSOMES) {
    throw damaged(file, "the list of chromosomes has a damaged head");
  }
  const names = await walk(file, tree + 32, { leaf: keyBytes + 8, inner: keyBytes + 8, child: keyBytes });
  if (BigInt(names) !== chromosomes.getBigUint64(16, true)) {
    throw damaged(
      file,
      `it lists ${names} chromosomes and says that it has ${chromosomes.getBigUint64(16, true)}`,
    );
  }

  const blocks = await viewAt(file, index, 48);
  if (blocks.getUint32(0, true) !== INDEX) throw damaged(file, "the index of values has a damaged head");
  await walk(file, index + 48, { leaf: 32, inner: 24, child: 16, block: 16 });
}

/** Bytes of one item of a node, and where in it the offset of a child or of a block of values stands. */
interface Layout {
  readonly leaf: number;
  readonly inner: number;
  readonly child: number;
  /** In a leaf: followed by the block's length. */
  readonly block?: number;
}

/** @returns the number of items in leaves */
async function walk(file: OpenFile, root: number, layout: Layout): Promise<number> {
  let inLeaves = 0;
  const read = pieces(file);
  const seen = new Set<number>();
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === DEEPEST) throw damaged(file, `its tree is more than ${DEEPEST} levels deep`);
    const next: number[] = [];
    for (const at of level) {
      if (seen.has(at)) throw damaged(file, `two nodes of its tree lead to byte ${at}`);
      seen.add(at);
      const head = await read(at, 4);
      const kind = head.getUint8(0);
      const count = head.getUint16(2, true);
      if (kind > 1) throw damaged(file, `the node at byte ${at} is of the kind ${kind}; known are 0 and 1`);
      const size = kind === 1 ? layout.leaf : layout.inner;
      if (kind === 1) inLeaves += count;
      const items = await read(at + 4, count * size);
      for (let item = 0; item < count * size; item += size) {
        if (kind === 0) next.push(offsetAt(file, items, item + layout.child));
        else if (layout.block !== undefined) checkBlock(file, items, item + layout.block);
      }
    }
    level = next;
  }
  return inLeaves;
}

function checkBlock(file: OpenFile, items: DataView, at: number): void {
  const offset = offsetAt(file, items, at);
  const length = Number(items.getBigUint64(at + 8, true));
  if (offset + length > file.size || length > LARGEST_BLOCK) {
    throw damaged(file, `a block of ${length} bytes at byte ${offset} does not fit into the file`);
  }
}

/** Reads that mostly go on where the last one ended, with few of the disk. */
function pieces(file: OpenFile): (offset: number, length: number) => Promise<DataView> {
  let start = 0;
  let piece: DataView = new DataView(new ArrayBuffer(0));
  return async (offset, length) => {
    if (offset < start || offset + length > start + piece.byteLength) {
      const wanted = Math.max(length, PIECE_BYTES);
      piece = await viewAt(file, offset, Math.max(length, Math.min(wanted, file.size - offset)));
      start = offset;
    }
    return new DataView(piece.buffer, piece.byteOffset + offset - start, length);
  };
}

function offsetAt(file: OpenFile, view: DataView, at: number): number {
  const offset = Number(view.getBigUint64(at, true));
  return offset < file.size ? offset : fail(file, `it speaks of byte ${offset}, beyond the file's end`);
}

async function viewAt(file: OpenFile, offset: number, length: number): Promise<DataView> {
  if (offset + length > file.size)
    throw damaged(file, `it speaks of byte ${offset + length}, beyond the file's end`);
  const bytes = await file.read(offset, length);
  return dataView(bytes);
}

function fail(file: OpenFile, message: string): never {
  throw damaged(file, message);
}

const damaged = (file: OpenFile, message: string) =>
  new FormatError(
    { file: file.path },
    `the bigWig file is damaged: ${message}`,
    "was it downloaded completely?",
  );
