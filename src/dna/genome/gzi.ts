import { FormatError } from "../../base/errors.ts";
import type { BlockStart } from "./bgzip.ts";

/** A `.gzi`: the number of blocks after the first, then two 64-bit offsets for each. */
export function formatGzi(starts: readonly BlockStart[]): Uint8Array {
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
export function parseGzi(bytes: Uint8Array, path: string, size: number): BlockStart[] {
  const refuse = (what: string) =>
    new FormatError({ file: path }, what, "delete this index, and it will be made again");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
