import { basename } from "node:path";
import { FormatError, InputError, InternalError } from "../../base/errors.ts";
import { counted } from "../../base/message-text.ts";
import { parseDecimal, parseWholeNumber } from "../../base/table.ts";
import { forEachLine, StringPool } from "../../base/text-lines.ts";
import { variantColumns } from "../../datasets/variants/forms.ts";
import type { StratumValue } from "../tasks/stratification.ts";
import type { OpenStratification, RowsToStratify } from "./rows.ts";

/** Texts of cells without a value. */
const MISSING = new Set(["", "NA", "NaN", "nan", ".", "None", "null"]);

/** Columns that identify rows: the key of a line, and the key of a row. */
interface RowKey {
  /** Noun phrase for messages. */
  readonly description: string;
  /** Key of a line. @throws {FormatError} when a position is not a number */
  ofLine(fields: readonly string[], place: { readonly file: string; readonly line: number }): string;
  /** Key of row i; undefined if the rows lack the facts. */
  readerOf(rows: RowsToStratify): ((i: number) => string) | undefined;
}

/**
 * A column of a tab-separated table with a header. Lines are matched to rows by row number (column `row`,
 * `idx` or `index`), motif, interval, or position and alleles of a variant, whichever the header has.
 *
 * A column of numbers is binned; rows whose line is missing or empty there have no value.
 *
 * @throws {FormatError} when the header lacks the column or columns that identify rows, lines differ for one
 *         row, or a position is not a number
 */
export async function tableColumn(path: string, column: string): Promise<OpenStratification> {
  const pool = new StringPool();
  const texts = new Map<string, string>();
  let key: RowKey | undefined;
  let at = -1;
  let fieldsInHeader = 0;
  await forEachLine(path, (text, line) => {
    const fields = text.split("\t");
    const place = { file: path, line };
    if (key === undefined) {
      fieldsInHeader = fields.length;
      at = fields.indexOf(column);
      if (at < 0) throw noColumn(place, column, fields);
      key = keyOf(fields, place);
      return;
    }
    if (text === "") return;
    if (fields.length !== fieldsInHeader) {
      throw new FormatError(place, `the line has ${fields.length} fields, the header ${fieldsInHeader}`);
    }
    const name = key.ofLine(fields, place);
    const before = texts.get(name);
    if (before !== undefined && before !== fields[at]) {
      throw new FormatError(
        place,
        `${JSON.stringify(column)} is ${JSON.stringify(fields[at])} here and ${JSON.stringify(before)} above, for the same ${key.description}`,
      );
    }
    texts.set(name, pool.intern(fields[at]));
  });
  if (key === undefined || texts.size === 0) throw new FormatError({ file: path }, "the table has no rows");
  const found = key;
  return {
    name: `${basename(path)}:${column}`,
    title: `${column} of ${basename(path)}`,
    file: path,
    refuses: (rows) =>
      found.readerOf(rows) === undefined
        ? `its rows have no ${found.description} to match the table by`
        : undefined,
    async valuesOf(rows) {
      const keyAt = found.readerOf(rows);
      if (keyAt === undefined) throw new InternalError(`rows have no ${found.description}`);
      const values = Array.from({ length: rows.predictions.length }, (_, i) => texts.get(keyAt(i)));
      const matched = values.filter((value) => value !== undefined).length;
      if (matched === 0) {
        throw new InputError(`no line of the table has the ${found.description} of a row`, {
          place: { file: path },
          hint: `a row has ${JSON.stringify(keyAt(0))}, the table begins with ${JSON.stringify(texts.keys().next().value)}`,
        });
      }
      const absent = values.length - matched;
      const verb = absent === 1 ? "is" : "are";
      const notes = absent === 0 ? [] : [`${counted(absent, "row")} ${verb} not in ${basename(path)}.`];
      return { values: typed(values), notes };
    },
  };
}

