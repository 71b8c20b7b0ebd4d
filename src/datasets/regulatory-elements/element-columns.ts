import type { RegulatoryElementRow } from "./table.ts";

/** Rows of one piece: a table grows without copies. */
const PIECE = 2 ** 16;

/** Columns of up to `PIECE` rows. */
class Piece {
  readonly chrom = new Uint32Array(PIECE);
  readonly inputStart = new Uint32Array(PIECE);
  readonly inputEnd = new Uint32Array(PIECE);
  readonly elementStart = new Uint32Array(PIECE);
  readonly elementEnd = new Uint32Array(PIECE);
  readonly reverseComplement = new Uint8Array(PIECE);
}

/** A prepared table of regulatory elements as typed columns, 21 bytes per row. Iterating makes rows one at a time. */
export class RegulatoryElementTable implements Iterable<RegulatoryElementRow> {
  readonly #names: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #pieces: Piece[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param row  0-based number in the table */
  at(row: number): RegulatoryElementRow {
    const piece = this.#pieces[Math.floor(row / PIECE)]!;
    const i = row % PIECE;
    const [inputStart, inputEnd] = [piece.inputStart[i]!, piece.inputEnd[i]!];
    const [elementStart, elementEnd] = [piece.elementStart[i]!, piece.elementEnd[i]!];
    return {
      index: row,
      chrom: this.#names[piece.chrom[i]!]!,
      inputStart,
      inputEnd,
      elementStart,
      elementEnd,
      relativeStart: elementStart - inputStart,
      relativeEnd: elementEnd - inputStart,
      reverseComplement: piece.reverseComplement[i] === 1,
    };
  }

  *[Symbol.iterator](): Generator<RegulatoryElementRow> {
    for (let row = 0; row < this.#length; row++) yield this.at(row);
  }

  /** Adds the next row; its index is not looked at. */
  push(row: RegulatoryElementRow): void {
    const i = this.#length % PIECE;
    if (i === 0) this.#pieces.push(new Piece());
    const piece = this.#pieces.at(-1)!;
    piece.chrom[i] = this.#codeOf(row.chrom);
    piece.inputStart[i] = row.inputStart;
    piece.inputEnd[i] = row.inputEnd;
    piece.elementStart[i] = row.elementStart;
    piece.elementEnd[i] = row.elementEnd;
    piece.reverseComplement[i] = row.reverseComplement ? 1 : 0;
    this.#length++;
  }

  #codeOf(name: string): number {
    let code = this.#codes.get(name);
    if (code !== undefined) return code;
    // A field cut from a line would keep the file's text in memory.
    const copy = Buffer.from(name).toString();
    code = this.#names.length;
    this.#names.push(copy);
    this.#codes.set(copy, code);
    return code;
  }
}
