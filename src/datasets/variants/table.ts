import { FormatError } from "../../base/errors.ts";
import type { FieldPlace } from "../../base/table.ts";
import type { Variant } from "../../dna/sequence/variant.ts";
import type { EffectFavours, VariantColumns, VariantForm } from "./forms.ts";

/** One variant of a table. `undefined` is what the table does not tell. */
export interface VariantRow extends Variant {
  /** 0-based number of the variant in the whole table. */
  readonly index: number;
  /** 1-based line of the file. */
  readonly line: number;
  readonly chrom: string;
  /** As the file has them, either case. */
  readonly allele1: string;
  readonly allele2: string;
  readonly id?: string | undefined;
  /** A QTL, or a control. */
  readonly significant?: boolean | undefined;
  /** Meant to be evaluated. */
  readonly used?: boolean | undefined;
  readonly inPeaks?: boolean | undefined;
  /** As measured; which allele it favours is `VariantTable.favours`. */
  readonly effect?: number | undefined;
  /** Effect of allele 2 against allele 1, from DART-Eval's data.h5 where that is joined. */
  readonly allele2Effect?: number | undefined;
  readonly p?: number | undefined;
}

/** Whether the benchmark evaluates a row: one that its table marks as used and as in peaks, where it has these columns. */
export const isEvaluated = ({ used, inPeaks }: Pick<VariantRow, "used" | "inPeaks">): boolean =>
  used !== false && inPeaks !== false;

/** A table of variants, and what its form says of all of them. */
export interface VariantTable {
  readonly path: string;
  readonly form: VariantForm;
  /** Names of the columns that the table has for what is asked of it. */
  readonly columns: Omit<VariantColumns, "form" | "favours">;
  readonly favours: EffectFavours;
  readonly rows: readonly VariantRow[];
  /** How often each spelling of a label was found. */
  readonly labels: ReadonlyMap<string, number>;
  /** Alternatives that were left out: no bases (symbolic, overlapping, missing), or more than 1,000; of VCF alone. */
  readonly leftOut: number;
  /** Columns asked for by name, [row]. */
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface ReadVariantsOptions {
  /** Further columns to keep, such as another model's scores: by their names, or all whose name fits. */
  readonly extra?: readonly string[] | RegExp;
}

/** Variants of one's own making as a table; a positive effect is of allele 2. */
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
 * A label of a QTL (true) or a control (false). Tables code it as True and False, 1 and 0, or 1 and -1; what is mixed or odd
 * is found by the check of the whole table.
 *
 * @returns  undefined where the field is empty
 * @throws {FormatError} when it is none of these
 */
export function readLabel(text: string, name: string, place: FieldPlace): boolean | undefined {
  if (/^(true|1|1\.0)$/i.test(text)) return true;
  if (/^(false|0|0\.0|-1|-1\.0)$/i.test(text)) return false;
  if (/^(|\.|nan|na|none|null)$/i.test(text)) return undefined;
  throw new FormatError(
    place,
    `${name} ${JSON.stringify(text.slice(0, 40))} is no label`,
    "labels are True and False, 1 and 0, or 1 and -1",
  );
}

/**
 * A column of True and False, or 1 and 0.
 * @returns  undefined where the table has no such column
 * @throws {FormatError} when it is neither
 */
export function readFlag(text: string | undefined, name: string | undefined, place: FieldPlace) {
  if (text === undefined) return undefined;
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw new FormatError(place, `${name} is ${JSON.stringify(text.slice(0, 40))}, expected True or False`);
}

/** Longest allele that is taken for one: a window holds no more behind the variant. */
export const LONGEST_ALLELE = 1000;

/** @throws {FormatError} when an allele is no letters of the DNA alphabet */
export function checkAllele(text: string, name: string, place: FieldPlace): string {
  if (/^[ACGTNRYSWKMBDHVacgtnryswkmbdhv]+$/.test(text) && text.length <= LONGEST_ALLELE) return text;
  throw new FormatError(
    place,
    `${name} ${JSON.stringify(text.slice(0, 40))} is not letters of DNA, ${LONGEST_ALLELE} at most`,
    "an insertion or deletion is written as in VCF, with the base before it: A and AG",
  );
}
