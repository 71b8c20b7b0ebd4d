/** What stands where a number is undefined; the reason is told beside the table. */
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

/** A probability of a test: three digits, or `3.2×10⁻⁴¹`; below the smallest ordinary double, `< 10⁻³⁰⁰`. */
export function pValue(value: number): string {
  if (!Number.isFinite(value)) return UNDEFINED;
  if (value >= 0.001) return value.toFixed(3);
  if (value < 1e-300) return `< 10${superscript(-300)}`;
  return scientific(value);
}

/** Two digits and a power of ten: `3.2×10⁻⁴¹`; `0` for 0. */
export function scientific(value: number): string {
  if (value === 0) return "0";
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits}×10${superscript(Number(exponent))}`;
}

function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

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

/** Bytes in binary units with three significant digits: `1.50 GiB`. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return UNDEFINED;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let amount = value;
  for (; Math.abs(amount) >= 1023.5 && unit < units.length - 1; unit++) amount /= 1024;
  return `${unit === 0 ? amount : amount.toPrecision(3)} ${units[unit]}`;
}

const SUPERSCRIPT_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * The number that a cell shows, as `numbers.ts` writes numbers: `−2.720`, `66,547`, `1.8×10⁻⁵³`; of an estimate with its
 * interval the estimate, of an interval alone its lower end. A bound such as `< 10⁻³⁰⁰` is below every number that is
 * shown as itself, so it is 0.
 *
 * @returns  undefined where the cell does not begin with a number, as `–` for an undefined value
 */
export function parseShownNumber(text: string): number | undefined {
  const cell = text.trim();
  if (cell.startsWith("<")) return 0;
  const found = /^\[?([−-]?)([\d,]*\.?\d+)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/.exec(cell);
  if (found === null) return undefined;
  const [, sign, digits, power = ""] = found;
  const exponent = [...power]
    .map((letter) => (letter === "⁻" ? "-" : SUPERSCRIPT_DIGITS.indexOf(letter)))
    .join("");
  const size = Number(`${digits!.replaceAll(",", "")}e${exponent || 0}`);
  return sign === "" ? size : -size;
}
