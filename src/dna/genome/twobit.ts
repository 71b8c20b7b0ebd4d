import { TwoBitFile } from "@gmod/twobit";
import { dataView } from "../../base/byte-cursor.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";
import { asGmodFile } from "./gmod-file.ts";
import type { SequenceSource } from "./sequence-source.ts";

/** Bases taken at once while a whole sequence is read: the reader makes a string of each piece. */
const PIECE_BASES = 2 ** 20;

/** The first four bytes of a little-endian and of a big-endian 2bit file. */
const SIGNATURE = 0x1a412743;

/** Which 2bit file bytes begin, if any. */
export function twoBitByteOrder(start: Uint8Array): "little-endian" | "big-endian" | undefined {
  if (start.length < 4) return undefined;
  const view = dataView(start);
  if (view.getUint32(0, true) === SIGNATURE) return "little-endian";
  return view.getUint32(0, false) === SIGNATURE ? "big-endian" : undefined;
}

/**
 * Sequences of a UCSC 2bit file.
 *
 * @throws {FormatError} when the file is big-endian, cut off, or its index cannot be
 * @see https://genome.ucsc.edu/FAQ/FAQformat.html#format7
 */
export async function openTwoBit(file: OpenFile): Promise<SequenceSource> {
  const start = await file.read(0, Math.min(16, file.size));
  if (twoBitByteOrder(start) !== "little-endian") {
    throw new FormatError(
      { file: file.path },
      "this 2bit file was written on a big-endian machine, which is not supported",
      "convert it: twoBitToFa, then faToTwoBit",
    );
  }
  const reader = new TwoBitFile({ filehandle: asGmodFile(file) });
  const trouble = (cause: unknown) =>
    cause instanceof InputError
      ? cause
      : new FormatError({ file: file.path }, "the 2bit file is damaged or cut off", undefined, cause);
  const lengths = await readLengths(reader, file).catch((cause) => Promise.reject(trouble(cause)));

  const checked = new Map<string, Promise<void>>();
  const check = async (name: string) => checkUnknown(file, name, (await reader.getIndex())[name]);

  async function read(name: string, from: number, to: number): Promise<string> {
    if (!checked.has(name)) checked.set(name, check(name));
    await checked.get(name);
    const letters = await reader.getSequence(name, from, to).catch((cause) => Promise.reject(trouble(cause)));
    if (letters?.length !== to - from) throw trouble(undefined);
    return letters;
  }

  async function readWhole(name: string): Promise<Uint8Array> {
    const length = lengths.get(name)!;
    const letters = new Uint8Array(length);
    const encoder = new TextEncoder();
    for (let from = 0; from < length; from += PIECE_BASES) {
      const piece = await read(name, from, Math.min(from + PIECE_BASES, length));
      encoder.encodeInto(piece.toUpperCase(), letters.subarray(from));
    }
    return letters;
  }

  return { lengths, read, readWhole };
}

/**
 * The stretches of N of a sequence lie in order, none over another and none without a letter: the reader walks from one to the
 * next and would stand still for ever where that does not hold.
 *
 * @param offset  of the sequence's record: its length, the number of stretches, their starts, their lengths
 */
async function checkUnknown(file: OpenFile, name: string, offset: number): Promise<void> {
  const head = words(await file.read(offset, 8));
  const [length, count] = [head(0), head(1)];
  const stretch = words(await file.read(offset + 8, 8 * count));
  for (let i = 0, before = 0; i < count; i++) {
    const start = stretch(i);
    const end = start + stretch(count + i);
    if (start < before || end <= start || end > length) {
      throw new FormatError(
        { file: file.path },
        `the 2bit file is damaged: sequence ${JSON.stringify(name)} of ${length} bases is said to have no letters from base ${start} to ${end}`,
      );
    }
    before = end;
  }
}

/** Little-endian 32-bit numbers by their place. */
function words(bytes: Uint8Array): (i: number) => number {
  const view = dataView(bytes);
  return (i) => view.getUint32(4 * i, true);
}

async function readLengths(reader: TwoBitFile, file: OpenFile): Promise<Map<string, number>> {
  const { sequenceCount } = await reader.getHeader();
  const lengths = new Map(Object.entries(await reader.getSequenceSizes()));
  if (lengths.size !== sequenceCount || sequenceCount === 0) {
    throw new FormatError(
      { file: file.path },
      `the file announces ${sequenceCount} sequences and names ${lengths.size} different ones`,
    );
  }
  for (const [name, length] of lengths) {
    if (length / 4 > file.size) {
      throw new FormatError(
        { file: file.path },
        `sequence ${JSON.stringify(name)} is said to have ${length} bases, more than the file can hold`,
      );
    }
  }
  return lengths;
}
