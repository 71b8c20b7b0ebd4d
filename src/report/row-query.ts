import { type ColumnValues, decodeRows, type RowSet } from "./row-format.ts";

/** Rows of a panel, unpacked. */
export interface OpenRowSet {
  readonly set: RowSet;
  /** One list per column of the set. */
  readonly values: readonly ColumnValues[];
  /** Decimals of each column: three significant digits of its largest numbers. */
  readonly decimals: readonly number[];
}

/** Most decimals of a number. */
const DECIMALS = 6;

/** Decimals that show three digits of the 98th percentile of the sizes of numbers. */
function decimalsOf(values: ColumnValues): number {
  const sizes = Float32Array.from(values, Math.abs).filter(Number.isFinite).sort();
  const large = sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 0;
  return large === 0 ? 0 : Math.min(DECIMALS, Math.max(0, 2 - Math.floor(Math.log10(large))));
}

/** Rows of a set from its unpacked bytes. @throws {RangeError} when they are too few or too many */
export function openRowSet(set: RowSet, bytes: Uint8Array): OpenRowSet {
  const values = decodeRows(set.columns, bytes, set.rows);
  const decimals = values.map((own, c) => (set.columns[c]?.kind === "number" ? decimalsOf(own) : 0));
  return { set, values, decimals };
}

/** Conditions that rows must meet; absent ones are met by all rows. */
export interface RowFilter {
  /** Codes of a text column by its index in the columns. */
  readonly texts: ReadonlyMap<number, ReadonlySet<number>>;
  /** Bases [from, to), 0-based, that a row overlaps. */
  readonly within?: { readonly chromosome: number; readonly from: number; readonly to: number };
  /** Row numbers. */
  readonly rows?: ReadonlySet<number>;
  /** Bounds of a number column. */
  readonly range?: { readonly column: number; readonly least: number; readonly most: number };
}

/** Index of the chromosome column; start and length follow. */
const CHROMOSOME = 1;

/** Rows that meet a filter, ascending. */
export function filterRows(open: OpenRowSet, { texts, within, range, rows }: RowFilter): Uint32Array {
  let kept = new Uint32Array(open.set.rows).map((_, i) => i);
  for (const [column, codes] of texts) kept = kept.filter(hasText(open, column, codes));
  if (within !== undefined) kept = kept.filter(overlaps(open, within));
  if (range !== undefined) kept = kept.filter(isInRange(open, range));
  if (rows !== undefined) kept = kept.filter((i) => rows.has(open.values[0]?.[i] ?? -1));
  return kept;
}

type Condition = (row: number) => boolean;

function hasText({ set, values }: OpenRowSet, column: number, codes: ReadonlySet<number>): Condition {
  const form = set.columns[column];
  const accepted = new Uint8Array((form?.kind === "text" ? form.texts.length : 0) + 1);
  for (const code of codes) accepted[code] = 1;
  const own = values[column];
  return (i) => accepted[own?.[i] ?? 0] === 1;
}

function overlaps(
  { values }: OpenRowSet,
  { chromosome, from, to }: NonNullable<RowFilter["within"]>,
): Condition {
  const [chromosomes, starts, lengths] = values.slice(CHROMOSOME, CHROMOSOME + 3);
  if (chromosomes === undefined || starts === undefined || lengths === undefined) return () => false;
  return (i) => {
    const start = starts[i] ?? 0;
    return chromosomes[i] === chromosome && start < to && start + (lengths[i] ?? 0) > from;
  };
}

function isInRange(
  { values }: OpenRowSet,
  { column, least, most }: NonNullable<RowFilter["range"]>,
): Condition {
  const own = values[column];
  return (i) => {
    const value = own?.[i] ?? Number.NaN;
    return value >= least && value <= most;
  };
}

/** Sort keys are 32 bits of a number and an index below 2^21, which a float64 holds exactly. */
const INDEX = 2 ** 21;
/** The largest key, above that of every number. */
const LAST = 2 ** 32 - 1;

/**
 * Sorts rows by keys, equal ones in their order; NaN comes last.
 *
 * @param keys  one number per row of the set; float64 ones are finite
 */
