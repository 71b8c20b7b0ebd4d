import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import { bytesIfPresent, type OpenFile } from "../../base/read-file.ts";
import { writeCacheFile } from "../../base/write-file.ts";
import { type BlockStart, readBgzip } from "./bgzip.ts";
import { FastaIndexBuilder, type FastaIndexEntry, formatFastaIndex, parseFastaIndex } from "./fasta-index.ts";

const PIECE_BYTES = 2 ** 23;

/** The `.fai` of a plain FASTA file: read from beside it, or made, and kept beside it where that is allowed. */
export async function plainFastaIndex(file: OpenFile): Promise<FastaIndexEntry[]> {
  const path = `${file.path}.fai`;
  const known = await bytesIfPresent(path);
  if (known !== undefined) return parseFastaIndex(textOf(known), path);
  const builder = new FastaIndexBuilder(file.path);
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    builder.add(await file.read(at, Math.min(PIECE_BYTES, file.size - at)));
  }
  const entries = builder.finish();
  await writeCacheFile(path, formatFastaIndex(entries));
  return entries;
}

/** The `.fai` and the `.gzi` of a bgzip FASTA file, in the same way; one reading makes both. */
export async function bgzipFastaIndex(
  file: OpenFile,
): Promise<{ entries: FastaIndexEntry[]; starts: readonly BlockStart[] }> {
  const faiPath = `${file.path}.fai`;
  const gziPath = `${file.path}.gzi`;
  const knownFai = await bytesIfPresent(faiPath);
  const knownGzi = await bytesIfPresent(gziPath);
  const knownStarts = knownGzi && parseGzi(knownGzi, gziPath, file.size);
  const knownEntries = knownFai && parseFastaIndex(textOf(knownFai), faiPath);
  if (knownEntries !== undefined && knownStarts !== undefined) {
    return { entries: knownEntries, starts: knownStarts };
  }

  const builder = new FastaIndexBuilder(file.path);
  const found = await readBgzip(file, (text) => builder.add(text));
  const entries = knownEntries ?? builder.finish();
  const gzi = knownGzi ?? formatGzi(found);
  if (knownEntries === undefined) await writeCacheFile(faiPath, formatFastaIndex(entries));
  if (knownGzi === undefined) await writeCacheFile(gziPath, gzi);
  return { entries, starts: parseGzi(gzi, gziPath, file.size) };
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A `.gzi`: the number of blocks after the first, then two 64-bit offsets for each. */
function formatGzi(starts: readonly BlockStart[]): Uint8Array {
  const later = starts.slice(1);
  const bytes = new Uint8Array(8 + 16 * later.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(later.length), true);
  later.forEach(([compressed, uncompressed], i) => {
    view.setBigUint64(8 + 16 * i, BigInt(compressed), true);
    view.setBigUint64(16 + 16 * i, BigInt(uncompressed), true);
  });
  return bytes;
}

/**
 * Reads a `.gzi`: where the blocks begin, the first included.
 * @throws {FormatError} naming the index, when it cannot belong to a file of `size` bytes
 */
function parseGzi(bytes: Uint8Array, path: string, size: number): BlockStart[] {
  const refuse = (what: string) =>
    new FormatError({ file: path }, what, "delete this index, and it will be made again");
  const view = dataView(bytes);
  const count = (bytes.length - 8) / 16;
  if (!Number.isInteger(count) || count < 0 || view.getBigUint64(0, true) !== BigInt(count)) {
    throw refuse(`the index has ${bytes.length} bytes, which is not what its number of blocks needs`);
  }
  let before: BlockStart = [0, 0];
  const starts = [before];
  for (let i = 0; i < count; i++) {
    const compressed = Number(view.getBigUint64(8 + 16 * i, true));
    const uncompressed = Number(view.getBigUint64(16 + 16 * i, true));
    const inOrder = compressed > before[0] && uncompressed > before[1] && uncompressed - before[1] <= 2 ** 16;
    if (!inOrder || compressed >= size) {
      throw refuse(`block ${i + 2} is said to begin at byte ${compressed}, which cannot be in this file`);
    }
    before = [compressed, uncompressed];
    starts.push(before);
  }
  return starts;
}
