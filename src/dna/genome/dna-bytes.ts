/** Letters of the IUPAC nucleotide code, U included, and those that masking programs write. */
const DNA_LETTERS = "ACGTURYSWKMBDHVNX";

/** Upper-case form of each byte that is a DNA letter; 0 for every other byte. */
export const UPPER_CASE_DNA = new Uint8Array(256);
for (const letter of DNA_LETTERS) {
  const upper = letter.charCodeAt(0);
  UPPER_CASE_DNA[upper] = upper;
  UPPER_CASE_DNA[letter.toLowerCase().charCodeAt(0)] = upper;
}

/** Finds a character that is no DNA letter, in either case. */
export const NO_DNA_LETTER = new RegExp(`[^${DNA_LETTERS}]`, "i");

/** A byte as it can be shown in a message. */
export function showByte(byte: number): string {
  return byte > 32 && byte < 127 ? JSON.stringify(String.fromCharCode(byte)) : `byte ${byte}`;
}
