import { InputError } from "../../base/errors.ts";
import { freeSpace } from "../../base/folder.ts";
import type { SequenceEmbedding } from "../../models/model.ts";
import { firstNotFinite } from "../../net/arrays/finite.ts";
import { narrowToFloat16, widenToFloat32 } from "../../net/arrays/float-conversion.ts";

/** Precision of stored states; float16 takes half the bytes and rounds. */
export type StoredAs = "float32" | "float16";

/** An embedding in its stored precision: float32 values, or bits of float16. */
export interface PackedEmbedding extends Omit<SequenceEmbedding, "states"> {
  /** [tokens, width], row-major. */
  readonly states: Float32Array | Uint16Array;
}

/** @throws {InputError} when a state exceeds the range of float16 */
export function pack(embedding: SequenceEmbedding, storedAs: StoredAs): PackedEmbedding {
  if (storedAs === "float32") return embedding;
  const states = narrowToFloat16(embedding.states);
  const at = firstNotFinite("float16", states);
  if (at < 0) return { ...embedding, states };
  throw new InputError(`a state is ${embedding.states[at]}, beyond the range of float16 (65504)`, {
    hint: "store them as float32 (--recipe storedAs=float32)",
  });
}

/** The embedding with float32 states. */
export function unpack(packed: PackedEmbedding): SequenceEmbedding {
  const { states } = packed;
  return { ...packed, states: states instanceof Float32Array ? states : widenToFloat32("float16", states) };
}

/** Absolute values of the largest change by rounding and of the largest state. */
export interface RoundingLoss {
  readonly change: number;
  readonly largest: number;
}

export function roundingLoss(embedding: SequenceEmbedding, packed: PackedEmbedding): RoundingLoss {
  const { states } = unpack(packed);
  let change = 0;
  let largest = 0;
  for (let i = 0; i < states.length; i++) {
    const own = embedding.states[i];
    change = Math.max(change, Math.abs(states[i] - own));
    largest = Math.max(largest, Math.abs(own));
  }
  return { change, largest };
}

/** Key and digest of a sequence, and its share of a file's header. */
const BYTES_PER_SEQUENCE = 80;

/** Bytes of one stored embedding: states, and three bytes for the bases of each token. */
export const embeddingBytes = (
  { tokens, width }: { readonly tokens: number; readonly width: number },
  storedAs: StoredAs,
): number => tokens * (width * (storedAs === "float16" ? 2 : 4) + 3) + BYTES_PER_SEQUENCE;

/** Texts of the error for a full disk. */
export interface SpaceNeed {
  readonly what: string;
  readonly hint: string;
}

const EMBEDDINGS_NEED: SpaceNeed = {
  what: "embeddings need",
  hint: "give a folder on a larger volume (--embeddings), or train on fewer rows (--recipe trainRows=10000 valRows=2000)",
};

/**
 * Checks that files fit on the volume of their folder.
 *
 * @param needed  bytes still to be written
 * @throws {InputError} with the bytes needed and free
 */
export async function checkFreeSpace(
  folder: string,
  needed: number,
  { what, hint }: SpaceNeed = EMBEDDINGS_NEED,
): Promise<void> {
  const free = await freeSpace(folder);
  if (needed <= free) return;
  throw new InputError(`${what} ${shownBytes(needed)} of disk, and ${shownBytes(free)} are free`, {
    place: { file: folder },
    hint,
  });
}

/** `26 KiB`, `12.5 MiB`, `0.9 GiB` from 100 MiB on. */
function shownBytes(bytes: number): string {
  if (bytes < 2 ** 20) return `${Math.ceil(bytes / 1024)} KiB`;
  return bytes < 100 * 2 ** 20
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
