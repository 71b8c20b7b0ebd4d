import { FormatError, InputError } from "../../base/errors.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import { consensus } from "../../dna/motifs/motif.ts";
import { sequenceOf } from "../../dna/sequence/encoding.ts";
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

/** A motif's sequences as differences from the backgrounds. */
interface MotifInserts {
  readonly name: string;
  /** [true, shuffled], each [2 · background + strand]. */
  readonly members: readonly (readonly Insert[])[];
}

/**
 * Reads the sequences of Task 2's data.h5 as a footprint file's. The arrays are read one motif at a time;
 * only differences from the backgrounds stay in memory.
 *
 * The file does not name its motifs, which are sorted by name. With their collection, motifs get its names
 * and each consensus is checked; without it they are called motif-0001, motif-0002, ….
 *
 * @param collection  path of the motifs in MEME format
 * @throws {FormatError} naming the array when its shape is wrong, a position has no base, or the strands of a
 *   background are not reverse complements
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
    if (collection !== undefined && named !== undefined) {
      checkConsensus(path, collection, named[motif], trues[0]);
    }
    const members = [trues, entryOf(path, "shuffled", shuffled, motif)].map((sequences) =>
      sequences.map((sequence, i) => insertOf(sequence, backgrounds[i])),
    );
    inserts.push({ name, members });
  }
  return footprintsOf(linesOf(backgrounds, inserts));
}

function checkShapes(path: string, arrays: Readonly<Record<string, ProcessedSequences>>): void {
  const { raw, positive } = arrays;
  for (const [name, { entries, perEntry, length }] of Object.entries(arrays)) {
    const fits = entries === (name === "raw" ? 1 : positive.entries) && entries > 0;
    const alike = perEntry === raw.perEntry && length === raw.length && perEntry % STRANDS.length === 0;
    if (fits && alike && perEntry > 0) continue;
    throw new FormatError(
      { file: path, tensor: name },
      `has shape [${entries}, ${perEntry}, ${length}, 4]; raw has [${raw.entries}, ${raw.perEntry}, ${raw.length}, 4]`,
      "expected raw [1, 2 · backgrounds, bases, 4]; positive and shuffled [motifs, 2 · backgrounds, bases, 4]",
    );
  }
}

/** Sequences of one entry, [2 · background + strand]. */
function entryOf(path: string, name: string, array: ProcessedSequences, entry: number): readonly string[] {
  const { length, perEntry } = array;
  const bases = sequenceOf(array.codes(entry, entry + 1));
  const unknown = bases.indexOf("N");
  if (unknown !== -1) {
    throw new FormatError(
      { file: path, tensor: name },
      `position ${unknown % length} of sequence ${Math.floor(unknown / length)} of entry ${entry} has no base`,
    );
  }
  return Array.from({ length: perEntry }, (_, i) => bases.slice(i * length, (i + 1) * length));
}

function checkStrands(path: string, backgrounds: readonly string[]): void {
  for (let i = 0; i < backgrounds.length; i += STRANDS.length) {
    if (reverseComplement(backgrounds[i]) === backgrounds[i + 1]) continue;
    throw new FormatError(
      { file: path, tensor: "raw" },
      `sequence ${i + 1} is not the reverse complement of sequence ${i}`,
      "expected both strands of each background in turn",
    );
  }
}

/** Names and consensus sequences, sorted by name. */
async function namesOf(collection: string, path: string, expected: number) {
  const { motifs } = await readMotifs(collection);
  if (motifs.length !== expected) {
    throw new InputError(`the collection has ${motifs.length} motifs, and ${path} has ${expected}`, {
      place: { file: collection },
      hint: "DART-Eval used HOCOMOCO v12 CORE, 1,443 motifs",
    });
  }
  const named = motifs.map((motif) => ({ name: motif.name, site: consensus(motif) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function checkConsensus(
  path: string,
  collection: string,
  { name, site }: { readonly name: string; readonly site: string },
  sequence: string,
): void {
  const start = Math.floor(sequence.length / 2) - Math.floor(site.length / 2);
  const found = sequence.slice(start, start + site.length);
  if (found === site) return;
  throw new InputError(`the consensus of ${name} is ${site}, and ${path} has ${found} in its position`, {
    place: { file: collection },
    hint: "are these the motifs that were inserted? DART-Eval used HOCOMOCO v12 CORE",
  });
}

/** Lines in the order of the footprint file that DART-Eval made the arrays from. */
function* linesOf(backgrounds: readonly string[], motifs: readonly MotifInserts[]): Generator<FootprintLine> {
  for (let number = 0; number < backgrounds.length / STRANDS.length; number++) {
    const strands = STRANDS.map((strand, s) => ({ strand, i: STRANDS.length * number + s }));
    for (const { strand, i } of strands) {
      yield { key: `${number}_raw_${strand}`, sequence: backgrounds[i] };
    }
    for (const { name, members } of motifs) {
      for (const { strand, i } of strands) {
        const key = `${number}_${name}_${strand}`;
        yield { key: `${key}_true`, sequence: withInsert(backgrounds[i], members[0][i]) };
        yield { key: `${key}_shuffled`, sequence: withInsert(backgrounds[i], members[1][i]) };
      }
    }
  }
}
