import { TwoBitFile } from "@gmod/twobit";
import { FormatError, InputError } from "../../base/errors.ts";
import type { FileHandle } from "../../base/file-handle.ts";
import { asGmodFile } from "./gmod-file.ts";
import type { SequenceSource } from "./sequence-source.ts";

/** Bases taken at once while a whole sequence is read: the reader makes a string of each piece. */
const PIECE_BASES = 2 ** 20;

/** The first four bytes of a little-endian and of a big-endian 2bit file. */
const SIGNATURE = 0x1a412743;

/** Which 2bit file bytes begin, if any. */
export function twoBitByteOrder(start: Uint8Array): "little-endian" | "big-endian" | undefined {
  if (start.length < 4) return undefined;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (view.getUint32(0, true) === SIGNATURE) return "little-endian";
  return view.getUint32(0, false) === SIGNATURE ? "big-endian" : undefined;
}

/**
 * Sequences of a UCSC 2bit file.
 *
 * @throws {FormatError} when the file is big-endian, cut off, or its index cannot be
 * @see https://genome.ucsc.edu/FAQ/FAQformat.html#format7
 */
export async function openTwoBit(file: FileHandle): Promise<SequenceSource> {
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

  async function read(name: string, from: number, to: number): Promise<string> {
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

async function readLengths(reader: TwoBitFile, file: FileHandle): Promise<Map<string, number>> {
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
