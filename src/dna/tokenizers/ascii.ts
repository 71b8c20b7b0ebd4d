import { InputError } from "../../base/errors.ts";

/**
 * DNA is written in ASCII. Another character is a mistake in the data, and one whose spans each program would count
 * differently (bytes, code units, code points), so it gets no token.
 *
 * @throws {InputError} naming the first such character
 */
export function requireAscii(letters: string): void {
  for (let i = 0; i < letters.length; i++) {
    if (letters.charCodeAt(i) < 128) continue;
    const character = String.fromCodePoint(letters.codePointAt(i)!);
    throw new InputError(
      `${JSON.stringify(character)} at letter ${i} of a sequence is not an ASCII character`,
    );
  }
}
