import { InputError } from "../../base/errors.ts";
import { NO_BASE } from "./encoding.ts";

/** Letters of the IUPAC code and their complements, upper case; U is read as T. */
const LETTERS = "ACGTURYSWKMBDHVN";
const COMPLEMENTS = "TGCAAYRSWMKVHDBN";

const COMPLEMENT = new Map<string, string>();
for (let i = 0; i < LETTERS.length; i++) {
  COMPLEMENT.set(LETTERS[i], COMPLEMENTS[i]);
  COMPLEMENT.set(LETTERS[i].toLowerCase(), COMPLEMENTS[i].toLowerCase());
}

/**
 * The other strand, read in its own direction. Ambiguity letters are complemented (R, A or G, gives Y), N stays N,
 * case is kept.
 *
 * @throws {InputError} when a letter is not of the IUPAC nucleotide code
 * @see Cornish-Bowden 1985, doi:10.1093/nar/13.9.3021
 */
export function reverseComplement(letters: string): string {
  const complements: string[] = [];
  for (let i = letters.length - 1; i >= 0; i--) {
    const complement = COMPLEMENT.get(letters[i]);
    if (complement === undefined) {
      throw new InputError(`${JSON.stringify(letters[i])} at letter ${i + 1} is not a DNA letter`);
    }
    complements.push(complement);
  }
  return complements.join("");
}

/** Complement of each base code; no base stays no base. */
const COMPLEMENT_CODE = Uint8Array.of(3, 2, 1, 0, NO_BASE);

/** The same for base codes, in place. */
export function reverseComplementCodes(codes: Uint8Array): Uint8Array {
  for (let i = 0, j = codes.length - 1; i <= j; i++, j--) {
    const left = COMPLEMENT_CODE[codes[i]];
    codes[i] = COMPLEMENT_CODE[codes[j]];
    codes[j] = left;
  }
  return codes;
}
