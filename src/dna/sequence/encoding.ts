import { InputError } from "../../base/errors.ts";

/** The four bases in the order of base codes and one-hot channels: A 0, C 1, G 2, T 3. */
export const BASES = "ACGT";

/** Code of N, other ambiguity letters, and positions beyond the ends of a chromosome. */
export const NO_BASE = 4;

/** Base code of each ASCII byte, case-insensitive. */
const CODE_OF_BYTE = new Uint8Array(256).fill(NO_BASE);
/** ASCII letter of each base code; N for `NO_BASE`. */
const BYTE_OF_CODE = Uint8Array.from("ACGTN", (letter) => letter.charCodeAt(0));
/** ASCII letter of each base code as language models receive it; A for `NO_BASE`. */
const MODEL_BYTE_OF_CODE = Uint8Array.from("ACGTA", (letter) => letter.charCodeAt(0));
for (let code = 0; code < 4; code++) {
  CODE_OF_BYTE[BASES.charCodeAt(code)] = code;
  CODE_OF_BYTE[BASES.toLowerCase().charCodeAt(code)] = code;
}

/**
 * Base codes of a sequence, case-insensitive: 0 A, 1 C, 2 G, 3 T, 4 any other character.
 * @throws {InputError} when a character is not ASCII
 */
export function codesOf(sequence: string): Uint8Array {
  const codes = new Uint8Array(sequence.length);
  for (let i = 0; i < codes.length; i++) {
    const byte = sequence.charCodeAt(i);
    if (byte > 127)
      throw new InputError(`${JSON.stringify(sequence[i])} at position ${i + 1} is not a DNA letter`);
    codes[i] = CODE_OF_BYTE[byte];
  }
  return codes;
}

/**
 * Base codes of positions [start, end) of a chromosome; 4 for positions off the chromosome.
 *
 * @param chromosome  ASCII bytes
 * @param start  0-based, may be negative
 * @param end    exclusive, may be beyond the end
 * @param codes  output, [end - start]; default: a new array
 */
export function windowCodes(
  chromosome: Uint8Array,
  start: number,
  end: number,
  codes: Uint8Array = new Uint8Array(end - start),
): Uint8Array {
  const from = Math.min(Math.max(start, 0), end);
  const to = Math.max(Math.min(end, chromosome.length), from);
  codes.fill(NO_BASE, 0, from - start);
  for (let position = from, i = from - start; position < to; position++, i++) {
    codes[i] = CODE_OF_BYTE[chromosome[position]];
  }
  codes.fill(NO_BASE, to - start, end - start);
  return codes;
}

/** Sequence of base codes in upper case, with N for `NO_BASE`. */
export function sequenceOf(codes: Uint8Array): string {
  return decode(codes, BYTE_OF_CODE);
}

/**
 * Sequence of base codes as language models receive it, with A for `NO_BASE`: see `asModelSequence`.
 */
export function modelSequenceOf(codes: Uint8Array): string {
  return decode(codes, MODEL_BYTE_OF_CODE);
}

/**
 * The sequence as language models receive it: upper case, with A for N and every other ambiguity letter.
 *
 * DART-Eval decodes one-hot rows by argmax, which gives A for a row of zeros, so no model receives N.
 *
 * @throws {InputError} when a character is not ASCII
 */
export function asModelSequence(sequence: string): string {
  return modelSequenceOf(codesOf(sequence));
}

let scratch = Buffer.alloc(1024);

function decode(codes: Uint8Array, byteOfCode: Uint8Array): string {
  const length = codes.length;
  if (scratch.length < length) scratch = Buffer.alloc(2 * length);
  for (let i = 0; i < length; i++) scratch[i] = byteOfCode[codes[i]];
  return scratch.toString("latin1", 0, length);
}

/**
 * One-hot encoding of a sequence, [positions, 4], row-major, channels A, C, G, T, case-insensitive. N and
 * other ambiguity letters are rows of zeros.
 *
 * @throws {InputError} when a character is not ASCII
 */
export function oneHot(sequence: string): Float32Array {
  return oneHotOfCodes(codesOf(sequence));
}

/**
 * One-hot encoding of base codes, [positions, 4]; `NO_BASE` is a row of zeros.
 *
 * @param rows    output; default: a new array
 * @param offset  index in `rows` of the first channel of the first position, for an entry of a batch
 */
export function oneHotOfCodes(
  codes: Uint8Array,
  rows: Float32Array = new Float32Array(4 * codes.length),
  offset = 0,
): Float32Array {
  rows.fill(0, offset, offset + 4 * codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code !== NO_BASE) rows[offset + 4 * i + code] = 1;
  }
  return rows;
}