export function sortRows(rows: Uint32Array, keys: ArrayLike<number>, descending: boolean): Uint32Array {
  if (keys instanceof Float64Array) {
    const sign = descending ? -1 : 1;
    return rows.toSorted((a, b) => sign * ((keys[a] ?? 0) - (keys[b] ?? 0)) || a - b);
  }
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const packed = Float64Array.from(rows, (row, place) => {
    const key = keys[row] ?? Number.NaN;
    if (Number.isNaN(key)) return LAST * INDEX + place;
    let word: number;
    if (keys instanceof Uint32Array) word = key;
    else {
      float[0] = key;
      const raw = bits[0] ?? 0;
      // Order of the bits of a float: negative ones reversed, below positive ones.
      word = raw >>> 31 === 1 ? ~raw >>> 0 : (raw | 0x80000000) >>> 0;
    }
    return (descending ? LAST - word : word) * INDEX + place;
  });
  return Uint32Array.from(packed.sort(), (one) => rows[one % INDEX] ?? 0);
}

/** Sort keys of a column: texts by their order, not by their codes. */
export function sortKeys({ set, values }: OpenRowSet, column: number): ArrayLike<number> | undefined {
  const form = set.columns[column];
  const own = values[column];
  if (form === undefined || own === undefined) return undefined;
  if (form.kind !== "text") return own;
  const collator = new Intl.Collator("en", { numeric: true });
  const order = form.texts
    .map((_, i) => i)
    .sort((a, b) => collator.compare(form.texts[a] ?? "", form.texts[b] ?? ""));
  const rank = new Uint32Array(form.texts.length + 1);
  order.forEach((text, i) => {
    rank[text + 1] = i + 1;
  });
  // Rows of one chromosome are in the order of their positions.
  const starts = set.hasLoci && column === 1 ? values[2] : undefined;
  return Float64Array.from(own, (code, i) => (rank[code] ?? 0) + (starts?.[i] ?? 0) / 2 ** 32);
}

/**
 * Merit of each row under one model: larger for better predictions.
 *
 * @param column  of the model's scores
 * @returns       undefined if no row is better than another
 */
export function meritOf({ set, values }: OpenRowSet, column: number): Float32Array | undefined {
  const scores = values[column];
  if (set.merit === undefined || scores === undefined) return undefined;
  const { merit } = set;
  if (merit.kind === "score") return Float32Array.from(scores);
  const facts = values[merit.column] ?? new Float32Array(0);
  return merit.kind === "error"
    ? Float32Array.from(scores, (score, i) => -Math.abs(score - (facts[i] ?? Number.NaN)))
    : Float32Array.from(scores, (score, i) =>
        facts[i] === 0 ? Number.NaN : (facts[i] === merit.positive ? 1 : -1) * Math.abs(score),
      );
}

/** Text of a value; an empty text for unknown ones. */
export function fieldText({ set, values, decimals }: OpenRowSet, column: number, row: number): string {
  const form = set.columns[column];
  const value = values[column]?.[row] ?? Number.NaN;
  if (form?.kind === "text") return form.texts[value - 1] ?? "";
  if (form?.kind === "integer") return String(value);
  return Number.isNaN(value) ? "" : value.toFixed(decimals[column] ?? 0).replace("-", "−");
}

/** Text of a value for other programs: four significant digits, which are those that the page has. */
const plainText = (rows: OpenRowSet, column: number, row: number): string =>
  rows.set.columns[column]?.kind === "number"
    ? String(Number((rows.values[column]?.[row] ?? Number.NaN).toPrecision(4))).replace("NaN", "")
    : fieldText(rows, column, row);

/** Locus of a row as genome browsers take it, 1-based: `chr1:1,001-1,350`; undefined without positions. */
export function locusOf(
  rows: OpenRowSet,
  row: number,
): { chromosome: string; start: number; end: number } | undefined {
  if (!rows.set.hasLoci) return undefined;
  const start = rows.values[CHROMOSOME + 1]?.[row] ?? 0;
  const length = rows.values[CHROMOSOME + 2]?.[row] ?? 0;
  return { chromosome: fieldText(rows, CHROMOSOME, row), start, end: start + length };
}

/** Rows as tab-separated text with a header; positions 0-based and half-open. */
export function tsvOf(rows: OpenRowSet, places: Uint32Array): string {
  const { columns } = rows.set;
  const plain = (text: string) => text.replace(/[\t\n\r]/g, " ");
  const lines = [columns.map(({ title }) => plain(title)).join("\t")];
  for (const row of places) lines.push(columns.map((_, c) => plain(plainText(rows, c, row))).join("\t"));
  return `${lines.join("\n")}\n`;
}
