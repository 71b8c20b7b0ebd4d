/** The named sequences of one file, whatever its format: what `openGenome` makes a genome of. */
export interface SequenceSource {
  /** Length of each sequence, in bases, in the order of the file. */
  readonly lengths: ReadonlyMap<string, number>;
  /** Letters [start, end) of a sequence that is there, start < end, both inside it; upper or lower case. */
  read(name: string, start: number, end: number): Promise<string>;
  /** All letters of a sequence that is there, as upper-case ASCII bytes that nobody else holds. */
  readWhole(name: string): Promise<Uint8Array>;
}
