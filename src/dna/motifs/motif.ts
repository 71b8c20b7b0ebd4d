/** A binding motif: how often each letter stands at each of its positions. */
export interface Motif {
  /** As its collection calls it: "CTCF.H12CORE.0.P.B". */
  readonly name: string;
  /** Positions. */
  readonly width: number;
  /** [width, 4], row-major, letters A, C, G, T; each row sums to 1 up to rounding. */
  readonly probabilities: Float64Array;
  /** Sites it was made from; absent where the collection does not tell. */
  readonly sites?: number;
}

const LETTERS = "ACGT";

/** The most frequent letter of each position, the first in the order A, C, G, T among equals. */
export function consensus({ width, probabilities }: Motif): string {
  let letters = "";
  for (let position = 0; position < width; position++) {
    const row = probabilities.subarray(4 * position, 4 * position + 4);
    letters += LETTERS[row.indexOf(Math.max(...row))];
  }
  return letters;
}
