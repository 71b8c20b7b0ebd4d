import { InputError } from "../../base/errors.ts";
import { NO_BASE } from "./letters.ts";

/** Letters of the IUPAC code and their complements, upper case; U is read as T. */
const LETTERS = "ACGTURYSWKMBDHVN";
const COMPLEMENTS = "TGCAAYRSWMKVHDBN";

const COMPLEMENT = new Map<string, string>();
for (let i = 0; i < LETTERS.length; i++) {
  COMPLEMENT.set(LETTERS[i]!, COMPLEMENTS[i]!);
  COMPLEMENT.set(LETTERS[i]!.toLowerCase(), COMPLEMENTS[i]!.toLowerCase());
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
    const complement = COMPLEMENT.get(letters[i]!);
    if (complement === undefined) {
      throw new InputError(`${JSON.stringify(letters[i])} at letter ${i + 1} is not a DNA letter`);
    }
    complements.push(complement);
  }
  return complements.join("");
}

/** The same for base codes, in place: 0 ↔ 3, 1 ↔ 2, no base stays no base. */
export function reverseComplementCodes(codes: Uint8Array): Uint8Array {
  codes.reverse();
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code !== NO_BASE) codes[i] = 3 - code;
  }
  return codes;
}
