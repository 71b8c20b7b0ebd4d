import { FormatError, type Place } from "./errors.ts";

/** Where a field of a table lies: its file and line, for messages. */
export type FieldPlace = Place & { readonly file: string };

/**
 * A whole number written with digits alone: no sign unless `min` is below 0, no point, no exponent, no blanks.
 *
 * @param name  what the field is called, for the message
 * @throws {FormatError} when it is none, or lies outside [min, max]
 */
export function wholeNumber(
  text: string,
  name: string,
  place: FieldPlace,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const range = Number.isNaN(value) ? "is not a whole number" : `is not from ${min} to ${max}`;
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} ${range}`);
  }
  // Adding 0 makes -0 into 0.
  return value + 0;
}

/**
 * A finite number in decimal or scientific notation.
 * @throws {FormatError} when it is none
 */
export function finiteNumber(text: string, name: string, place: FieldPlace): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} is not a number`);
  }
  return value;
}
