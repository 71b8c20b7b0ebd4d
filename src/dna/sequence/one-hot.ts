import { codesOf, NO_BASE } from "./letters.ts";

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
    const code = codes[i]!;
    if (code !== NO_BASE) rows[offset + 4 * i + code] = 1;
  }
  return rows;
}
