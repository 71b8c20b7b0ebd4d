import { FormatError } from "../../base/errors.ts";
import type { FieldPlace } from "../../base/table.ts";

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
