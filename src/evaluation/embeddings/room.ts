import { InputError } from "../../base/errors.ts";
import { freeSpace } from "../../base/folder.ts";
import type { StoredAs } from "./packed-embedding.ts";

/** Key and digest of a sequence, and its share of a file's header. */
const BYTES_PER_SEQUENCE = 80;

/** Bytes of one stored embedding: states, and three bytes for the bases of each token. */
export const embeddingBytes = (
  { tokens, width }: { readonly tokens: number; readonly width: number },
  storedAs: StoredAs,
): number => tokens * (width * (storedAs === "float16" ? 2 : 4) + 3) + BYTES_PER_SEQUENCE;

/**
 * Checks that embeddings fit on the volume of their folder.
 *
 * @param needed  bytes still to be written
 * @throws {InputError} with the bytes needed and free
 */
export async function expectRoom(folder: string, needed: number): Promise<void> {
  const free = await freeSpace(folder);
  if (needed <= free) return;
  throw new InputError(`embeddings need ${gibibytes(needed)} of disk, and ${gibibytes(free)} are free`, {
    place: { file: folder },
    hint: "give a folder on a larger volume (--embeddings), or train on fewer rows (--recipe trainRows=10000 valRows=2000)",
  });
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
