import { join } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { type InUse, markInUse } from "../../base/in-use.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import { createFileAtomic, removeTemporaryFiles } from "../../base/write-file.ts";
import type { SequenceEmbedding } from "../../models/model.ts";
import { type Embedder, type EmbedderOptions, type SequenceToEmbed, sequenceKey } from "./embedder.ts";
import {
  type EmbeddingShard,
  keysOfEmbeddingShard,
  openEmbeddingShard,
  writeEmbeddingShard,
} from "./embedding-shard.ts";
import {
  type EmbeddingShards,
  MemoryShards,
  RecomputedShards,
  type SequencesAt,
  type ShardPosition,
} from "./embedding-shards.ts";
import {
  type PackedEmbedding,
  pack,
  type RoundingLoss,
  roundingLoss,
  type StoredAs,
  unpack,
} from "./packed-embedding.ts";

/** Version of embeddings and their storage; raised by changes that make stored ones unusable. */
const VERSION = 2;

/** Maximum sequences per shard. */
const SHARD_SEQUENCES = 128;

/** Maximum open shards; each has one file handle and a few numbers per token. */
const MAX_OPEN_SHARDS = 64;

export interface EmbeddingStoreOptions {
  readonly embedder: Embedder;
  /** Undefined: embeddings stay in memory, unless they are recomputed. */
  readonly folder: string | undefined;
  /** Present if embeddings are recomputed at each reading: looks up their sequences again. */
  readonly recomputedFrom?: SequencesAt | undefined;
  readonly storedAs: StoredAs;
}

/**
 * Embeddings of sequences by one model under one protocol. Each distinct sequence is stored once for all
 * rows, tasks and runs. Shards are written atomically, and an interrupted extraction resumes with the first
 * missing sequence. Processes are not coordinated: if two embed the same sequences at the same time, both
 * copies are stored and either is read.
 */
export class EmbeddingStore {
  private opened: Promise<EmbeddingShards> | undefined;
  /** Position of each stored sequence by its key: shard × `SHARD_SEQUENCES` + index within the shard. */
  private readonly index = new Map<string, number>();
  private count = 0;
  private lost: RoundingLoss | undefined;

  constructor(private readonly options: EmbeddingStoreOptions) {}

  /**
   * Embeds and stores the sequences that are not stored yet.
   *
   * @param known  their embeddings, if already computed
   * @returns      the position of each sequence, for `read`
   * @throws {InputError} as `Embedder.embed`, and when a state exceeds the range of float16
   */
  async add(
    sequences: readonly SequenceToEmbed[],
    signal?: AbortSignal,
    known?: readonly SequenceEmbedding[],
  ): Promise<readonly number[]> {
    const shards = await this.open();
    const keys = sequences.map(sequenceKey);
    const missing = new Map<string, number>();
    keys.forEach((key, i) => {
      if (!this.index.has(key)) missing.set(key, i);
    });
    const places = [...missing.values()];
    const embeddings =
      known === undefined
        ? await this.options.embedder.embed(
            places.map((i) => sequences[i]),
            signal,
          )
        : places.map((i) => known[i]);
    const together = known === undefined ? places.map((i) => sequences[i]) : sequences;
    for (let start = 0; start < places.length; start += SHARD_SEQUENCES) {
      const end = start + SHARD_SEQUENCES;
      const names = [...missing.keys()].slice(start, end);
      await shards.add(
        names,
        embeddings.slice(start, end).map((embedding) => this.packed(embedding)),
        {
          sequences: together,
          places: places.slice(start, end).map((i, k) => (known === undefined ? start + k : i)),
        },
      );
      this.register(names);
    }
    return keys.map((key) => valueAt(this.index, key));
  }

  /**
   * Embeddings in the order given.
   *
   * @param positions  as returned by `add`
   * @throws {FormatError} when a file is damaged
   */
  async read(positions: readonly number[], signal?: AbortSignal): Promise<readonly SequenceEmbedding[]> {
    const shards = await this.open();
    const found = await shards.read(
      positions.map(
        (position) => [Math.floor(position / SHARD_SEQUENCES), position % SHARD_SEQUENCES] as const,
      ),
      signal,
    );
    return found.map(unpack);
  }

  /** Rounding loss of everything embedded so far; undefined if nothing was rounded. */
  get loss(): RoundingLoss | undefined {
    return this.lost;
  }

  async close(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    this.index.clear();
    this.count = 0;
    await (await opened)?.close();
  }

  private open(): Promise<EmbeddingShards> {
    this.opened ??= this.find();
    return this.opened;
  }

  private async find(): Promise<EmbeddingShards> {
    const { folder, embedder, storedAs, recomputedFrom } = this.options;
    if (recomputedFrom !== undefined) return new RecomputedShards(embedder, storedAs, recomputedFrom);
    if (folder === undefined) return new MemoryShards();
    const { model, protocol } = embedder.options;
    const disk = new DiskShards(embeddingsPlace(folder, embedder.options, storedAs));
    for await (const keys of disk.find({ model: model.name, protocol, storedAs })) this.register(keys);
    return disk;
  }

