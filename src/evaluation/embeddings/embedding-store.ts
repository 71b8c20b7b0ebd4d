import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { type InUse, markInUse } from "../../base/in-use.ts";
import { stableStringify } from "../../base/stable-json.ts";
import type { Model, Origin, Protocol, SequenceEmbedding } from "../../models/model.ts";
import { writeAbout } from "./about.ts";
import { type EmbeddedChunk, openChunk, roundingLoss, type StoredAs, writeChunk } from "./embedded-chunk.ts";

/** Raised when the same sequences would be embedded or kept otherwise. */
const VERSION = 1;

/** Chunks kept open at once; each holds one file and a few numbers per token. */
const KEPT_OPEN = 64;

export interface SequenceToEmbed {
  readonly letters: string;
  /** Tokens of the longest sequence that the original embedded together with this one; see `EmbedOptions.padTo`. */
  readonly padTo?: number | undefined;
  /** Where it comes from, for a model that looks its answers up. */
  readonly origin: Origin;
}

/** Some sequences of the store: where they are kept and how many they are. */
export interface ChunkPlace {
  readonly file: string;
  readonly sequences: number;
}

export interface EmbeddingStoreOptions {
  readonly folder: string;
  readonly model: Model;
  readonly protocol: Protocol;
  /** Sequences per call of the model. */
  readonly batchSize: number;
  /** float32 where it is absent. */
  readonly storedAs?: StoredAs;
}

/** What rounding to float16 changed in what was embedded: the largest change of a state, and the largest state. */
export interface RoundingLoss {
  readonly change: number;
  readonly largest: number;
}

/**
 * Embeddings of sequences by one model under one protocol, each made once. A chunk's file is named by what decides its
 * contents: the model's identity, the protocol and the letters. So every task and setting that asks for the same sequences
 * finds them, a killed extraction goes on with the first chunk that is missing, and processes need not know of each other:
 * chunks appear whole, and two that make the same one write the same.
 *
 *   embeddings/3fa0…/7c/7c1d….safetensors
 */
export class EmbeddingStore {
  /** The least recently read first. */
  private readonly opened = new Map<string, EmbeddedChunk>();
  private readonly place: string;
  private lost: RoundingLoss | undefined;
  /** From the first chunk that is asked for: nobody may remove the folder then. */
  private held: Promise<InUse> | undefined;

  constructor(private readonly options: EmbeddingStoreOptions) {
    const { folder, model, protocol, storedAs = "float32" } = options;
    const key = { version: VERSION, model: model.identity ?? `name ${model.name}`, protocol, storedAs };
    this.place = join(folder, sha256Hex(stableStringify(key)).slice(0, 16));
  }

  /** A store of the same model that sees no padding: as under `corrected`. */
  unpadded(): EmbeddingStore {
    return new EmbeddingStore({ ...this.options, protocol: "corrected" });
  }

  /** Where a chunk of these sequences is, or will be; nothing is read or made. */
  chunkOf(sequences: readonly SequenceToEmbed[]): ChunkPlace {
    const text = sequences.map(({ letters, padTo }) => `${letters} ${padTo ?? ""}`).join("\n");
    const name = sha256Hex(text).slice(0, 32);
    return {
      file: join(this.place, name.slice(0, 2), `${name}.safetensors`),
      sequences: sequences.length,
    };
  }

  /**
   * Makes sure that a chunk is there.
   *
   * @returns  whether it had to be made
   * @throws {InputError} when the model gives back too few embeddings, or one that is not finite
   */
  async ensure(sequences: readonly SequenceToEmbed[], signal?: AbortSignal): Promise<boolean> {
    const { file } = this.chunkOf(sequences);
    await this.hold();
    if ((await kindOfPath(file)) === "file") return false;
    const embeddings = await this.embedAll(sequences, signal);
    const { storedAs } = this.options;
    if (storedAs === "float16") this.measureLoss(embeddings);
    await writeChunk(file, embeddings, storedAs);
    return true;
  }

  /** Of all that this store embedded so far; undefined where nothing was rounded. */
  get loss(): RoundingLoss | undefined {
    return this.lost;
  }

  private measureLoss(embeddings: readonly SequenceEmbedding[]): void {
    for (const embedding of embeddings) {
      const { change, largest } = roundingLoss(embedding);
      const { lost = { change: 0, largest: 0 } } = this;
      this.lost = { change: Math.max(lost.change, change), largest: Math.max(lost.largest, largest) };
    }
  }

  /** One sequence of a chunk that is there; to be awaited before the next. @throws {FormatError} when the file is damaged */
  async read({ file }: ChunkPlace, sequence: number): Promise<SequenceEmbedding> {
    return (await this.chunk(file)).read(sequence);
  }

