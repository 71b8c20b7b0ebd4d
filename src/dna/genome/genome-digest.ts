import { sha256Hex } from "../../base/digest.ts";
import type { SequenceSource } from "./sequence-source.ts";

/** Upper-case A, C, G, T as they are, every other letter as N. */
const BASE_OR_N = new Uint8Array(256).fill(78);
for (const base of "ACGT") BASE_OR_N[base.charCodeAt(0)] = base.charCodeAt(0);

/** Changes when the rule of `genomeDigest` does. */
export const GENOME_DIGEST_RULE = "genome 1";

/**
 * SHA-256 of what a genome says: one line `name, length, SHA-256 of the letters` for each sequence, sorted by name.
 *
 * Case, line width, compression and the order of sequences do not count. Letters other than A, C, G, T count as N: a
 * 2bit file cannot hold them, and no model sees them.
 */
export async function genomeDigest(source: SequenceSource): Promise<string> {
  const lines: string[] = [];
  for (const [name, length] of source.lengths) {
    const letters = await source.readWhole(name);
    for (let i = 0; i < letters.length; i++) letters[i] = BASE_OR_N[letters[i]!]!;
    lines.push(`${name}\t${length}\t${sha256Hex(letters)}\n`);
  }
  return sha256Hex(lines.sort().join(""));
}
