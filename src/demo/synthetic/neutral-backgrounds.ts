import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import { modelLettersOf } from "../../dna/sequence/letters.ts";
import { dinucleotideShuffleCodes } from "../../dna/sequence/shuffle.ts";
import type { SyntheticChromosome } from "./genome.ts";

const COUNT = 100;
const LENGTH = 350;

/**
 * Sequences to put motifs into, one per line: controls of task 1 on the forward strand, which are elements shuffled by
 * dinucleotides inside their unchanged flanks. At most 100, evenly spread over the genome.
 */
export function backgroundsText(chromosomes: readonly SyntheticChromosome[]): string {
  const places = chromosomes.flatMap(({ codes, elements }) =>
    elements.map((element) => ({ codes, element })),
  );
  const count = Math.min(COUNT, places.length);
  let text = "";
  for (let i = 0; i < count; i++) {
    const { codes, element } = places[Math.floor((i * places.length) / count)]!;
    const { chrom, start, end } = element;
    const left = start - Math.floor((LENGTH - (end - start)) / 2);
    const window = codes.slice(left, left + LENGTH);
    dinucleotideShuffleCodes(window, start - left, end - left, new Pcg64(seedOf([0, chrom, start, end])));
    text += `${modelLettersOf(window)}\n`;
  }
  return text;
}
