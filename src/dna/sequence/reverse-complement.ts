import { InputError } from "../../base/errors.ts";
import { NO_BASE } from "./encoding.ts";

/** IUPAC nucleotide codes and their complements; U is read as T. */
const LETTERS = "ACGTURYSWKMBDHVN";
const COMPLEMENTS = "TGCAAYRSWMKVHDBN";

const COMPLEMENT = new Map<string, string>();
for (let i = 0; i < LETTERS.length; i++) {
  COMPLEMENT.set(LETTERS[i], COMPLEMENTS[i]);
  COMPLEMENT.set(LETTERS[i].toLowerCase(), COMPLEMENTS[i].toLowerCase());
}

/**
 * Reverse complement of a sequence. Complements ambiguity codes (R becomes Y, N stays N) and preserves case.
 *
 * @throws {InputError} when a character is not an IUPAC nucleotide code
 * @see Cornish-Bowden 1985, doi:10.1093/nar/13.9.3021
 */
export function reverseComplement(sequence: string): string {
  const complements: string[] = [];
  for (let i = sequence.length - 1; i >= 0; i--) {
    const complement = COMPLEMENT.get(sequence[i]);
    if (complement === undefined) {
      throw new InputError(`${JSON.stringify(sequence[i])} at position ${i + 1} is not a DNA letter`);
    }
    complements.push(complement);
  }
  return complements.join("");
}

/** Complement of each base code. */
const COMPLEMENT_CODE = Uint8Array.of(3, 2, 1, 0, NO_BASE);

/** Reverse-complements base codes in place. */
export function reverseComplementCodes(codes: Uint8Array): Uint8Array {
  for (let i = 0, j = codes.length - 1; i <= j; i++, j--) {
    const left = COMPLEMENT_CODE[codes[i]];
    codes[i] = COMPLEMENT_CODE[codes[j]];
    codes[j] = left;
  }
  return codes;
}
