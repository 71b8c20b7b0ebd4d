import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";

/** Read-ahead buffer for adjacent nodes. */
const READ_BYTES = 2 ** 20;
/** Maximum depth of a tree: with two children per node, a deeper one would exceed any disk. */
const MAX_DEPTH = 48;
/** Limits far above those of any genome. */
const MAX_CHROMOSOMES = 2 ** 24;
const MAX_NAME_BYTES = 2 ** 12;
/** Maximum decompressed bytes of a data block (usually about 10 KiB), allocated before it is read. */
const MAX_BLOCK_BYTES = 2 ** 28;
/** No writer makes zoom levels this fine, and the reader would return them instead of the values. */
const FINEST_ZOOM = 2;
const BIGWIG = 0x888ffc26;
const CHROMOSOMES = 0x78ca8c91;
const INDEX = 0x2468ace0;

/**
 * Validates both trees of a bigWig file, the chromosome B+ tree and the R tree of data blocks. The reader of
 * @gmod/bbi trusts them: a cycle would never end, and a node of an unknown kind would read as no values.
 *
 * @throws {FormatError} when a node has an unknown kind, points outside the file, or is reached twice
 * @see Kent et al. 2010, doi:10.1093/bioinformatics/btq351, supplementary tables 5 to 17
 */
export async function checkBigWig(file: OpenFile): Promise<void> {
  if (file.size < 64) return; // The reader reports that it is not a bigWig file.
  const header = await viewAt(file, 0, 64);
  if (header.getUint32(0, true) !== BIGWIG) return; // The reader reports the actual type.
  const tree = offsetAt(file, header, 8);
  const index = offsetAt(file, header, 24);
  const zoomHeaders = await viewAt(file, 64, 24 * header.getUint16(6, true));
  for (let at = 0; at < zoomHeaders.byteLength; at += 24) {
    const bases = zoomHeaders.getUint32(at, true);
    if (bases <= FINEST_ZOOM) throw damaged(file, `it has a zoom level of ${bases} bases`);
  }
  const unpacked = header.getUint32(52, true);
  if (unpacked > MAX_BLOCK_BYTES)
    throw damaged(file, `its data blocks decompress to up to ${unpacked} bytes`);

  const chromosomes = await viewAt(file, tree, 32);
  const [keyBytes, valueBytes] = [chromosomes.getUint32(8, true), chromosomes.getUint32(12, true)];
  const named =
    chromosomes.getUint32(0, true) === CHROMOSOMES && keyBytes <= MAX_NAME_BYTES && valueBytes === 8;
  if (!named || chromosomes.getBigUint64(16, true) > MAX_CHROMOSOMES) {
    throw damaged(file, "the header of the chromosome tree is invalid");
  }
  const names = await walk(file, tree + 32, { leaf: keyBytes + 8, inner: keyBytes + 8, child: keyBytes });
  if (BigInt(names) !== chromosomes.getBigUint64(16, true)) {
    throw damaged(file, `it lists ${names} chromosomes and declares ${chromosomes.getBigUint64(16, true)}`);
  }

  const blocks = await viewAt(file, index, 48);
  if (blocks.getUint32(0, true) !== INDEX) throw damaged(file, "the header of the data index is invalid");
  await walk(file, index + 48, { leaf: 32, inner: 24, child: 16, block: 16 });
}

/** Layout of the items of a node: their sizes, and the position of the offset of a child or data block. */
interface Layout {
  readonly leaf: number;
  readonly inner: number;
  readonly child: number;
  /** In a leaf; the size of the block follows. */
  readonly block?: number;
}

/** Walks a tree breadth-first. @returns the number of items in its leaves */
async function walk(file: OpenFile, root: number, layout: Layout): Promise<number> {
  let inLeaves = 0;
  const read = bufferedReader(file);
  const seen = new Set<number>();
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAX_DEPTH) throw damaged(file, `its tree is more than ${MAX_DEPTH} levels deep`);
    const next: number[] = [];
    for (const at of level) {
      if (seen.has(at)) throw damaged(file, `two nodes of its tree point to byte ${at}`);
      seen.add(at);
      const { isLeaf, count, size, items } = await readNode(file, at, layout, read);
      if (isLeaf) inLeaves += count;
      for (let item = 0; item < count * size; item += size) {
        if (!isLeaf) next.push(offsetAt(file, items, item + layout.child));
        else if (layout.block !== undefined) checkBlock(file, items, item + layout.block);
      }
    }
    level = next;
  }
  return inLeaves;
}

/** Reads a node: its number of items, their size in bytes, and their bytes. */
async function readNode(file: OpenFile, at: number, layout: Layout, read: Read) {
  const head = await read(at, 4);
  const kind = head.getUint8(0);
  if (kind > 1) throw damaged(file, `the node at byte ${at} has the unknown kind ${kind}; expected 0 or 1`);
  const isLeaf = kind === 1;
  const count = head.getUint16(2, true);
  const size = isLeaf ? layout.leaf : layout.inner;
  return { isLeaf, count, size, items: await read(at + 4, count * size) };
}

function checkBlock(file: OpenFile, items: DataView, at: number): void {
  const offset = offsetAt(file, items, at);
  const length = Number(items.getBigUint64(at + 8, true));
  if (offset + length > file.size || length > MAX_BLOCK_BYTES) {
    throw damaged(file, `a data block of ${length} bytes at byte ${offset} does not fit into the file`);
  }
}

type Read = (offset: number, length: number) => Promise<DataView>;

/** Buffered reads, for mostly sequential access. */
function bufferedReader(file: OpenFile): Read {
  let start = 0;
  let piece: DataView = new DataView(new ArrayBuffer(0));
  return async (offset, length) => {
    if (offset < start || offset + length > start + piece.byteLength) {
      const wanted = Math.max(length, READ_BYTES);
      piece = await viewAt(file, offset, Math.max(length, Math.min(wanted, file.size - offset)));
      start = offset;
    }
    return new DataView(piece.buffer, piece.byteOffset + offset - start, length);
  };
}

function offsetAt(file: OpenFile, view: DataView, at: number): number {
  const offset = Number(view.getBigUint64(at, true));
  if (offset >= file.size) throw damaged(file, `it refers to byte ${offset}, beyond the end of the file`);
  return offset;
}

async function viewAt(file: OpenFile, offset: number, length: number): Promise<DataView> {
  if (offset + length > file.size)
    throw damaged(file, `it refers to byte ${offset + length}, beyond the end of the file`);
  const bytes = await file.read(offset, length);
  return dataView(bytes);
}

const damaged = (file: OpenFile, message: string) =>
  new FormatError({ file: file.path }, `the bigWig file is damaged: ${message}`, "is the download complete?");
