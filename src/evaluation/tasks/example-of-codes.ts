import { modelLettersOf, NO_BASE } from "../../dna/sequence/letters.ts";
import type { Example } from "./task.ts";

/**
 * A row of one sequence, from its base codes: letters as a language model sees them, the codes themselves where a position holds
 * no base, and how many do (`unknown` of the facts).
 *
 * @param codes  0 A, 1 C, 2 G, 3 T, 4 no base (N, or off the chromosome)
 */
export function exampleOfCodes(row: number, codes: Uint8Array, facts: Example["facts"]): Example {
  const unknown = codes.reduce((count, code) => (code === NO_BASE ? count + 1 : count), 0);
  return {
    row,
    sequences: [modelLettersOf(codes)],
    ...(unknown === 0 ? {} : { codes: [codes] }),
    facts: { ...facts, unknown },
  };
}