  private async hold(): Promise<void> {
    this.held ??= this.begin();
    await this.held;
  }

  private async begin(): Promise<InUse> {
    const { model, protocol, storedAs = "float32" } = this.options;
    const held = await markInUse(this.place);
    await writeAbout(this.place, { model: model.name, protocol, storedAs });
    return held;
  }

  private async chunk(file: string): Promise<EmbeddedChunk> {
    await this.hold();
    const found = this.opened.get(file) ?? (await openChunk(file));
    this.opened.delete(file);
    this.opened.set(file, found);
    const [oldest] = this.opened;
    if (this.opened.size > KEPT_OPEN && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await oldest[1].close();
    }
    return found;
  }

  /**
   * Embeddings that are not kept: of sequences that are asked for once.
   *
   * @throws {InputError} as `ensure`
   */
  async embedAll(
    sequences: readonly SequenceToEmbed[],
    signal: AbortSignal | undefined,
  ): Promise<readonly SequenceEmbedding[]> {
    const embeddings = new Array<SequenceEmbedding>(sequences.length);
    // Those padded alike are asked together; under `corrected` that is all of them.
    const groups = new Map<number | undefined, number[]>();
    sequences.forEach(({ padTo }, i) => {
      const group = groups.get(padTo);
      if (group === undefined) groups.set(padTo, [i]);
      else group.push(i);
    });
    for (const [padTo, members] of groups) {
      for (let start = 0; start < members.length; start += this.options.batchSize) {
        signal?.throwIfAborted();
        const asked = members.slice(start, start + this.options.batchSize);
        const given = await this.embed(
          asked.map((i) => sequences[i]!),
          padTo,
          signal,
        );
        asked.forEach((i, k) => {
          embeddings[i] = given[k]!;
        });
      }
    }
    checkWidths(this.options.model, embeddings);
    return embeddings;
  }

  private async embed(
    sequences: readonly SequenceToEmbed[],
    padTo: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly SequenceEmbedding[]> {
    const { model, protocol } = this.options;
    const letters = sequences.map((sequence) => sequence.letters);
    const given = await model.embed!(letters, {
      protocol,
      origins: sequences.map(({ origin }) => origin),
      ...(padTo === undefined ? {} : { padTo }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (given?.length !== letters.length) {
      throw new InputError(
        `the model ${JSON.stringify(model.name)} was asked for ${letters.length} embeddings and gave ${given?.length ?? String(given)}`,
        { hint: "embed(sequences) returns one embedding per sequence, in their order" },
      );
    }
    return given.map((embedding, i) => checked(model, withoutPadding(model, letters[i]!, embedding), i));
  }

  async close(): Promise<void> {
    const chunks = [...this.opened.values()];
    this.opened.clear();
    for (const chunk of chunks) await chunk.close();
    const { held } = this;
    this.held = undefined;
    await (await held)?.release();
  }
}

/** Nothing reads the states of padding. */
function withoutPadding(model: Model, letters: string, embedding: SequenceEmbedding): SequenceEmbedding {
  const { states, tokens, width, starts, ends } = embedding;
  const own = Math.min(model.tokenCount?.(letters) ?? tokens, tokens);
  if (own === tokens) return embedding;
  return {
    states: states.subarray(0, own * width),
    tokens: own,
    width,
    starts: starts.subarray(0, own),
    ends: ends.subarray(0, own),
  };
}

function checked(model: Model, embedding: SequenceEmbedding, sequence: number): SequenceEmbedding {
  const { states, tokens, width, starts, ends } = embedding;
  const who = `the embedding that ${JSON.stringify(model.name)} gave of sequence ${sequence} of a call`;
  if (states.length !== tokens * width || starts.length !== tokens || ends.length !== tokens) {
    throw new InputError(
      `${who} has ${states.length} states, ${starts.length} starts and ${ends.length} ends for ${tokens} tokens of width ${width}`,
    );
  }
  const wrong = states.findIndex((state) => !Number.isFinite(state));
  if (wrong >= 0) {
    throw new InputError(
      `${who} has ${states[wrong]} as state ${wrong % width} of token ${Math.floor(wrong / width)}`,
      {
        hint: "a finite number is needed; what was embedded before is kept",
      },
    );
  }
  return embedding;
}

function checkWidths(model: Model, embeddings: readonly SequenceEmbedding[]): void {
  const widths = new Set(embeddings.map(({ width }) => width));
  if (widths.size <= 1) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} gave embeddings of different widths: ${[...widths].join(", ")}`,
  );
}
