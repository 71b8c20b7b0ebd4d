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
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const value = digitsValue(text);
  if (!(value >= min && value <= max)) {
    const range = Number.isNaN(value) ? "is not a whole number" : `is not from ${min} to ${max}`;
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} ${range}`);
  }
  return value;
}

/** NaN when the text is not digits behind at most one minus. By hand, for tables with millions of numbers. */
function digitsValue(text: string): number {
  const negative = text.charCodeAt(0) === MINUS;
  const first = negative ? 1 : 0;
  if (text.length === first || text.length - first > 16) return Number.NaN;
  let value = 0;
  for (let i = first; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = 10 * value + digit;
  }
  // 0 - 0 is 0, where -0 would be another number.
  return negative ? 0 - value : value;
}

const MINUS = 45;
const ZERO = 48;

/**
 * A finite number in decimal or scientific notation.
 * @throws {FormatError} when it is none
 */
export function finiteNumber(text: string, name: string, place: FieldPlace): number {
  const value = decimalNumber(text);
  if (!Number.isFinite(value)) {
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} is not a number`);
  }
  return value;
}

/** A number in decimal or scientific notation; NaN for any other text, infinite where it is too large. */
export function decimalNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
