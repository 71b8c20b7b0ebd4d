import { shuffle } from "../../src/base/random.ts";
import { generatorOf, growGenome } from "../../src/demo/synthetic/genome.ts";

/** Genome that the toys are trained on. The demo's has seed 0: other bases, the same sites and grammar. */
export const GENOME = { seed: 1, scale: 5 };
/** Flanking bases on either side of a site. */
export const FLANK = 4;
/** Share of validation sequences. */
const VALIDATION = 0.04;

export interface Corpus {
  readonly training: readonly string[];
  readonly validation: readonly string[];
}

/**
 * All planted sites with their flanks, concatenated in random order and cut into sequences of equal length.
 * Sites in the genome are far apart; a model trained on little else learns them in minutes.
 */
export function toyCorpus(length: number): Corpus {
  const pieces = growGenome(GENOME.seed, GENOME.scale).flatMap(({ codes, elements }) =>
    elements.flatMap(({ sites }) =>
      joined(sites).map(([start, end]) =>
        Array.from(codes.subarray(start, end), (code) => "ACGT"[code]).join(""),
      ),
    ),
  );
  shuffle(generatorOf(GENOME.seed, "order of sites"), pieces);
  const all = pieces.join("");
  const sequences = Array.from({ length: Math.floor(all.length / length) }, (_, i) =>
    all.slice(i * length, (i + 1) * length),
  );
  const validation = Math.round(VALIDATION * sequences.length);
  return { training: sequences.slice(validation), validation: sequences.slice(0, validation) };
}

/** Sites with their flanks; touching ones are merged, so that sites of a pair keep their distance. */
function joined(sites: readonly { readonly start: number; readonly end: number }[]): [number, number][] {
  const pieces: [number, number][] = [];
  for (const site of sites) {
    const [start, end] = [site.start - FLANK, site.end + FLANK];
    const last = pieces.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else pieces.push([start, end]);
  }
  return pieces;
}
