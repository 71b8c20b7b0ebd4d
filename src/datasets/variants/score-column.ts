import { InputError } from "../../base/errors.ts";
import { parseDecimal } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { lookUpReferences } from "./checks/references.ts";
import type { EffectFavours } from "./forms.ts";
import type { VariantTable } from "./table.ts";

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
    const value = parseDecimal(texts[index]!);
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
