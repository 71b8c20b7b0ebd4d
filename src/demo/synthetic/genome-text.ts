import type { SyntheticChromosome } from "./genome.ts";

const LINE = 60;
/** Upper-case letters of codes 0 to 4, then the same in lower case. */
const LETTERS = new TextEncoder().encode("ACGTNacgtn");
const NEWLINE = 10;

/** The chromosomes as FASTA, repeats in lower case, and its index as samtools faidx writes it. */
export function fastaWithIndex(chromosomes: readonly SyntheticChromosome[]): {
  fasta: Uint8Array;
  index: string;
} {
  const header = (name: string) => new TextEncoder().encode(`>${name}\n`);
  const bodyBytes = (length: number) => length + Math.ceil(length / LINE);
  const total = chromosomes.reduce(
    (sum, { name, codes }) => sum + header(name).length + bodyBytes(codes.length),
    0,
  );
  const fasta = new Uint8Array(total);
  const index: string[] = [];
  let at = 0;
  for (const { name, codes, masked } of chromosomes) {
    fasta.set(header(name), at);
    at += header(name).length;
    index.push([name, codes.length, at, LINE, LINE + 1].join("\t"));
    for (let i = 0; i < codes.length; i++) {
      fasta[at++] = LETTERS[codes[i]! + 5 * masked[i]!]!;
      if ((i + 1) % LINE === 0 || i + 1 === codes.length) fasta[at++] = NEWLINE;
    }
  }
  return { fasta, index: `${index.join("\n")}\n` };
}
