import { codesOf, NO_BASE } from "./letters.ts";

/**
 * Share of G and C among the bases A, C, G, T, in [0, 1]; other letters count on neither side.
 *
 * @returns NaN when the sequence holds no base
 * @throws {InputError} when a character is not ASCII
 */
export function gcFraction(letters: string): number {
  let strong = 0;
  let bases = 0;
  for (const code of codesOf(letters)) {
    if (code === NO_BASE) continue;
    bases++;
    if (code === 1 || code === 2) strong++;
  }
  return bases === 0 ? Number.NaN : strong / bases;
}
