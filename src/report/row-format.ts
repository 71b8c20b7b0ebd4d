import type { ScoredSequence } from "../evaluation/runs/scored-sequence.ts";

// Rows of a panel in the page: columns as byte planes, compressed with deflate, in base64.

/** Texts of a column as codes: 0 no text, k the k-th of `texts`. */
export interface TextForm {
  readonly kind: "text";
  readonly title: string;
  readonly texts: readonly string[];
}

/** Numbers with 11 bits after the first, which are three significant digits; NaN if unknown. */
export interface NumberForm {
  readonly kind: "number";
  readonly title: string;
  /** Model whose scores the column has; absent for facts. */
  readonly model?: string;
}

/** Whole numbers from 0 to 2^32 − 1. */
export interface IntegerForm {
  readonly kind: "integer";
  readonly title: string;
}

export type ColumnForm = TextForm | NumberForm | IntegerForm;

/** Scored tokens of one sequence. */
export type BaseTrack = ScoredSequence;

/** Scores of the bases of one row, by model. */
export interface TrackedRow {
  readonly row: number;
  readonly models: readonly { readonly label: string; readonly tracks: readonly BaseTrack[] }[];
}

/** Rows of one panel. */
export interface RowSet {
  /** Id of the element with the compressed columns. */
  readonly id: string;
  readonly title: string;
  readonly rows: number;
  /** Rows that the models were evaluated on; more than `rows` if only the best and worst are listed. */
  readonly evaluated: number;
  /**
   * In order: row number, then, if `hasLoci`, chromosome, start (0-based) and length, then facts, then
   * scores.
   */
  readonly columns: readonly ColumnForm[];
  readonly hasLoci: boolean;
  /** Label of the scores. */
  readonly score: string;
  /** Numbers of the rows with scores of their bases, ascending; absent without any. */
  readonly tracked?: readonly number[];
  /** Name of the assembly, of which genome browsers show loci. */
  readonly assembly?: string;
  /** Order of better predictions; `column` is an index in `columns`. */
  readonly merit?:
    | { readonly kind: "score" }
    | { readonly kind: "error"; readonly column: number }
    | { readonly kind: "class"; readonly column: number; readonly positive: number };
}

/**
 * Bytes of a column's numbers: planes of equal significance follow one another, the most significant first.
 */
const PLANES = 4;
/** Planes that a number of 11 bits has. */
const NUMBER_PLANES = 3;

const planesOf = ({ kind }: ColumnForm) => (kind === "number" ? NUMBER_PLANES : PLANES);

/** Size of uncompressed columns in bytes. */
const sizeOf = (columns: readonly ColumnForm[], rows: number) =>
  columns.reduce((sum, column) => sum + rows * planesOf(column), 0);

/**
 * Columns as byte planes.
 *
 * @param values  one list per column: codes, numbers or whole numbers
 */
export function encodeRows(
  columns: readonly ColumnForm[],
  values: readonly ArrayLike<number>[],
  rows: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeOf(columns, rows));
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  let offset = 0;
  columns.forEach((column, c) => {
    const planes = planesOf(column);
    let last = 0;
    for (let i = 0; i < rows; i++) {
      let word: number;
      if (column.kind === "number") {
        float[0] = values[c][i];
        // Rounds to 11 bits after the first; the exponent takes a carry.
        word = Number.isFinite(float[0]) ? (bits[0] + 0x800) & 0xfffff000 : bits[0] & 0xfffff000;
      } else {
        // Differences to the row before are small along a chromosome. Their sign is the lowest bit.
        const difference = (values[c][i] - last) | 0;
        last = values[c][i];
        word = column.kind === "integer" ? (difference << 1) ^ (difference >> 31) : last;
      }
      for (let plane = 0; plane < planes; plane++)
        bytes[offset + plane * rows + i] = word >>> (24 - 8 * plane);
    }
    offset += planes * rows;
  });
  return bytes;
}

/** Values of a column, by row. */
export type ColumnValues = Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** The inverse of `encodeRows`. @throws {RangeError} when the bytes are too few or too many */
export function decodeRows(
  columns: readonly ColumnForm[],
  bytes: Uint8Array,
  rows: number,
): readonly ColumnValues[] {
  if (bytes.length !== sizeOf(columns, rows)) throw new RangeError("the rows of the page are damaged");
  let offset = 0;
  return columns.map((column) => {
    const planes = planesOf(column);
    const words = new Uint32Array(rows);
    for (let plane = 0; plane < planes; plane++) {
      const from = offset + plane * rows;
      for (let i = 0; i < rows; i++) words[i] |= bytes[from + i] << (24 - 8 * plane);
    }
    offset += planes * rows;
    if (column.kind === "number") return new Float32Array(words.buffer);
    if (column.kind === "integer") {
      let last = 0;
      for (let i = 0; i < rows; i++) {
        last = (last + ((words[i] >>> 1) ^ -(words[i] & 1))) >>> 0;
        words[i] = last;
      }
    }
    return words;
  });
}
