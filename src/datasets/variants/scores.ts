import { FormatError, InputError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { lookUpReferences, type References } from "./checks/references.ts";
import type { EffectFavours } from "./forms.ts";
import { numberOrMissing } from "./read.ts";
import type { VariantRow, VariantTable } from "./table.ts";

/** Columns of a run's scores that identify a variant. Only `idx` is required. */
const KEYS: readonly string[] = ["idx", "chrom", "pos", "allele1", "allele2"];

/** Scores of a run. */
export interface VariantScores {
  readonly path: string;
  /** Names of the score columns. */
  readonly columns: readonly string[];
  /** Unparsed scores by row number. */
  readonly rows: ReadonlyMap<number, readonly string[]>;
}

/**
 * Reads the `scores.tsv` of a Task 5 run and checks it against its variant table.
 *
 * @throws {FormatError} when there is no column `idx`, or a row is not in the table, occurs twice, or has
 *   another position or other alleles than the table's row
 */
export async function readVariantScores(path: string, table: VariantTable): Promise<VariantScores> {
  const rows = new Map<number, readonly string[]>();
  const byIndex = new Map(table.rows.map((row) => [row.index, row]));
  let header: readonly string[] | undefined;
  for await (const { text, number: line } of textLines(path)) {
    if (text === "") continue;
    const fields = text.split("\t");
    const place = { file: path, line };
    if (header === undefined) {
      header = fields;
      if (header.includes("idx")) continue;
      throw new FormatError(
        place,
        'there is no column "idx"',
        "expected the scores.tsv of a run, whose idx is the 0-based row number",
      );
    }
    if (fields.length !== header.length) {
      throw new FormatError(place, `the line has ${fields.length} fields, the header ${header.length}`);
    }
    const named = Object.fromEntries(header.map((name, i) => [name, fields[i]]));
    const index = parseWholeNumber(named.idx, "idx", place);
    const row = byIndex.get(index);
    if (row === undefined) throw new FormatError(place, `${table.path} has no row ${index}`);
    if (rows.has(index)) throw new FormatError(place, `row ${index} occurs twice`);
    checkKeys(named, row, table, place);
    rows.set(
      index,
      header.flatMap((name, i) => (isKey(name) ? [] : [fields[i]])),
    );
  }
  if (header === undefined) throw new FormatError({ file: path }, "the table is empty");
  return { path, columns: header.filter((name) => !isKey(name)), rows };
}

const isKey = (name: string) => KEYS.includes(name);

function checkKeys(
  named: Readonly<Record<string, string | undefined>>,
  row: VariantRow,
  { path }: VariantTable,
  place: { readonly file: string; readonly line: number },
): void {
  const own = { chrom: row.chrom, pos: String(row.position + 1), allele1: row.allele1, allele2: row.allele2 };
  for (const [name, value] of Object.entries(own)) {
    const found = named[name];
    if (found === undefined || found === value) continue;
    throw new FormatError(
      place,
      `row ${row.index} has the ${name} ${JSON.stringify(found)}, and in ${path} ${JSON.stringify(value)}`,
      "are these scores of another table, or another version of it?",
    );
  }
}

/**
 * Lines of the unmodified table with score columns appended, as the original writes its results. Rows without
 * scores get empty fields. A VCF file gives the columns CHROM, POS, ID, REF and ALT, one line per
 * alternative.
 *
 * @throws {InputError} when the table already has a column of a score's name
 */
export async function* annotatedLines(table: VariantTable, scores: VariantScores): AsyncGenerator<string> {
  const none = scores.columns.map(() => "");
  const scoresOf = (index: number) => (scores.rows.get(index) ?? none).join("\t");
  if (table.form === "vcf") {
    yield `${["CHROM", "POS", "ID", "REF", "ALT", ...scores.columns].join("\t")}\n`;
    for (const { index, chrom, position, id, allele1, allele2 } of table.rows) {
      yield `${[chrom, position + 1, id ?? ".", allele1, allele2, scoresOf(index)].join("\t")}\n`;
    }
    return;
  }
  let index = -1;
  for await (const { text } of textLines(table.path)) {
    if (text === "") continue;
    if (index === -1) {
      const taken = scores.columns.find((name) => text.split("\t").includes(name));
      if (taken !== undefined) {
        throw new InputError(`the table already has a column ${JSON.stringify(taken)}`, {
          place: { file: table.path, line: 1 },
        });
      }
      yield `${text}\t${scores.columns.join("\t")}\n`;
    } else yield `${text}\t${scoresOf(index)}\n`;
    index++;
  }
}

/**
 * Row numbers in a score table: of the whole variant table, or of the scored rows as selected by
 * `linesOfRows`.
 */
export type NumberedBy = "table" | "scored";

/** Two-allele scores made from one column. */
export interface ColumnScores {
  /** Lines of a score table, header first, including line ends. */
  readonly lines: readonly string[];
  /** Row numbers with a line, ascending. */
  readonly scored: readonly number[];
}

/**
 * Converts one column of a table, such as ChromBPNet's log fold changes, into a score table that is evaluated
 * like predicted activities: the allele that a positive number favours gets the number, the other one 0. Rows
 * without a number get no line. Since a run scores every row of its table, it needs a table without such
 * rows.
 *
 * The benchmark's published ChromBPNet values use the columns unmodified. African: `allele2`, under the
 * `paper` protocol, which uses beta as tabled; the `corrected` protocol converts beta to the alternative
 * allele, which the column favours too (quirk Q41). Yoruban: `allele1`, like the effects, under both
 * protocols.
 *
 * @param favours  allele that a positive number favours
 * @param options  genome, required for `favours` "alternative", and the numbering of rows
 * @throws {InputError} when the column was not read or has text that is not a number, or the required genome
 *   is missing
 */
export async function scoresOfColumn(
  table: VariantTable,
  column: string,
  favours: EffectFavours,
  { genome, numberedBy = "table" }: { readonly genome?: Genome; readonly numberedBy?: NumberedBy } = {},
): Promise<ColumnScores> {
  const texts = table.extra.get(column);
  if (texts === undefined) throw new InputError(`the column ${JSON.stringify(column)} was not read`);
  let references: References | undefined;
  if (favours === "alternative") {
    if (genome === undefined) {
      throw new InputError("a genome is needed to identify the alternative allele", {
        place: { file: table.path },
      });
    }
    references = await lookUpReferences(table, genome);
  }
  const lines = ["idx\tallele1_scores\tallele2_scores\n"];
  const scored: number[] = [];
  for (const { index, line } of table.rows) {
    const value = numberOrMissing(texts[index], column, { file: table.path, line });
    if (Number.isNaN(value)) continue;
    const first = favours === "allele1" || references?.of.get(index) === 2;
    const row = numberedBy === "table" ? index : scored.length;
    lines.push(`${row}\t${first ? value : 0}\t${first ? 0 : value}\n`);
    scored.push(index);
  }
  return { lines, scored };
}

/** Unmodified lines of a table: the header and the given rows. */
export async function* linesOfRows(path: string, rows: readonly number[]): AsyncGenerator<string> {
  const wanted = new Set(rows);
  let index = -1;
  for await (const { text } of textLines(path)) {
    if (text === "") continue;
    if (index === -1 || wanted.has(index)) yield `${text}\n`;
    index++;
  }
}
