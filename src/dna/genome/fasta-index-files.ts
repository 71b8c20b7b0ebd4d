import { InputError } from "../../base/errors.ts";
import { bytesIfPresent, type OpenFile } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { type BlockStart, readBgzip } from "./bgzip.ts";
import { type FastaIndexEntry, formatFastaIndex, parseFastaIndex } from "./fasta-index.ts";
import { FastaIndexBuilder } from "./fasta-index-builder.ts";
import { formatGzi, parseGzi } from "./gzi.ts";

const PIECE_BYTES = 2 ** 23;

/** The `.fai` of a plain FASTA file: read from beside it, or made, and kept beside it where that is allowed. */
export async function plainFastaIndex(file: OpenFile): Promise<FastaIndexEntry[]> {
  const path = `${file.path}.fai`;
  const known = await bytesIfPresent(path);
  if (known !== undefined) return parseFastaIndex(textOf(known), path);
  const builder = new FastaIndexBuilder(file.path);
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    builder.add(await file.read(at, Math.min(PIECE_BYTES, file.size - at)));
  }
  const entries = builder.finish();
  await keepIfAllowed(path, formatFastaIndex(entries));
  return entries;
}

/** The `.fai` and the `.gzi` of a bgzip FASTA file, in the same way; one reading makes both. */
export async function bgzipFastaIndex(
  file: OpenFile,
): Promise<{ entries: FastaIndexEntry[]; starts: readonly BlockStart[] }> {
  const faiPath = `${file.path}.fai`;
  const gziPath = `${file.path}.gzi`;
  const knownFai = await bytesIfPresent(faiPath);
  const knownGzi = await bytesIfPresent(gziPath);
  const knownStarts = knownGzi && parseGzi(knownGzi, gziPath, file.size);
  const knownEntries = knownFai && parseFastaIndex(textOf(knownFai), faiPath);
  if (knownEntries !== undefined && knownStarts !== undefined) {
    return { entries: knownEntries, starts: knownStarts };
  }

  const builder = new FastaIndexBuilder(file.path);
  const found = await readBgzip(file, (text) => builder.add(text));
  const entries = knownEntries ?? builder.finish();
  const gzi = knownGzi ?? formatGzi(found);
  if (knownEntries === undefined) await keepIfAllowed(faiPath, formatFastaIndex(entries));
  if (knownGzi === undefined) await keepIfAllowed(gziPath, gzi);
  return { entries, starts: parseGzi(gzi, gziPath, file.size) };
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function keepIfAllowed(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, data);
  } catch (error) {
    // A folder that may not be written, or a full disk: the index stays in memory and is made again next time.
    if (!(error instanceof InputError)) throw error;
  }
}
