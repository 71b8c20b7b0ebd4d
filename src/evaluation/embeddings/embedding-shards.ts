import { crc32 } from "node:zlib";
import { InputError } from "../../base/errors.ts";
import type { Origin } from "../../models/model.ts";
import type { Embedder, SequenceToEmbed } from "./embedder.ts";
import { type PackedEmbedding, pack, type StoredAs } from "./packed-embedding.ts";

/** Sequences that were embedded together, of which a shard has some. */
export interface EmbeddedSequences {
  readonly sequences: readonly SequenceToEmbed[];
  /** Indices in `sequences` of the shard's embeddings. */
  readonly places: readonly number[];
}

/** Position of an embedding: the number of its shard and its index in the shard. */
export type ShardPosition = readonly [shard: number, sequence: number];

/** Shards of embeddings, numbered in the order in which they are found and added. */
export interface EmbeddingShards {
  /** Adds a shard of at most `PIECE_SEQUENCES`. */
  add(
    keys: readonly string[],
    embeddings: readonly PackedEmbedding[],
    embedded: EmbeddedSequences,
  ): Promise<void>;
  /** Reads embeddings, in the order given. Must be awaited before the next call. */
  read(
    places: readonly ShardPosition[],
    signal: AbortSignal | undefined,
  ): Promise<readonly PackedEmbedding[]>;
  close(): Promise<void>;
}

/** Embeddings in memory. */
export class MemoryShards implements EmbeddingShards {
  private readonly shards: (readonly PackedEmbedding[])[] = [];

  async add(_keys: readonly string[], embeddings: readonly PackedEmbedding[]) {
    // A model may return views of a whole batch.
    this.shards.push(
      embeddings.map((each) => ({
        ...each,
        states: each.states.slice(),
        starts: each.starts.slice(),
        ends: each.ends.slice(),
      })),
    );
  }

  async read(places: readonly ShardPosition[]) {
    return places.map(([shard, sequence]) => this.shards[shard][sequence]);
  }

  async close() {
    this.shards.length = 0;
  }
}

/** Looks up sequences by their origins, in the order given. */
export type SequencesAt = (origins: readonly Origin[]) => Promise<readonly SequenceToEmbed[]>;

/** Sequences that were embedded together, without their bases. */
interface EmbeddedTogether {
  readonly task: string;
  readonly rows: Uint32Array;
  readonly members: Uint8Array;
}

/** A shard: the checksum of each embedding, and its index among the sequences that were embedded together. */
interface RecomputedShard {
  readonly checksums: Uint32Array;
  readonly together: EmbeddedTogether;
  readonly places: Uint32Array;
}

/**
 * Fraction of changed embeddings above which sequences are always embedded together with the original ones.
 */
const MAX_CHANGED = 0.1;

/**
 * Embeddings that the model recomputes at each reading; only checksums stay in memory.
 *
 * The last bits of a sequence's states may depend on the other sequences of the call. Each recomputed
 * embedding is therefore compared with the checksum of the first one; if it differs, the sequences of the
 * first call are embedded together again. Readings then equal those of a store.
 */
export class RecomputedShards implements EmbeddingShards {
  private readonly shards: RecomputedShard[] = [];
  /** True after embeddings were found to depend on the other sequences of a call. */
  private dependent = false;

  constructor(
    private readonly embedder: Embedder,
    private readonly storedAs: StoredAs,
    private readonly sequencesAt: SequencesAt,
  ) {}

  async add(_keys: readonly string[], embeddings: readonly PackedEmbedding[], embedded: EmbeddedSequences) {
    const { sequences, places } = embedded;
    const { together: last } = this.shards.at(-1) ?? {};
    const origins = sequences.map(({ origin }) => origin);
    const isLast =
      last?.rows.length === origins.length &&
      origins.every(({ row, member }, i) => last.rows[i] === row && last.members[i] === member);
    const together = isLast
      ? last
      : {
          task: origins[0].task,
          rows: Uint32Array.from(origins, ({ row }) => row),
          members: Uint8Array.from(origins, ({ member }) => member),
        };
    const checksums = Uint32Array.from(embeddings, checksumOf);
    this.shards.push({ checksums, together, places: Uint32Array.from(places) });
  }

  async read(places: readonly ShardPosition[], signal: AbortSignal | undefined) {
    const embeddings = new Array<PackedEmbedding>(places.length);
    let left: readonly number[] = [...places.keys()];
    if (!this.dependent) {
      const sequences = await this.sequencesAt(places.map((place) => this.originOf(place)));
      const found = await this.embedder.embed(sequences, signal);
      left = left.filter((i) => {
        embeddings[i] = pack(found[i], this.storedAs);
        return checksumOf(embeddings[i]) !== this.checksum(places[i]);
      });
      this.dependent = left.length > MAX_CHANGED * places.length;
    }
    const byCall = new Map<EmbeddedTogether, number[]>();
    for (const i of left) {
      const { together } = this.shards[places[i][0]];
      const some = byCall.get(together);
      if (some === undefined) byCall.set(together, [i]);
      else some.push(i);
    }
    for (const [together, some] of byCall)
      await this.readTogether(together, some, { places, embeddings, signal });
    return embeddings;
  }

  async close() {
    this.shards.length = 0;
  }

  /** Repeats the calls that embedded some sequences. */
  private async readTogether(
    { task, rows, members }: EmbeddedTogether,
    some: readonly number[],
    {
      places,
      embeddings,
      signal,
    }: {
      readonly places: readonly ShardPosition[];
      readonly embeddings: PackedEmbedding[];
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<void> {
    const origins = Array.from(rows, (row, i) => ({ task, row, member: members[i] }));
    const sequences = await this.sequencesAt(origins);
    const wanted = new Map<number, number[]>();
    for (const i of some) {
      const [shard, sequence] = places[i];
      const place = this.shards[shard].places[sequence];
      wanted.set(place, [...(wanted.get(place) ?? []), i]);
    }
    for (const batch of this.embedder.batchesOf(sequences)) {
      if (!batch.some((place) => wanted.has(place))) continue;
      const found = await this.embedder.embedTogether(
        batch.map((place) => sequences[place]),
        signal,
      );
      batch.forEach((place, k) => {
        for (const i of wanted.get(place) ?? []) {
          embeddings[i] = pack(found[k], this.storedAs);
          if (checksumOf(embeddings[i]) !== this.checksum(places[i])) throw this.changed(origins[place]);
        }
      });
    }
  }

  private originOf([shard, sequence]: ShardPosition): Origin {
    const { together, places } = this.shards[shard];
    const place = places[sequence];
    return { task: together.task, row: together.rows[place], member: together.members[place] };
  }

  private checksum([shard, sequence]: ShardPosition): number {
    return this.shards[shard].checksums[sequence];
  }

  private changed({ row, member }: Origin): InputError {
    return new InputError(
      `the model ${JSON.stringify(this.embedder.options.model.name)} gives other states for the same sequences (row ${row}, sequence ${member})`,
      { hint: "its embeddings cannot be recomputed: use --embeddings memory or --embeddings disk" },
    );
  }
}

function checksumOf({ states, starts, ends }: PackedEmbedding): number {
  let sum = 0;
  for (const { buffer, byteOffset, byteLength } of [states, starts, ends]) {
    sum = crc32(new Uint8Array(buffer, byteOffset, byteLength), sum);
  }
  return sum;
}
