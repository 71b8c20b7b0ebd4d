import type { TwoBitFile } from "@gmod/twobit";
import { dataView } from "../../base/byte-cursor.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import { asGmodFile } from "./gmod-file.ts";
import type { SequenceSource } from "./sequence-source.ts";

/** Bases per read of a whole sequence; the reader returns a string for each. */
const READ_BASES = 2 ** 20;

/** Mask that converts ASCII letters to upper case: bits 5 and 6 of a lower-case letter are set. */
const UPPER_CASE = 0xdf;

/** Magic number of a 2bit file. */
const SIGNATURE = 0x1a412743;

/** Byte order of the 2bit file that starts with these bytes; undefined for another format. */
export function twoBitByteOrder(start: Uint8Array): "little-endian" | "big-endian" | undefined {
  if (start.length < 4) return undefined;
  const view = dataView(start);
  if (view.getUint32(0, true) === SIGNATURE) return "little-endian";
  return view.getUint32(0, false) === SIGNATURE ? "big-endian" : undefined;
}

/**
 * Sequences of a UCSC 2bit file.
 *
 * @throws {FormatError} when the file is big-endian or truncated, or its index is invalid
 * @see https://genome.ucsc.edu/FAQ/FAQformat.html#format7
 */
export async function openTwoBit(file: OpenFile): Promise<SequenceSource> {
  const start = await file.read(0, Math.min(16, file.size));
  if (twoBitByteOrder(start) !== "little-endian") {
    throw new FormatError(
      { file: file.path },
      "this 2bit file was written on a big-endian machine, which is not supported",
      "convert it with twoBitToFa and faToTwoBit",
    );
  }
  const { TwoBitFile: Reader } = await import("@gmod/twobit");
  const reader = new Reader({ filehandle: asGmodFile(file) });
  const readError = (cause: unknown) =>
    cause instanceof InputError
      ? cause
      : new FormatError({ file: file.path }, "the 2bit file is damaged or truncated", undefined, cause);
  const lengths = await readLengths(reader, file).catch((cause) => Promise.reject(readError(cause)));

  const checked = new Map<string, Promise<void>>();
  const check = async (name: string) => checkNBlocks(file, name, (await reader.getIndex())[name]);

  async function read(name: string, from: number, to: number): Promise<string> {
    if (!checked.has(name)) checked.set(name, check(name));
    await checked.get(name);
    const letters = await reader
      .getSequence(name, from, to)
      .catch((cause) => Promise.reject(readError(cause)));
    if (letters?.length !== to - from) throw readError(undefined);
    return letters;
  }

  /** A whole sequence as ASCII bytes, soft-masked bases in lower case. */
  async function readLetters(name: string): Promise<Uint8Array> {
    const length = valueAt(lengths, name);
    const letters = new Uint8Array(length);
    const encoder = new TextEncoder();
    for (let from = 0; from < length; from += READ_BASES) {
      encoder.encodeInto(await read(name, from, Math.min(from + READ_BASES, length)), letters.subarray(from));
    }
    return letters;
  }

  return {
    lengths,
    read,
    async readWhole(name) {
      const letters = await readLetters(name);
      for (let i = 0; i < letters.length; i++) letters[i] &= UPPER_CASE;
      return letters;
    },
    async readMask(name) {
      const letters = await readLetters(name);
      for (let i = 0; i < letters.length; i++) letters[i] = letters[i] >> 5 === 3 ? 1 : 0;
      return letters;
    },
  };
}

/**
 * Checks that the blocks of N of a sequence are in order, disjoint and not empty. On other input the reader
 * loops forever.
 *
 * @param offset  offset of the record of the sequence: its length, the number of blocks, their starts, their
 *   lengths
 */
async function checkNBlocks(file: OpenFile, name: string, offset: number): Promise<void> {
  const head = uint32s(await file.read(offset, 8));
  const [length, count] = [head(0), head(1)];
  const block = uint32s(await file.read(offset + 8, 8 * count));
  for (let i = 0, before = 0; i < count; i++) {
    const start = block(i);
    const end = start + block(count + i);
    if (start < before || end <= start || end > length) {
      throw new FormatError(
        { file: file.path },
        `the 2bit file is damaged: sequence ${JSON.stringify(name)} of ${length} bases has an invalid block of N from ${start} to ${end}`,
      );
    }
    before = end;
  }
}

/** Accessor of little-endian 32-bit integers. */
function uint32s(bytes: Uint8Array): (i: number) => number {
  const view = dataView(bytes);
  return (i) => view.getUint32(4 * i, true);
}

async function readLengths(reader: TwoBitFile, file: OpenFile): Promise<Map<string, number>> {
  const { sequenceCount } = await reader.getHeader();
  const lengths = new Map(Object.entries(await reader.getSequenceSizes()));
  if (lengths.size !== sequenceCount || sequenceCount === 0) {
    throw new FormatError(
      { file: file.path },
      `the file declares ${sequenceCount} sequences and has ${lengths.size} distinct names`,
    );
  }
  for (const [name, length] of lengths) {
    if (length / 4 > file.size) {
      throw new FormatError(
        { file: file.path },
        `sequence ${JSON.stringify(name)} is ${length} bases long, more than the file can contain`,
      );
    }
  }
  return lengths;
}
