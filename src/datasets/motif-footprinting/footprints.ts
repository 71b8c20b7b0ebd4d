import { InputError } from "../../base/errors.ts";
import { CPythonRandom } from "../../base/mt19937.ts";
import { consensus, type Motif } from "../../dna/motifs/motif.ts";
import { reverseComplement } from "../../dna/sequence/reverse-complement.ts";

/** One line of a footprint file. */
export interface FootprintLine {
  /**
   * `0_raw_forward`, `0_CTCF_reverse_shuffled`: number of the background, motif, strand, and true or
   * shuffled.
   */
  readonly key: string;
  readonly sequence: string;
}

export interface FootprintOptions {
  /** Seed of the shuffles; default 0, as published. */
  readonly seed?: number;
}

/**
 * Inserts each motif's consensus, and a shuffle of it, into the middle of each background, on both strands. B
 * backgrounds and M motifs give B · (2 + 4 · M) lines, byte-identical to DART-Eval's file.
 *
 * Each background and motif gets a new shuffle, redrawn until it differs from the consensus. All shuffles
 * come from one CPython generator, so each depends on all motifs and backgrounds before it.
 *
 * @param backgrounds  sequences of A, C, G, T, all of one length
 * @throws {InputError} when there is no background or motif, a background has another length or other
 *   characters, or a motif is wider than the backgrounds or repeats one base
 */
export function* buildFootprints(
  backgrounds: readonly string[],
  motifs: readonly Motif[],
  { seed = 0 }: FootprintOptions = {},
): Generator<FootprintLine> {
  checkBackgrounds(backgrounds);
  const length = backgrounds[0].length;
  const inserts = motifs.map((motif) => centredInsert(motif, length));
  if (inserts.length === 0) throw new InputError("no motif was given");
  const random = new CPythonRandom(seed);
  for (const [number, background] of backgrounds.entries()) {
    yield* bothStrands(`${number}_raw`, "", background);
    for (const { name, site } of inserts) {
      const start = Math.floor(length / 2) - Math.floor(site.length / 2);
      const insert = (bases: string) =>
        background.slice(0, start) + bases + background.slice(start + bases.length);
      const [forward, reverse] = [...bothStrands(`${number}_${name}`, "_true", insert(site))];
      const shuffle = shuffled(site, random);
      const [otherForward, otherReverse] = [
        ...bothStrands(`${number}_${name}`, "_shuffled", insert(shuffle)),
      ];
      yield* [forward, otherForward, reverse, otherReverse];
    }
  }
}

function* bothStrands(name: string, member: string, sequence: string): Generator<FootprintLine> {
  yield { key: `${name}_forward${member}`, sequence };
  yield { key: `${name}_reverse${member}`, sequence: reverseComplement(sequence) };
}

function shuffled(site: string, random: CPythonRandom): string {
  const drawn = [...site];
  do random.shuffle(drawn);
  while (drawn.join("") === site);
  return drawn.join("");
}

function centredInsert(motif: Motif, length: number) {
  const { name } = motif;
  const site = consensus(motif);
  if (site.length > length) {
    throw new InputError(`the motif ${name} has ${site.length} bases and the backgrounds have ${length}`);
  }
  if (/^(.)\1*$/.test(site)) {
    throw new InputError(`the consensus of ${name} is ${site}, which equals all of its shuffles`, {
      hint: "remove this motif",
    });
  }
  return { name, site };
}

function checkBackgrounds(backgrounds: readonly string[]): void {
  if (backgrounds.length === 0) throw new InputError("no background was given");
  const { length } = backgrounds[0];
  backgrounds.forEach((sequence, i) => {
    if (sequence.length !== length) {
      throw new InputError(`background ${i} has ${sequence.length} bases, and background 0 has ${length}`);
    }
    const other = /[^ACGT]/.exec(sequence);
    if (other === null) return;
    throw new InputError(`background ${i} has ${JSON.stringify(other[0])} as base ${other.index + 1}`, {
      hint: "expected upper-case A, C, G and T; the original read N as A",
    });
  });
}
