import { FormatError, InputError } from "../../base/errors.ts";
import { parseDecimal, parseWholeNumber } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { lookUpReferences } from "./checks/references.ts";
import type { EffectFavours } from "./forms.ts";
import type { VariantRow, VariantTable } from "./table.ts";

/** Columns of a run's scores by which a variant is found again, where they are there. */
const KEYS = ["idx", "chrom", "pos", "allele1", "allele2"] as const;

/** A run's table of scores, by the number of the row. */
export interface VariantScores {
  readonly path: string;
  /** Names of the columns that hold scores. */
  readonly columns: readonly string[];
  /** Text of each score, as it stands in the file. */
  readonly rows: ReadonlyMap<number, readonly string[]>;
}

/**
 * Reads the `scores.tsv` of a run of task 5 and holds it against the table that it should be of.
 *
 * @throws {FormatError} when there is no column `idx`, a row is not one of the table, comes twice, or has another place or
 *   other alleles than the table's row of that number
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
        "this must be the scores.tsv of a run: it counts the table's rows from 0",
      );
    }
    if (fields.length !== header.length) {
      throw new FormatError(place, `the line has ${fields.length} fields, the header ${header.length}`);
    }
    const named = Object.fromEntries(header.map((name, i) => [name, fields[i]]));
    const index = parseWholeNumber(named.idx!, "idx", place);
    const row = byIndex.get(index);
    if (row === undefined) throw new FormatError(place, `${table.path} has no row ${index}`);
    if (rows.has(index)) throw new FormatError(place, `row ${index} has its scores twice`);
    checkKeys(named, row, table, place);
    rows.set(
      index,
      header.flatMap((name, i) => (isKey(name) ? [] : [fields[i]])),
    );
  }
  if (header === undefined) throw new FormatError({ file: path }, "the table is empty");
  return { path, columns: header.filter((name) => !isKey(name)), rows };
}

const isKey = (name: string) => (KEYS as readonly string[]).includes(name);

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
      "are these the scores of another table, or of another version of it?",
    );
  }
}

/**
 * The table as it is, every field untouched, with columns of scores behind, as the original writes its results. Rows without
 * scores have empty fields there. Of a VCF file the columns CHROM, POS, ID, REF and ALT, one line per alternative.
 *
 * @throws {InputError} when the table has a column of that name already
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
        throw new InputError(`the table has a column ${JSON.stringify(taken)} already`, {
          place: { file: table.path, line: 1 },
        });
      }
      yield `${text}\t${scores.columns.join("\t")}\n`;
    } else yield `${text}\t${scoresOf(index)}\n`;
    index++;
  }
}

/** Which row a line of scores is of: of the whole table, or of the table that `linesOfRows` makes of the scored ones. */
export type NumberedBy = "table" | "scored";

/** Scores of two alleles made of one column. */
export interface ColumnScores {
  /** Lines of a table of scores, header first, line ends included. */
  readonly lines: readonly string[];
  /** Numbers of the rows that have a line, ascending. */
  readonly scored: readonly number[];
}

/**
 * Writes one column of a table, such as ChromBPNet's log fold changes, as a table of scores that is evaluated like a model's
 * predicted activities: the allele that a positive number favours gets the number, the other one 0. A row whose field is not a
 * number gets no line; a run scores every row of its table, so it needs a table without them.
 *
 * The benchmark's published ChromBPNet values come from the columns as they are. African: `allele2`, evaluated under `paper`,
 * which takes beta as tabled; under `corrected`, which turns beta to the alternative allele, the column favours that as well
 * (quirk Q41). Yoruban: `allele1`, which the effects favour too, under either protocol.
 *
 * @param favours  which allele a positive number of the column favours
 * @param options  the genome, needed where that is the alternative; what rows are counted in
 * @throws {InputError} when the column was not read, or a genome is needed and not given
 */
export async function scoresOfColumn(
  table: VariantTable,
  column: string,
  favours: EffectFavours,
  { genome, numberedBy = "table" }: { readonly genome?: Genome; readonly numberedBy?: NumberedBy } = {},
): Promise<ColumnScores> {
  const texts = table.extra.get(column);
  if (texts === undefined) throw new InputError(`the column ${JSON.stringify(column)} was not read`);
  if (favours === "alternative" && genome === undefined) {
    throw new InputError("which allele is the alternative is known by the genome, and none was given", {
      place: { file: table.path },
    });
  }
  const references = favours === "alternative" ? await lookUpReferences(table, genome!) : undefined;
  const lines = ["idx\tallele1_scores\tallele2_scores\n"];
  const scored: number[] = [];
  for (const { index } of table.rows) {
    const value = parseDecimal(texts[index]);
    if (!Number.isFinite(value)) continue;
    const first = favours === "allele1" || references?.of.get(index) === 2;
    const row = numberedBy === "table" ? index : scored.length;
    lines.push(`${row}\t${first ? value : 0}\t${first ? 0 : value}\n`);
    scored.push(index);
  }
  return { lines, scored };
}

/** Lines of a table's file as they are: its header, and the rows of these numbers. */
export async function* linesOfRows(path: string, rows: readonly number[]): AsyncGenerator<string> {
  const wanted = new Set(rows);
  let index = -1;
  for await (const { text } of textLines(path)) {
    if (text === "") continue;
    if (index === -1 || wanted.has(index)) yield `${text}\n`;
    index++;
  }
}