/** Numbers if every known value is a number, else the texts. */
function typed(texts: readonly (string | undefined)[]): readonly (StratumValue | undefined)[] {
  const known = texts.map((text) =>
    text === undefined || MISSING.has(text.trim()) ? undefined : text.trim(),
  );
  const numbers = new Map<string, number>();
  for (const text of known) {
    if (text === undefined || numbers.has(text)) continue;
    const value = parseDecimal(text);
    if (!Number.isFinite(value)) return known;
    numbers.set(text, value);
  }
  return known.map((text) => (text === undefined ? undefined : numbers.get(text)));
}

function noColumn(place: { file: string; line: number }, column: string, header: readonly string[]) {
  const shown = header.slice(0, 20).join(", ").slice(0, 300);
  return new FormatError(
    place,
    `there is no column ${JSON.stringify(column)}; the header names ${shown}`,
    "columns are separated by tabs",
  );
}

const ROW_NUMBERS = ["row", "idx", "index"];
const MOTIFS = ["motif", "Motif"];
const CHROMOSOMES = ["chrom", "chr", "#chrom", "#chr", "chromosome"];
const INTERVALS = [
  ["ccre_start", "ccre_end"],
  ["elem_start", "elem_end"],
  ["start", "end"],
  ["chromStart", "chromEnd"],
] as const;

/** @throws {FormatError} when the header has no columns that identify rows */
function keyOf(header: readonly string[], place: { readonly file: string; readonly line: number }): RowKey {
  const firstOf = (names: readonly string[]) => header.findIndex((name) => names.includes(name));
  const number = firstOf(ROW_NUMBERS);
  if (number >= 0) {
    return {
      description: "row number",
      ofLine: (fields, at) => String(parseWholeNumber(fields[number], header[number], at)),
      readerOf:
        ({ predictions }) =>
        (i) =>
          String(predictions.rows[i]),
    };
  }
  const motif = firstOf(MOTIFS);
  if (motif >= 0) {
    return {
      description: "motif",
      ofLine: (fields) => fields[motif].trim(),
      readerOf: factsKey(["motif"]),
    };
  }
  const chrom = firstOf(CHROMOSOMES);
  const names = INTERVALS.find((pair) => pair.every((name) => header.includes(name)));
  if (chrom >= 0 && names !== undefined) {
    const [start, end] = names.map((name) => header.indexOf(name));
    return {
      description: "interval",
      ofLine: (fields, at) =>
        `${fields[chrom]}:${parseWholeNumber(fields[start], "start", at)}:${parseWholeNumber(fields[end], "end", at)}`,
      readerOf: factsKey(["chrom", "start", "end"]),
    };
  }
  const columns = variantKey(header, place);
  const [chromosome, position, allele1, allele2] = (["chrom", "position", "allele1", "allele2"] as const).map(
    (role) => header.indexOf(columns[role]),
  );
  return {
    description: "position and alleles",
    ofLine(fields, at) {
      const start = parseWholeNumber(fields[position], columns.position, at, 1) - 1;
      return `${fields[chromosome]}:${start}:${fields[allele1]}:${fields[allele2]}`;
    },
    readerOf: factsKey(["chrom", "start", "allele1", "allele2"]),
  };
}

function variantKey(header: readonly string[], place: { readonly file: string; readonly line: number }) {
  try {
    return variantColumns(header, place);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(
      place,
      `no columns identify rows among ${header.slice(0, 20).join(", ").slice(0, 300)}`,
      "expected row, motif, chrom start end, or chrom pos allele1 allele2",
    );
  }
}

/** Key of a row from some of its facts. */
const factsKey =
  (names: readonly string[]) =>
  ({ predictions }: RowsToStratify) => {
    const known = names.every(
      (name) => predictions.factTexts(name) !== undefined || predictions.factNumbers(name) !== undefined,
    );
    if (!known) return undefined;
    const readers = names.map((name) => predictions.factReader(name));
    return (i: number) => readers.map((read) => read(i)).join(":");
  };