  /** Registers the sequences of the next shard. A sequence of an earlier shard is read from there. */
  private register(keys: readonly string[]): void {
    keys.forEach((key, i) => {
      if (!this.index.has(key)) this.index.set(key, this.count * SHARD_SEQUENCES + i);
    });
    this.count++;
  }

  private packed(embedding: SequenceEmbedding): PackedEmbedding {
    const { storedAs } = this.options;
    const packed = pack(embedding, storedAs);
    if (storedAs === "float16") {
      const { change, largest } = roundingLoss(embedding, packed);
      const { lost = { change: 0, largest: 0 } } = this;
      this.lost = { change: Math.max(lost.change, change), largest: Math.max(lost.largest, largest) };
    }
    return packed;
  }
}

/** Folder of one model's embeddings under one protocol: `embeddings/3fa0…`. */
export function embeddingsPlace(
  folder: string,
  { model, protocol }: Pick<EmbedderOptions, "model" | "protocol">,
  storedAs: StoredAs,
): string {
  const key = { version: VERSION, model: model.identity ?? `name ${model.name}`, protocol, storedAs };
  return join(folder, sha256Hex(stableStringify(key)).slice(0, 16));
}

/** Shards in files named by a digest of their keys: `7c/7c1d….safetensors`. */
class DiskShards implements EmbeddingShards {
  private readonly files: string[] = [];
  /** Open shards, the least recently read first. */
  private readonly opened = new Map<string, EmbeddingShard>();
  /** Mark that prevents the removal of the folder. */
  private held: InUse | undefined;

  constructor(private readonly place: string) {}

  /** Keys of each stored shard. */
  async *find(about: Parameters<typeof writeDescription>[1]): AsyncGenerator<readonly string[]> {
    const { place } = this;
    this.held = await markInUse(place);
    await writeDescription(place, about);
    for (const part of (await namesInFolder(place)).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
      for (const name of await namesInFolder(join(place, part))) {
        if (!/^[0-9a-f]{32}\.safetensors$/.test(name)) continue;
        const file = join(place, part, name);
        const keys = await keysOfEmbeddingShard(file);
        if (keys.length > SHARD_SEQUENCES) {
          throw new FormatError(
            { file },
            `the file has ${keys.length} sequences; at most ${SHARD_SEQUENCES} were expected`,
            "delete the file and start again",
          );
        }
        this.files.push(file);
        yield keys;
      }
    }
  }

  async add(keys: readonly string[], embeddings: readonly PackedEmbedding[]) {
    const name = sha256Hex(keys.join(" ")).slice(0, 32);
    const file = join(this.place, name.slice(0, 2), `${name}.safetensors`);
    if ((await kindOfPath(file)) === undefined) await writeEmbeddingShard(file, keys, embeddings);
    this.files.push(file);
  }

  /** Reads shard by shard. */
  async read(places: readonly ShardPosition[]) {
    const order = [...places.keys()].sort(
      (a, b) => places[a][0] - places[b][0] || places[a][1] - places[b][1],
    );
    const embeddings = new Array<PackedEmbedding>(places.length);
    for (const i of order) {
      const [shard, sequence] = places[i];
      embeddings[i] = await (await this.shard(this.files[shard])).read(sequence);
    }
    return embeddings;
  }

  async close() {
    const shards = [...this.opened.values()];
    this.opened.clear();
    for (const shard of shards) await shard.close();
    const { held } = this;
    this.held = undefined;
    await held?.release();
  }

  private async shard(file: string): Promise<EmbeddingShard> {
    const found = this.opened.get(file) ?? (await openEmbeddingShard(file));
    this.opened.delete(file);
    this.opened.set(file, found);
    const [oldest] = this.opened;
    if (this.opened.size > MAX_OPEN_SHARDS && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await oldest[1].close();
    }
    return found;
  }
}

/** Description of a folder of embeddings, whose name is a digest. */
export interface EmbeddingsDescription {
  readonly model: string;
  readonly protocol: string;
  readonly storedAs: string;
}

const schema = z.object({ model: z.string(), protocol: z.string(), storedAs: z.string() });
const aboutPath = (folder: string) => join(folder, "about.json");

/** Writes the description once, before the first shard. */
async function writeDescription(folder: string, about: EmbeddingsDescription): Promise<void> {
  await createFileAtomic(aboutPath(folder), `${JSON.stringify(about, null, 2)}\n`);
  await removeTemporaryFiles(aboutPath(folder));
}

/** `hyenadna-large-1m, corrected protocol, float32`. */
export async function describeEmbeddings(folder: string): Promise<string> {
  let value: unknown;
  try {
    value = JSON.parse((await textIfPresent(aboutPath(folder))) ?? "");
  } catch {
    return "embeddings of an unnamed model";
  }
  const { data } = schema.safeParse(value);
  if (data === undefined) return "embeddings of an unnamed model";
  return `embeddings of ${data.model}, ${data.protocol} protocol, ${data.storedAs}`;
}
