import { CONSENSUS_SITES } from "../../src/demo/synthetic/motifs.ts";
import type { Model, SequenceEmbedding } from "../../src/models/model.ts";

const IUPAC: Readonly<Record<string, string>> = {
  A: "A",
  C: "C",
  G: "G",
  T: "T",
  R: "[AG]",
  Y: "[CT]",
  S: "[CG]",
  W: "[AT]",
  K: "[GT]",
  M: "[AC]",
  B: "[CGT]",
  D: "[AGT]",
  H: "[ACT]",
  V: "[ACG]",
  N: ".",
};
const TURNED: Readonly<Record<string, string>> = {
  A: "T",
  C: "G",
  G: "C",
  T: "A",
  R: "Y",
  Y: "R",
  S: "S",
  W: "W",
  K: "M",
  M: "K",
  B: "V",
  V: "B",
  D: "H",
  H: "D",
  N: "N",
};

const patternOf = (consensus: string) =>
  new RegExp(`(?=${[...consensus].map((letter) => IUPAC[letter]).join("")})`, "g");

/** Each known site on either strand. */
const PATTERNS = CONSENSUS_SITES.map(({ consensus }) => [
  patternOf(consensus),
  patternOf(
    [...consensus]
      .map((letter) => TURNED[letter])
      .reverse()
      .join(""),
  ),
]);

/**
 * One state per base: 1 where a known site begins, a column for each kind of site. One more token ends the
 * sequence.
 */
function statesOf(bases: string): SequenceEmbedding {
  const tokens = bases.length + 1;
  const width = PATTERNS.length;
  const states = new Float32Array(tokens * width);
  PATTERNS.forEach((strands, site) => {
    for (const strand of strands)
      for (const { index } of bases.matchAll(strand)) states[index * width + site] = 1;
  });
  const starts = Int32Array.from({ length: tokens }, (_, i) => (i < bases.length ? i : 0));
  const ends = Int32Array.from({ length: tokens }, (_, i) => (i < bases.length ? i + 1 : 0));
  return { states, tokens, width, starts, ends };
}

/** A model whose states encode only the sites planted in synthetic genomes. */
export const siteModel: Model = {
  name: "sites",
  identity: "sites 1",
  embed: (sequences) => sequences.map(statesOf),
};
