import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import { modelSequenceOf, NO_BASE } from "../../dna/sequence/encoding.ts";
import { dinucleotideShuffleCodes } from "../../dna/sequence/shuffle.ts";
import {
  chromosomeLengths,
  drawBackground,
  drawRepeatFamilies,
  insertRepeats,
  TELOMERE,
} from "./background.ts";
import { type PlantedElement, plantElements } from "./elements.ts";

export interface SyntheticChromosome {
  readonly name: string;
  /** Base codes A 0, C 1, G 2, T 3; 4 for the N of the telomeres. */
  readonly codes: Uint8Array;
  /** 1 for bases of repeats. */
  readonly masked: Uint8Array;
  /** Sorted by start. */
  readonly elements: readonly PlantedElement[];
}

/** Random generator of one part of a synthetic genome; parts are independent. */
export const generatorOf = (seed: number, ...part: readonly string[]) =>
  new Pcg64(seedOf([seed, "synthetic", ...part]));

/** Generates all chromosomes: background, then repeats, then elements, then telomeres. */
export function growGenome(seed: number, scale: number): SyntheticChromosome[] {
  const families = drawRepeatFamilies(generatorOf(seed, "repeats"));
  return Array.from(chromosomeLengths(scale), ([name, length]) => {
    const rng = generatorOf(seed, "chromosome", name);
    const { codes, compositionAt } = drawBackground(rng, length);
    const masked = insertRepeats(rng, codes, families);
    const elements = plantElements(rng, name, codes, masked, compositionAt);
    for (const [start, end] of [
      [0, TELOMERE],
      [length - TELOMERE, length],
    ] as const) {
      codes.fill(NO_BASE, Math.max(0, start), end);
      masked.fill(0, Math.max(0, start), end);
    }
    return { name, codes, masked, elements };
  });
}

/** Bases per line of the FASTA file. */
const LINE = 60;
/** Characters of codes 0 to 4 in upper case, then in lower case. */
const LETTERS = new TextEncoder().encode("ACGTNacgtn");
const NEWLINE = 10;

/** FASTA file of the chromosomes, repeats in lower case, and its index in the format of samtools faidx. */
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
      fasta[at++] = LETTERS[codes[i] + 5 * masked[i]];
      if ((i + 1) % LINE === 0 || i + 1 === codes.length) fasta[at++] = NEWLINE;
    }
  }
  return { fasta, index: `${index.join("\n")}\n` };
}

const COUNT = 100;
const LENGTH = 350;

/**
 * Task 2's background sequences, one per line: up to 100 of Task 1's controls on the forward strand, evenly
 * spaced over the genome. A control is an element's window in which the element is dinucleotide-shuffled.
 */
export function backgroundsText(chromosomes: readonly SyntheticChromosome[]): string {
  const all = chromosomes.flatMap(({ codes, elements }) => elements.map((element) => ({ codes, element })));
  const count = Math.min(COUNT, all.length);
  let text = "";
  for (let i = 0; i < count; i++) {
    const { codes, element } = all[Math.floor((i * all.length) / count)];
    const { chrom, start, end } = element;
    const left = start - Math.floor((LENGTH - (end - start)) / 2);
    const window = codes.slice(left, left + LENGTH);
    dinucleotideShuffleCodes(window, start - left, end - left, new Pcg64(seedOf([0, chrom, start, end])));
    text += `${modelSequenceOf(window)}\n`;
  }
  return text;
}
