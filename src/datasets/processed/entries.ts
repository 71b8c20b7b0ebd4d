import { openFile } from "../../base/read-file.ts";
import type { ProcessedSequences } from "./h5.ts";

/** First bytes of an HDF5 file. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46];

/** Whether a file is HDF5, and so data that DART-Eval exported, not a table. @throws {InputError} when it cannot be read */
export async function isProcessedFile(path: string): Promise<boolean> {
  await using handle = await openFile(path);
  if (handle.size < SIGNATURE.length) return false;
  const bytes = await handle.read(0, SIGNATURE.length);
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** One sequence of an array with one per entry. */
export interface ProcessedEntry {
  readonly sequences: ProcessedSequences;
  readonly entry: number;
}

/** Bases read at once, at most: a quarter of their bytes in the file. */
const READ_AT_ONCE = 16 * 2 ** 20;

/**
 * Base codes of some entries, in the order asked. Entries that follow one another in an array are read together, and so are
 * those of one chunk, which is unpacked whole for any of them; up to 16 million bases at once.
 * @throws {FormatError} as `ProcessedSequences.codes`
 */
export function codesOfEntries(asked: readonly ProcessedEntry[]): readonly Uint8Array[] {
  const codes = new Array<Uint8Array>(asked.length);
  const arrays = new Map(asked.map(({ sequences }, i) => [sequences, i]));
  const order = [...asked.keys()].sort((a, b) => {
    const [x, y] = [asked[a]!, asked[b]!];
    return arrays.get(x.sequences)! - arrays.get(y.sequences)! || x.entry - y.entry;
  });
  const chunkOf = ({ sequences, entry }: ProcessedEntry) => Math.floor(entry / sequences.entriesPerChunk);
  const together = (next: ProcessedEntry, before: ProcessedEntry, first: ProcessedEntry) =>
    next.sequences === before.sequences &&
    (next.entry - before.entry <= 1 || chunkOf(next) === chunkOf(before)) &&
    (next.entry - first.entry + 1) * next.sequences.length <= READ_AT_ONCE;
  for (let start = 0; start < order.length; ) {
    const { sequences, entry: first } = asked[order[start]!]!;
    let end = start + 1;
    while (
      end < order.length &&
      together(asked[order[end]!]!, asked[order[end - 1]!]!, asked[order[start]!]!)
    )
      end++;
    const read = sequences.codes(first, asked[order[end - 1]!]!.entry + 1);
    for (const place of order.slice(start, end)) {
      const at = (asked[place]!.entry - first) * sequences.length;
      codes[place] = read.slice(at, at + sequences.length);
    }
    start = end;
  }
  return codes;
}
