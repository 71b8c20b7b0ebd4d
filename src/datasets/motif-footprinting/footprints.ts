import { InputError } from "../../base/errors.ts";
import { CPythonRandom } from "../../base/mt19937.ts";
import { consensus, type Motif } from "../../dna/motifs/motif.ts";
import { reverseComplement } from "../../dna/sequence/reverse-complement.ts";

/** One line of the footprints' file. */
export interface FootprintLine {
  /** `0_raw_forward`, `0_CTCF_reverse_shuffled`: the background's number, what was put in, the strand, and which member. */
  readonly key: string;
  readonly sequence: string;
}

export interface FootprintOptions {
  /** Of the shuffles; 0, as published, when left out. */
  readonly seed?: number;
}

/**
 * Backgrounds with each motif's consensus in their middle, and with its letters shuffled there instead, on both strands:
 * for B backgrounds and M motifs B · (2 + 4 · M) lines, those of DART-Eval's own file byte for byte.
 *
 * The shuffle is drawn anew for every background and motif until it differs from the consensus. One generator of CPython's
 * runs through the whole file, so shuffles depend on all motifs and backgrounds before.
 *
 * @param backgrounds  letters A, C, G, T, all of one length
 * @throws {InputError} when there is nothing to build from, a background is of another length or has other letters, or a
 *   motif is wider than the backgrounds or all of one letter
 */
export function* buildFootprints(
  backgrounds: readonly string[],
  motifs: readonly Motif[],
  { seed = 0 }: FootprintOptions = {},
): Generator<FootprintLine> {
  checkBackgrounds(backgrounds);
  const length = backgrounds[0].length;
  const inserts = motifs.map((motif) => centredInsert(motif, length));
  if (inserts.length === 0) throw new InputError("there is no motif to put into the backgrounds");
  const random = new CPythonRandom(seed);
  for (const [number, background] of backgrounds.entries()) {
    yield* bothStrands(`${number}_raw`, "", background);
    for (const { name, letters } of inserts) {
      const start = Math.floor(length / 2) - Math.floor(letters.length / 2);
      const put = (insert: string) =>
        background.slice(0, start) + insert + background.slice(start + insert.length);
      const [forward, reverse] = [...bothStrands(`${number}_${name}`, "_true", put(letters))];
      const shuffle = shuffled(letters, random);
      const [otherForward, otherReverse] = [...bothStrands(`${number}_${name}`, "_shuffled", put(shuffle))];
      yield* [forward!, otherForward!, reverse!, otherReverse!];
    }
  }
}

function* bothStrands(name: string, member: string, sequence: string): Generator<FootprintLine> {
  yield { key: `${name}_forward${member}`, sequence };
  yield { key: `${name}_reverse${member}`, sequence: reverseComplement(sequence) };
}

function shuffled(letters: string, random: CPythonRandom): string {
  const drawn = [...letters];
  do random.shuffle(drawn);
  while (drawn.join("") === letters);
  return drawn.join("");
}

function centredInsert(motif: Motif, length: number) {
  const { name } = motif;
  const letters = consensus(motif);
  if (letters.length > length) {
    throw new InputError(
      `the motif ${name} has ${letters.length} letters and the backgrounds have ${length}`,
    );
  }
  if (/^(.)\1*$/.test(letters)) {
    throw new InputError(`the consensus of ${name} is ${letters}, which has no other order`, {
      hint: "leave the motif out: a shuffle cannot differ from it",
    });
  }
  return { name, letters };
}

function checkBackgrounds(backgrounds: readonly string[]): void {
  if (backgrounds.length === 0) throw new InputError("there is no background to put motifs into");
  const { length } = backgrounds[0];
  backgrounds.forEach((letters, i) => {
    if (letters.length !== length) {
      throw new InputError(`background ${i} has ${letters.length} letters, and background 0 has ${length}`);
    }
    const other = /[^ACGT]/.exec(letters);
    if (other === null) return;
    throw new InputError(`background ${i} has ${JSON.stringify(other[0])} as letter ${other.index + 1}`, {
      hint: "expected are A, C, G and T in upper case; the original read N as A",
    });
  });
}
