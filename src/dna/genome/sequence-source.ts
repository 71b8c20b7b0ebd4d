/** Named sequences of a genome file, independent of its format. */
export interface SequenceSource {
  /** Length of each sequence in bases, in file order. */
  readonly lengths: ReadonlyMap<string, number>;
  /** Bases [start, end) of an existing sequence, start < end, both within it; upper or lower case. */
  read(name: string, start: number, end: number): Promise<string>;
  /** A whole existing sequence as upper-case ASCII bytes, in a new array. */
  readWhole(name: string): Promise<Uint8Array>;
  /** Soft mask of a whole existing sequence, in a new array: 1 for a lower-case letter, else 0. */
  readMask(name: string): Promise<Uint8Array>;
}

/** IUPAC nucleotide codes, U, and the X of masking programs. */
const DNA_LETTERS = "ACGTURYSWKMBDHVNX";

/** Upper-case form of each byte that is a DNA letter; 0 for other bytes. */
export const UPPER_CASE_DNA = new Uint8Array(256);
for (const letter of DNA_LETTERS) {
  const upper = letter.charCodeAt(0);
  UPPER_CASE_DNA[upper] = upper;
  UPPER_CASE_DNA[letter.toLowerCase().charCodeAt(0)] = upper;
}

/** Of each byte that is a DNA letter, 2 in lower case and 1 in upper case; 0 for other bytes. */
export const CASE_OF_DNA = UPPER_CASE_DNA.map((upper, byte) => (upper === 0 ? 0 : upper === byte ? 1 : 2));

/** Matches a character that is not a DNA letter, case-insensitive. */
export const NO_DNA_LETTER = new RegExp(`[^${DNA_LETTERS}]`, "i");

/** Printable form of a byte for a message. */
export function showByte(byte: number): string {
  return byte > 32 && byte < 127 ? JSON.stringify(String.fromCharCode(byte)) : `byte ${byte}`;
}
