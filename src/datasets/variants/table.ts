import { FormatError } from "../../base/errors.ts";
import type { FieldPlace } from "../../base/table.ts";
import type { Variant } from "../../dna/sequence/variant.ts";
import type { EffectFavours, VariantColumns, VariantForm } from "./forms.ts";

/** One variant of a table. Fields that the table lacks are undefined. */
export interface VariantRow extends Variant {
  /** 0-based number of the variant in the whole table. */
  readonly index: number;
  /** 1-based line of the file. */
  readonly line: number;
  readonly chrom: string;
  /** In upper or lower case, as in the file. */
  readonly allele1: string;
  readonly allele2: string;
  readonly id?: string | undefined;
  /** True for a QTL, false for a control. */
  readonly significant?: boolean | undefined;
  /** The table's filter of evaluated variants. */
  readonly used?: boolean | undefined;
  readonly inPeaks?: boolean | undefined;
  /** Measured effect; positive favours the allele `VariantTable.favours`. */
  readonly effect?: number | undefined;
  /** Effect of allele 2 against allele 1, from DART-Eval's data.h5. */
  readonly allele2Effect?: number | undefined;
  readonly p?: number | undefined;
}

/** True if the benchmark evaluates a row: used and in peaks, by the columns that the table has. */
export const isEvaluated = ({ used, inPeaks }: Pick<VariantRow, "used" | "inPeaks">): boolean =>
  used !== false && inPeaks !== false;

/** True if a variant has an effect. */
export const hasEffect = <Row extends VariantRow>(row: Row): row is Row & { readonly effect: number } =>
  Number.isFinite(row.effect);

/** True if a variant has a p-value. */
export const hasP = <Row extends VariantRow>(row: Row): row is Row & { readonly p: number } =>
  Number.isFinite(row.p);

/** Variant table. */
export interface VariantTable {
  readonly path: string;
  readonly form: VariantForm;
  /** Names of the columns. */
  readonly columns: Omit<VariantColumns, "form" | "favours">;
  /** Allele that positive effects favour. */
  readonly favours: EffectFavours;
  readonly rows: readonly VariantRow[];
  /** Number of rows by spelling of the label. */
  readonly labels: ReadonlyMap<string, number>;
  /**
   * Number of alternatives left out of a VCF file: symbolic, overlapping, missing, or longer than 1,000
   * bases.
   */
  readonly leftOut: number;
  /** Additional columns by name, each [row]. */
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface ReadVariantsOptions {
  /** Additional columns to read, such as a model's scores: names, or a pattern. */
  readonly extra?: readonly string[] | RegExp;
}

/** Variant table from rows in memory. Positive effects favour allele 2. */
export function variantTable(path: string, rows: readonly VariantRow[]): VariantTable {
  const columns = { chrom: "chrom", position: "position", allele1: "allele1", allele2: "allele2" };
  return {
    path,
    form: "plain",
    columns: rows.some(({ effect }) => effect !== undefined) ? { ...columns, effect: "effect" } : columns,
    favours: "allele2",
    rows,
    labels: new Map(),
    leftOut: 0,
    extra: new Map(),
  };
}

/**
 * Parses a label: True, 1 for a QTL; False, 0 or -1 for a control. `checkVariants` reports mixed or unusual
 * spellings.
 *
 * @returns  undefined for an empty field or a missing value
 * @throws {FormatError} for any other text
 */
export function readLabel(text: string, name: string, place: FieldPlace): boolean | undefined {
  if (/^(true|1|1\.0)$/i.test(text)) return true;
  if (/^(false|0|0\.0|-1|-1\.0)$/i.test(text)) return false;
  if (/^(|\.|nan|na|none|null)$/i.test(text)) return undefined;
  throw new FormatError(
    place,
    `${name} ${JSON.stringify(text.slice(0, 40))} is not a label`,
    "expected True and False, 1 and 0, or 1 and -1",
  );
}

/**
 * Parses True and False, or 1 and 0.
 * @returns  undefined if the table has no such column
 * @throws {FormatError} for any other text
 */
export function readFlag(text: string | undefined, name: string | undefined, place: FieldPlace) {
  if (text === undefined) return undefined;
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw new FormatError(place, `${name} is ${JSON.stringify(text.slice(0, 40))}; expected True or False`);
}

/** Longest accepted allele in bases; a window does not extend further after the variant. */
export const MAX_ALLELE_LENGTH = 1000;

/** @throws {FormatError} when an allele is not a sequence of IUPAC codes, or too long */
export function checkAllele(text: string, name: string, place: FieldPlace): string {
  if (/^[ACGTNRYSWKMBDHVacgtnryswkmbdhv]+$/.test(text) && text.length <= MAX_ALLELE_LENGTH) return text;
  throw new FormatError(
    place,
    `${name} ${JSON.stringify(text.slice(0, 40))} is not a DNA sequence of 1 to ${MAX_ALLELE_LENGTH} bases`,
    "write insertions and deletions as in VCF, with the preceding base: A and AG",
  );
}
