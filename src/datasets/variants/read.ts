import { basename } from "node:path";
import { FormatError, InputError } from "../../base/errors.ts";
import { type FieldPlace, parseDecimal, parseWholeNumber, readTable } from "../../base/table.ts";
import { copyText, StringPool, textLines } from "../../base/text-lines.ts";
import { openProcessed, type ProcessedData } from "../processed-data.ts";
import { type VariantColumns, variantColumns } from "./forms.ts";
import {
  checkAllele,
  type ReadVariantsOptions,
  readFlag,
  readLabel,
  type VariantRow,
  type VariantTable,
} from "./table.ts";
import { isVcf, readVcf } from "./vcf.ts";

/**
 * Reads a variant table, plain or compressed: DART-Eval's African caQTLs or Yoruban dsQTLs, variant-scorer's
 * format, columns `chr pos allele1 allele2`, or VCF. The header identifies the format. Positions are 1-based
 * in all formats.
 *
 * @throws {FormatError} naming the line when the header is unknown, a field is not of its column's type, or
 *   an allele is not a sequence of bases
 */
export async function readVariants(path: string, options: ReadVariantsOptions = {}): Promise<VariantTable> {
  const first = await firstLine(path);
  if (isVcf(first)) return readVcf(path, options);
  const header = first.split("\t");
  const columns = variantColumns(header, { file: path, line: 1 });
  const wanted = options.extra ?? [];
  const extra = wanted instanceof RegExp ? header.filter((name) => wanted.test(name)) : wanted;
  const reader = new RowReader(columns);
  const extraColumns = extra.map((name): [string, string[]] => [name, []]);
  const rows: VariantRow[] = [];
  for await (const { fields, line } of readTable(path, [...reader.names, ...extra])) {
    rows.push(reader.row(fields, rows.length, { file: path, line }));
    extraColumns.forEach(([, values], i) => {
      values.push(fields[reader.names.length + i]);
    });
  }
  const { form, favours, ...names } = columns;
  return {
    path,
    form,
    columns: names,
    favours,
    rows,
    labels: reader.labels,
    leftOut: 0,
    extra: new Map(extraColumns),
  };
}

async function firstLine(path: string): Promise<string> {
  for await (const { text } of textLines(path)) return text;
  throw new FormatError({ file: path }, "the table is empty");
}

/** Parser of a table's lines. */
class RowReader {
  readonly names: readonly string[];
  readonly labels = new Map<string, number>();
  private readonly pool = new StringPool();
  private readonly at: Readonly<Record<string, number>>;

  constructor(private readonly columns: VariantColumns) {
    const { form: _form, favours: _favours, ...roles } = columns;
    this.names = Object.values(roles);
    this.at = Object.fromEntries(Object.keys(roles).map((role, i) => [role, i]));
  }

  row(fields: readonly string[], index: number, place: FieldPlace & { readonly line: number }): VariantRow {
    const field = (role: string) => (role in this.at ? fields[this.at[role]] : undefined);
    const given = (role: "chrom" | "position" | "allele1" | "allele2") => fields[this.at[role]];
    const { columns } = this;
    const label = field("label");
    const id = field("id");
    if (label !== undefined) this.labels.set(label, (this.labels.get(label) ?? 0) + 1);
    return {
      index,
      line: place.line,
      chrom: this.interned(given("chrom"), place),
      position: parseWholeNumber(given("position"), columns.position, place, 1, 2 ** 32) - 1,
      allele1: this.interned(checkAllele(given("allele1"), columns.allele1, place), place),
      allele2: this.interned(checkAllele(given("allele2"), columns.allele2, place), place),
      id: id === undefined ? undefined : copyText(id),
      significant: label === undefined ? undefined : readLabel(label, columns.label ?? "label", place),
      used: readFlag(field("used"), columns.used, place),
      inPeaks: readFlag(field("inPeaks"), columns.inPeaks, place),
      effect: numberOrNone(field("effect"), columns.effect, place),
      p: numberOrNone(field("p"), columns.p, place),
    };
  }

  private interned(text: string, place: FieldPlace): string {
    if (text === "") throw new FormatError(place, "the chromosome's name is empty");
    return this.pool.intern(text);
  }
}

/** NaN if the field is empty or a missing value, undefined without a column. */
function numberOrNone(text: string | undefined, name: string | undefined, place: FieldPlace) {
  return text === undefined ? undefined : numberOrMissing(text, name ?? "number", place);
}

/**
 * Parses a number of a variant table; NaN if the field is empty or a missing value.
 * @throws {FormatError} for other text
 */
export function numberOrMissing(text: string, name: string, place: FieldPlace): number {
  const value = parseDecimal(text);
  if (!Number.isFinite(value) && !/^(|\.|-?nan|na|none|null)$/i.test(text)) {
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} is not a number, nor NaN`);
  }
  return value;
}

/** Relative tolerance of effects stored as float32. */
const TOLERANCE = 1e-6;

/**
 * Effects of allele 2 against allele 1 for the rows of the African table, from `effect_size` in DART-Eval's
 * data.h5. In the published file its sign equals beta's except if allele 2 is the reference (quirk Q41).
 *
 * The group is the one with the name of the table's file, else the only one with the same number of entries.
 * Entries are in table order; their absolute values must equal those of beta.
 *
 * @returns [rows], NaN if the table has no effect
 * @throws {InputError} for a table whose effects do not favour the alternative allele, or without a matching
 *   group
 * @throws {FormatError} when an entry's absolute value differs from beta's
 */
export async function readExportedEffects(path: string, table: VariantTable): Promise<Float64Array> {
  if (table.favours !== "alternative") {
    throw new InputError("effect_size of data.h5 applies to the African caQTLs only", {
      place: { file: table.path },
      hint: "other tables need no effects from data.h5, since theirs favour one allele in all rows",
    });
  }
  await using data = await openProcessed(path);
  const { effectSize } = data.variants(groupOf(data, table));
  for (const { index, line, effect = Number.NaN } of table.rows) {
    const size = Math.abs(effectSize[index]);
    const known = Math.abs(effect);
    const same = Number.isNaN(known) ? Number.isNaN(size) : Math.abs(size - known) <= TOLERANCE * known;
    if (same) continue;
    throw new FormatError(
      { file: table.path, line },
      `the effect is ${effect}, and effect_size of entry ${index} of ${basename(path)} is ${effectSize[index]}`,
      "absolute values must agree; are these the same variants in the same order?",
    );
  }
  return effectSize;
}

function groupOf(data: ProcessedData, { path, rows }: VariantTable): string {
  const names = data.variantTables();
  const own = basename(path)
    .replace(/\.(gz|bgz)$/, "")
    .replace(/\.\w+$/, "");
  const entries = (name: string) => data.variants(name).effectSize.length;
  const fitting = names.filter((name) => entries(name) === rows.length);
  const found = fitting.includes(own) ? own : fitting.length === 1 ? fitting[0] : undefined;
  if (found !== undefined) return found;
  const known = names.map((name) => `${name} with ${entries(name)} entries`).join(", ") || "none";
  throw new InputError(`data.h5 has no group for ${basename(path)}, which has ${rows.length} rows`, {
    place: { file: data.path },
    hint: `groups: ${known}`,
  });
}
