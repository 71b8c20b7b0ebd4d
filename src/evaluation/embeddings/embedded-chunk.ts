import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import type { SequenceEmbedding } from "../../models/model.ts";
import type { Checkpoint } from "../../net/arrays/checkpoint.ts";
import { openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { narrowToFloat16 } from "../../net/arrays/narrow.ts";
import { widenToFloat32 } from "../../net/arrays/widen.ts";
import { writeSafetensors } from "../../net/arrays/write-safetensors.ts";

/*
 * A chunk of the store: embeddings of some sequences one after the other, as a safetensors file that other programs read
 * too. `states` [tokens of all, width], float32 or float16; `offsets` [sequences + 1], the tokens [offsets[i], offsets[i + 1]) are those
 * of sequence i; `starts` and `ends` [tokens of all], the bases of each token. The metadata holds a digest of each
 * sequence's states, so that reading one sequence checks it without reading the others.
 */

const DIGESTS = "digests";

/** How states are kept; float16 takes half the room and is rounded. */
export type StoredAs = "float32" | "float16";

/**
 * Writes a chunk, whole or not at all. All embeddings are of one width.
 *
 * @throws {InputError} when a state is too large for float16
 */
export async function writeChunk(
  path: string,
  given: readonly SequenceEmbedding[],
  storedAs: StoredAs = "float32",
): Promise<void> {
  const embeddings = storedAs === "float32" ? given : given.map(rounded);
  const { width } = embeddings[0]!;
  const offsets = new Int32Array(embeddings.length + 1);
  embeddings.forEach(({ tokens }, i) => {
    offsets[i + 1] = offsets[i]! + tokens;
  });
  const total = offsets.at(-1)!;
  const states = new Float32Array(total * width);
  const starts = new Int32Array(total);
  const ends = new Int32Array(total);
  embeddings.forEach((embedding, i) => {
    states.set(embedding.states, offsets[i]! * width);
    starts.set(embedding.starts, offsets[i]!);
    ends.set(embedding.ends, offsets[i]!);
  });
  await writeSafetensors(
    path,
    [
      {
        name: "states",
        dtype: storedAs,
        shape: [total, width],
        data: storedAs === "float32" ? states : narrowToFloat16(states),
      },
      { name: "offsets", dtype: "int32", shape: [offsets.length], data: offsets },
      { name: "starts", dtype: "int32", shape: [total], data: starts },
      { name: "ends", dtype: "int32", shape: [total], data: ends },
    ],
    { format: "pt", [DIGESTS]: embeddings.map((embedding) => digestOf(embedding.states)).join(" ") },
  );
}

/** What rounding to float16 leaves of an embedding. */
function rounded(embedding: SequenceEmbedding): SequenceEmbedding {
  const states = widenToFloat32("float16", narrowToFloat16(embedding.states));
  const at = states.findIndex((state) => !Number.isFinite(state));
  if (at < 0) return { ...embedding, states };
  throw new InputError(`a state is ${embedding.states[at]}, and float16 ends at 65504`, {
    hint: "keep this model's embeddings as float32",
  });
}

/** The largest change that rounding to float16 makes to a state of an embedding, and the largest state, both without sign. */
export function roundingLoss(embedding: SequenceEmbedding): {
  readonly change: number;
  readonly largest: number;
} {
  const { states } = rounded(embedding);
  let change = 0;
  let largest = 0;
  for (let i = 0; i < states.length; i++) {
    const own = embedding.states[i]!;
    change = Math.max(change, Math.abs(states[i]! - own));
    largest = Math.max(largest, Math.abs(own));
  }
  return { change, largest };
}

/** A chunk opened for reading one sequence at a time: places and digests are in memory, states are not. */
export interface EmbeddedChunk {
  readonly sequences: number;
  readonly width: number;
  /** @throws {FormatError} when the states are not those that were written */
  read(sequence: number): Promise<SequenceEmbedding>;
  close(): Promise<void>;
}

/** @throws {FormatError} when the file is no chunk, or a damaged one */
export async function openChunk(path: string): Promise<EmbeddedChunk> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await chunkOf(path, checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function chunkOf(path: string, checkpoint: Checkpoint): Promise<EmbeddedChunk> {
  const integers = async (name: string) => (await checkpoint.read(name)).data as Int32Array;
  const digests = checkpoint.metadata.get(DIGESTS)?.split(" ") ?? [];
  for (const name of ["states", "offsets", "starts", "ends"]) {
    if (!checkpoint.arrays.has(name)) throw new FormatError({ file: path }, `there is no ${name}`, DAMAGED);
  }
  const [offsets, starts, ends] = [
    await integers("offsets"),
    await integers("starts"),
    await integers("ends"),
  ];
  const [total, width] = checkpoint.arrays.get("states")!.shape as [number, number];
  const rising = offsets.every((offset, i) => offset >= (i === 0 ? 0 : offsets[i - 1]!));
  const whole =
    rising &&
    offsets[0] === 0 &&
    offsets.at(-1) === total &&
    starts.length === total &&
    ends.length === total &&
    digests.length === offsets.length - 1;
  if (!whole) throw new FormatError({ file: path }, "the parts do not fit together", DAMAGED);
  return {
    sequences: digests.length,
    width,
    async read(sequence) {
      const rows = [offsets[sequence]!, offsets[sequence + 1]!] as const;
      const states =
        rows[0] === rows[1]
          ? new Float32Array(0)
          : ((await checkpoint.read("states", total === 1 ? {} : { rows })).data as Float32Array);
      if (digestOf(states) !== digests[sequence]) {
        throw new FormatError(
          { file: path, tensor: "states" },
          `the embedding of sequence ${sequence} does not agree with its digest`,
          DAMAGED,
        );
      }
      return {
        states,
        tokens: rows[1] - rows[0],
        width,
        starts: starts.slice(...rows),
        ends: ends.slice(...rows),
      };
    },
    close: () => checkpoint.close(),
  };
}

const DAMAGED = "delete the file and start again: it is made anew";

const digestOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  sha256Hex(new Uint8Array(buffer, byteOffset, byteLength)).slice(0, 16);
