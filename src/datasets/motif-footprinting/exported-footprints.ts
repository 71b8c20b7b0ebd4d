import { FormatError, InputError } from "../../base/errors.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import { consensus } from "../../dna/motifs/motif.ts";
import { lettersOf } from "../../dna/sequence/encoding.ts";
import { reverseComplement } from "../../dna/sequence/reverse-complement.ts";
import { openProcessed, type ProcessedSequences } from "../processed-data.ts";
import {
  type Footprints,
  footprintsOf,
  type Insert,
  insertOf,
  STRANDS,
  withInsert,
} from "./footprint-file.ts";
import type { FootprintLine } from "./footprints.ts";

/** A motif's sequences, true and shuffled: for each background what differs from it, on both strands in turn. */
interface MotifInserts {
  readonly name: string;
  readonly members: readonly (readonly Insert[])[];
}

/**
 * The sequences of DART-Eval's data.h5 of Task 2, as those of a footprints' file. The arrays hold motif after motif and are
 * read so, one at a time; what is kept is what differs from the backgrounds.
 *
 * The file does not name its motifs, which are in the order of their names. With the collection that they come from they are
 * named, and each consensus is looked for where it should be; without it they are motif-0001, motif-0002, ….
 *
 * @param collection  path of the motifs in MEME's text format
 * @throws {FormatError} naming the array when its shape is another one, a position has no base, or the strands of a
 *   background are not each other's reverse complements
 * @throws {InputError} when the collection has another number of motifs, or another consensus
 */
export async function readExportedFootprints(path: string, collection?: string): Promise<Footprints> {
  await using data = await openProcessed(path);
  const { raw, positive, shuffled } = data.motifs();
  checkShapes(path, { raw, positive, shuffled });
  const backgrounds = entryOf(path, "raw", raw, 0);
  checkStrands(path, backgrounds);
  const named = collection === undefined ? undefined : await namesOf(collection, path, positive.entries);
  const inserts: MotifInserts[] = [];
  for (let motif = 0; motif < positive.entries; motif++) {
    const trues = entryOf(path, "positive", positive, motif);
    const name = named?.[motif]?.name ?? `motif-${String(motif + 1).padStart(4, "0")}`;
    if (named !== undefined) checkConsensus(path, collection!, named[motif], trues[0]);
    const members = [trues, entryOf(path, "shuffled", shuffled, motif)].map((sequences) =>
      sequences.map((sequence, place) => insertOf(sequence, backgrounds[place])),
    );
    inserts.push({ name, members });
  }
  return footprintsOf(linesOf(backgrounds, inserts));
}

function checkShapes(path: string, arrays: Readonly<Record<string, ProcessedSequences>>): void {
  const { raw, positive } = arrays;
  for (const [name, { entries, perEntry, length }] of Object.entries(arrays)) {
    const fits = entries === (name === "raw" ? 1 : positive!.entries) && entries > 0;
    const alike = perEntry === raw!.perEntry && length === raw!.length && perEntry % STRANDS.length === 0;
    if (fits && alike && perEntry > 0) continue;
    throw new FormatError(
      { file: path, tensor: name },
      `is [${entries}, ${perEntry}, ${length}, 4], beside raw [${raw!.entries}, ${raw!.perEntry}, ${raw!.length}, 4]`,
      "expected are raw [1, 2 · backgrounds, bases, 4], and positive and shuffled [motifs, 2 · backgrounds, bases, 4]",
    );
  }
}

/** The sequences of one entry: both strands of each background in turn. */
function entryOf(path: string, name: string, array: ProcessedSequences, entry: number): readonly string[] {
  const { length, perEntry } = array;
  const letters = lettersOf(array.codes(entry, entry + 1));
  const unknown = letters.indexOf("N");
  if (unknown !== -1) {
    throw new FormatError(
      { file: path, tensor: name },
      `position ${unknown % length} of sequence ${Math.floor(unknown / length)} of entry ${entry} has no base`,
    );
  }
  return Array.from({ length: perEntry }, (_, i) => letters.slice(i * length, (i + 1) * length));
}

function checkStrands(path: string, backgrounds: readonly string[]): void {
  for (let place = 0; place < backgrounds.length; place += STRANDS.length) {
    if (reverseComplement(backgrounds[place]) === backgrounds[place + 1]) continue;
    throw new FormatError(
      { file: path, tensor: "raw" },
      `sequence ${place + 1} is not the reverse complement of sequence ${place}`,
      "both strands of a background follow each other",
    );
  }
}

/** Names and consensuses in the order of the names. */
async function namesOf(collection: string, path: string, expected: number) {
  const { motifs } = await readMotifs(collection);
  if (motifs.length !== expected) {
    throw new InputError(`there are ${motifs.length} motifs, and ${path} has ${expected}`, {
      place: { file: collection },
      hint: "DART-Eval took HOCOMOCO v12 CORE, 1,443 motifs",
    });
  }
  const named = motifs.map((motif) => ({ name: motif.name, letters: consensus(motif) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function checkConsensus(
  path: string,
  collection: string,
  { name, letters }: { readonly name: string; readonly letters: string },
  sequence: string,
): void {
  const start = Math.floor(sequence.length / 2) - Math.floor(letters.length / 2);
  const found = sequence.slice(start, start + letters.length);
  if (found === letters) return;
  throw new InputError(`the consensus of ${name} is ${letters}, and ${path} has ${found} in its place`, {
    place: { file: collection },
    hint: "are these the motifs that were put into the backgrounds? DART-Eval took HOCOMOCO v12 CORE",
  });
}

/** In the order of the file that DART-Eval made the arrays from. */
function* linesOf(backgrounds: readonly string[], motifs: readonly MotifInserts[]): Generator<FootprintLine> {
  for (let number = 0; number < backgrounds.length / STRANDS.length; number++) {
    const places = STRANDS.map((strand, i) => ({ strand, place: STRANDS.length * number + i }));
    for (const { strand, place } of places) {
      yield { key: `${number}_raw_${strand}`, sequence: backgrounds[place] };
    }
    for (const { name, members } of motifs) {
      for (const { strand, place } of places) {
        const key = `${number}_${name}_${strand}`;
        yield { key: `${key}_true`, sequence: withInsert(backgrounds[place], members[0][place]) };
        yield { key: `${key}_shuffled`, sequence: withInsert(backgrounds[place], members[1][place]) };
      }
    }
  }
}
