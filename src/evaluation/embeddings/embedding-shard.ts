import { sha256Hex } from "../../base/digest.ts";
import { FormatError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { type Checkpoint, openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../net/arrays/safetensors.ts";
import type { PackedEmbedding } from "./packed-embedding.ts";

/*
 * A shard of the store: concatenated embeddings of some sequences as a safetensors file.
 *
 * - `states` [tokens of all, width], float32 or float16
 * - `offsets` [sequences + 1]: sequence i has the tokens [offsets[i], offsets[i + 1])
 * - `starts` [tokens of all], uint16 or int32, and `lengths` [tokens of all], uint8 or int32: token t covers
 *   the bases [starts[t], starts[t] + lengths[t]), 0-based
 *
 * The metadata has the key of each sequence and a digest of its embedding, so that one sequence is verified
 * without reading others.
 */

const KEYS = "keys";
const DIGESTS = "digests";

/** Writes a shard atomically. There is at least one embedding, and all have the same width and precision. */
export async function writeEmbeddingShard(
  path: string,
  keys: readonly string[],
  embeddings: readonly PackedEmbedding[],
): Promise<void> {
  const { width, states: some } = embeddings[0];
  const offsets = new Int32Array(embeddings.length + 1);
  embeddings.forEach(({ tokens }, i) => {
    offsets[i + 1] = offsets[i] + tokens;
  });
  const total = offsets[embeddings.length];
  const half = some instanceof Uint16Array;
  const states = half ? new Uint16Array(total * width) : new Float32Array(total * width);
  const starts = new Int32Array(total);
  const lengths = new Int32Array(total);
  embeddings.forEach((embedding, i) => {
    states.set(embedding.states, offsets[i] * width);
    starts.set(embedding.starts, offsets[i]);
    lengths.set(
      embedding.ends.map((end, token) => end - embedding.starts[token]),
      offsets[i],
    );
  });
  await writeSafetensors(
    path,
    [
      { name: "states", dtype: half ? "float16" : "float32", shape: [total, width], data: states },
      { name: "offsets", dtype: "int32", shape: [offsets.length], data: offsets },
      { name: "starts", ...smallest("uint16", starts) },
      { name: "lengths", ...smallest("uint8", lengths) },
    ],
    { format: "pt", [KEYS]: keys.join(" "), [DIGESTS]: embeddings.map(digestOf).join(" ") },
  );
}

/** Values as unsigned integers of this type if all fit, else as int32. */
function smallest(dtype: "uint8" | "uint16", values: Int32Array) {
  const data = dtype === "uint8" ? Uint8Array.from(values) : Uint16Array.from(values);
  const shape = [values.length];
  return values.every((value, i) => value === data[i])
    ? ({ dtype, shape, data } as const)
    : ({ dtype: "int32", shape, data: values } as const);
}

/** Digest of states, starts and ends; their lengths determine the number of tokens and the width. */
function digestOf({ states, starts, ends }: PackedEmbedding): string {
  const digests = [states, starts, ends].map(({ buffer, byteOffset, byteLength }) =>
    sha256Hex(new Uint8Array(buffer, byteOffset, byteLength)),
  );
  return sha256Hex(digests.join(" ")).slice(0, 32);
}

/** An open shard, read one sequence at a time: positions and digests are in memory, states are not. */
export interface EmbeddingShard {
  /** Keys of the sequences, in order. */
  readonly keys: readonly string[];
  /** @throws {FormatError} when the embedding does not match its digest */
  read(sequence: number): Promise<PackedEmbedding>;
  close(): Promise<void>;
}

/** @throws {FormatError} when the file is not a shard, or is damaged */
export async function openEmbeddingShard(path: string): Promise<EmbeddingShard> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await shardOf(path, checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** Keys of a shard's sequences, from its header alone. @throws {FormatError} when the file is not a shard */
export async function keysOfEmbeddingShard(path: string): Promise<readonly string[]> {
  await using checkpoint = await openCheckpoint(path);
  return keysIn(path, checkpoint);
}

function keysIn(path: string, { metadata }: Checkpoint): readonly string[] {
  const keys = metadata.get(KEYS)?.split(" ") ?? [];
  if (keys.length > 0) return keys;
  throw new FormatError({ file: path }, "the file lists no sequences", DAMAGED);
}

async function shardOf(path: string, checkpoint: Checkpoint): Promise<EmbeddingShard> {
  for (const name of ["states", "offsets", "starts", "lengths"]) {
    if (!checkpoint.arrays.has(name)) throw new FormatError({ file: path }, `there is no ${name}`, DAMAGED);
  }
  const keys = keysIn(path, checkpoint);
  const digests = checkpoint.metadata.get(DIGESTS)?.split(" ") ?? [];
  const wrongType = (name: string, { dtype }: NdArray) =>
    new FormatError({ file: path, tensor: name }, `is ${dtype}`, DAMAGED);
  /** Written as the smallest type that represents them. */
  const integers = async (name: string) => {
    const array = await checkpoint.read(name);
    const { data } = array;
    if (data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Int32Array) {
      return Int32Array.from(data);
    }
    throw wrongType(name, array);
  };
  const offsets = await integers("offsets");
  const starts = await integers("starts");
  const lengths = await integers("lengths");
  const [total, width] = valueAt(checkpoint.arrays, "states").shape;
  const rising = offsets.every((offset, i) => offset >= (i === 0 ? 0 : offsets[i - 1]));
  const whole =
    rising &&
    offsets[0] === 0 &&
    offsets.at(-1) === total &&
    starts.length === total &&
    lengths.length === total &&
    digests.length === offsets.length - 1 &&
    keys.length === digests.length;
  if (!whole) throw new FormatError({ file: path }, "the arrays do not fit together", DAMAGED);
  return {
    keys,
    async read(sequence) {
      const rows = [offsets[sequence], offsets[sequence + 1]] as const;
      const options = { asStored: true, ...(total === 1 ? {} : { rows }) };
      const statesOf = async () => {
        const array = await checkpoint.read("states", options);
        if (array.data instanceof Float32Array || array.data instanceof Uint16Array) return array.data;
        throw wrongType("states", array);
      };
      const embedding: PackedEmbedding = {
        states: rows[0] === rows[1] ? new Float32Array(0) : await statesOf(),
        tokens: rows[1] - rows[0],
        width,
        starts: starts.slice(...rows),
        ends: lengths.slice(...rows).map((length, token) => starts[rows[0] + token] + length),
      };
      if (digestOf(embedding) === digests[sequence]) return embedding;
      throw new FormatError(
        { file: path, tensor: "states" },
        `the embedding of sequence ${sequence} does not match its digest`,
        DAMAGED,
      );
    },
    close: () => checkpoint.close(),
  };
}

const DAMAGED = "delete the file and start again: its sequences are embedded again";
