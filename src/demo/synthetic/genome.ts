import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import { NO_BASE } from "../../dna/sequence/letters.ts";
import { drawBackground } from "./background.ts";
import { type PlantedElement, plantElements } from "./elements.ts";
import { chromosomeLengths, TELOMERE } from "./layout.ts";
import { drawRepeatFamilies, insertRepeats } from "./repeats.ts";

export interface SyntheticChromosome {
  readonly name: string;
  /** Base codes A 0, C 1, G 2, T 3; 4 for the N of the telomeres. */
  readonly codes: Uint8Array;
  /** 1 where a letter belongs to a repeat. */
  readonly masked: Uint8Array;
  /** By start. */
  readonly elements: readonly PlantedElement[];
}

/** The generator of one part of a synthetic genome: parts do not depend on each other. */
export const generatorOf = (seed: number, ...part: readonly string[]) =>
  new Pcg64(seedOf([seed, "synthetic", ...part]));

/** Letters and elements of every chromosome: background, then repeats, then elements, then telomeres. */
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
