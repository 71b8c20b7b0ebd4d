const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * The number that a cell shows, as `numbers.ts` writes numbers: `−2.720`, `66,547`, `1.8×10⁻⁵³`; of an estimate with its
 * interval the estimate, of an interval alone its lower end. A bound such as `< 10⁻³⁰⁰` is below every number that is
 * shown as itself, so it is 0.
 *
 * @returns  undefined where the cell does not begin with a number, as `–` for an undefined value
 */
export function shownNumber(text: string): number | undefined {
  const cell = text.trim();
  if (cell.startsWith("<")) return 0;
  const found = /^\[?([−-]?)([\d,]*\.?\d+)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/.exec(cell);
  if (found === null) return undefined;
  const [, sign, digits, power = ""] = found;
  const exponent = [...power].map((letter) => (letter === "⁻" ? "-" : SUPERSCRIPTS.indexOf(letter))).join("");
  const size = Number(`${digits!.replaceAll(",", "")}e${exponent || 0}`);
  return sign === "" ? size : -size;
}
