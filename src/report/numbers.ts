/** Text of an undefined number. Notes below a table give the reason. */
export const UNDEFINED = "–";

/** `0.7312` → `0.731`; never `-0.000`. `–` for NaN and infinities. */
export function fixed(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return UNDEFINED;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "−");
}

/** `12034` → `12,034`. */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : UNDEFINED;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A p-value: three decimals, `3.2×10⁻⁴¹` below 0.001, `< 10⁻³⁰⁰` below that. */
export function pValue(value: number): string {
  if (!Number.isFinite(value)) return UNDEFINED;
  if (value >= 0.001) return value.toFixed(3);
  if (value < 1e-300) return `< 10${superscript(-300)}`;
  return scientific(value);
}

/** Two significant digits and a power of ten: `3.2×10⁻⁴¹`; `0` for 0. */
export function scientific(value: number): string {
  if (value === 0) return "0";
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits}×10${superscript(Number(exponent))}`;
}

function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

/** Superscript digits as ordinary digits: `⁻⁴¹` → `-41`. */
export const plainDigits = (superscripts: string): string =>
  [...superscripts].map((digit) => (digit === "⁻" ? "-" : SUPERSCRIPTS.indexOf(digit))).join("");

/** Seconds in the two largest units: `0.8 s`, `53 s`, `2 min 12 s`, `1 h 05 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return UNDEFINED;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** Seconds of an estimate in one unit, with one or two digits: `3 min`, `40 s`, `1.5 h`. */
export function roughDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return UNDEFINED;
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const [size, unit] = units.find(([size]) => seconds >= 1.95 * size) ?? [1, "s"];
  return `${twoDigits(seconds / size)} ${unit}`;
}

/** Bytes of an estimate in binary units, with one or two digits: `1.5 GiB`. */
export function roughBytes(value: number): string {
  const [digits, unit] = bytes(value).split(" ");
  return unit === undefined ? UNDEFINED : `${twoDigits(Number(digits))} ${unit}`;
}

/** A number below 10 with one digit after the point, larger ones rounded to two digits. */
function twoDigits(value: number): string {
  return String(value < 9.95 ? Number(value.toFixed(1)) : Number(value.toPrecision(2)));
}

/** Bytes in binary units with three significant digits: `1.50 GiB`. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return UNDEFINED;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let amount = value;
  for (; Math.abs(amount) >= 1023.5 && unit < units.length - 1; unit++) amount /= 1024;
  return `${unit === 0 ? amount : amount.toPrecision(3)} ${units[unit]}`;
}

/**
 * Parses the number at the beginning of a cell: `−2.720`, `66,547`, `1.8×10⁻⁵³`. Of an estimate with interval
 * it is the estimate, of an interval the lower bound. A bound such as `< 10⁻³⁰⁰` gives 0, which is below all
 * other numbers.
 *
 * @returns  undefined if the cell does not begin with a number, such as `–`
 */
export function parseShownNumber(text: string): number | undefined {
  const cell = text.trim();
  if (cell.startsWith("<")) return 0;
  const found = /^\[?([−-]?)([\d,]*\.?\d+)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/.exec(cell);
  if (found === null) return undefined;
  const [, sign, digits, power = ""] = found;
  const size = Number(`${digits.replaceAll(",", "")}e${plainDigits(power) || 0}`);
  return sign === "" ? size : -size;
}
