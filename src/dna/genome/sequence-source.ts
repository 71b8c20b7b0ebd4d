/** The named sequences of one file, whatever its format: what `openGenome` makes a genome of. */
export interface SequenceSource {
  /** Length of each sequence, in bases, in the order of the file. */
  readonly lengths: ReadonlyMap<string, number>;
  /** Letters [start, end) of a sequence that is there, start < end, both inside it; upper or lower case. */
  read(name: string, start: number, end: number): Promise<string>;
  /** All letters of a sequence that is there, as upper-case ASCII bytes that nobody else holds. */
  readWhole(name: string): Promise<Uint8Array>;
}

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
