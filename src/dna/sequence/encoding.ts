import { InputError } from "../../base/errors.ts";

/** The four bases in the order of every table, one-hot channel and base code here: A 0, C 1, G 2, T 3. */
export const BASES = "ACGT";

/** The code of a letter that is no base: N, any other ambiguity letter, a place beyond a chromosome's end. */
export const NO_BASE = 4;

/** Base code of each byte of ASCII text; lower case counts as upper case. */
const CODE_OF_BYTE = new Uint8Array(256).fill(NO_BASE);
/** Letter of each base code, as a byte: N where there is no base. */
const BYTE_OF_CODE = Uint8Array.from("ACGTN", (letter) => letter.charCodeAt(0));
/** Letter of each base code as a language model is shown it: A where there is no base. */
const MODEL_BYTE_OF_CODE = Uint8Array.from("ACGTA", (letter) => letter.charCodeAt(0));
for (let code = 0; code < 4; code++) {
  CODE_OF_BYTE[BASES.charCodeAt(code)] = code;
  CODE_OF_BYTE[BASES.toLowerCase().charCodeAt(code)] = code;
}

/**
 * Base codes of a text: 0 A, 1 C, 2 G, 3 T, 4 anything else. Lower case counts as upper case.
 * @throws {InputError} when a character is not ASCII: then the text is not a sequence
 */
export function codesOf(letters: string): Uint8Array {
  const codes = new Uint8Array(letters.length);
  for (let i = 0; i < codes.length; i++) {
    const byte = letters.charCodeAt(i);
    if (byte > 127)
      throw new InputError(`${JSON.stringify(letters[i])} at letter ${i + 1} is not a DNA letter`);
    codes[i] = CODE_OF_BYTE[byte];
  }
  return codes;
}

/**
 * Base codes of positions [start, end) of a chromosome held as ASCII bytes; 4 where a position is off the chromosome.
 *
 * @param start  0-based, may be negative
 * @param end    exclusive, may lie beyond the end
 * @param codes  where to write: end - start entries; a new array when left out
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

/** Upper-case letters of base codes; N where there is no base. */
export function lettersOf(codes: Uint8Array): string {
  return written(codes, BYTE_OF_CODE);
}

/** Letters of base codes as a language model is shown them: see `asLanguageModelLetters`. */
export function modelLettersOf(codes: Uint8Array): string {
  return written(codes, MODEL_BYTE_OF_CODE);
}

/**
 * The letters that reach a language model: upper case, and A for N and every other letter that is no base.
 *
 * The original turns one-hot rows back into letters by their largest entry; a row of zeros has none, and the first
 * letter, A, is taken. So no model ever sees N.
 *
 * @throws {InputError} when a character is not ASCII
 */
export function asLanguageModelLetters(letters: string): string {
  return modelLettersOf(codesOf(letters));
}

let scratch = Buffer.alloc(1024);

function written(codes: Uint8Array, byteOfCode: Uint8Array): string {
  const length = codes.length;
  if (scratch.length < length) scratch = Buffer.alloc(2 * length);
  for (let i = 0; i < length; i++) scratch[i] = byteOfCode[codes[i]];
  return scratch.toString("latin1", 0, length);
}

/**
 * One-hot rows of a sequence, [positions, 4], row-major, channels A, C, G, T; a letter that is no base is a row of
 * zeros. Lower case counts as upper case.
 *
 * @throws {InputError} when a character is not ASCII
 */
export function oneHot(letters: string): Float32Array {
  return oneHotOfCodes(codesOf(letters));
}

/**
 * One-hot rows of base codes.
 *
 * @param rows    where to write; a new array when left out
 * @param offset  entry of `rows` that gets the first channel of the first position: a place in a batch
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
