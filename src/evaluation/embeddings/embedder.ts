import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { withoutUndefined } from "../../base/record.ts";
import {
  assertHas,
  type Model,
  type Origin,
  type Protocol,
  type SequenceEmbedding,
} from "../../models/model.ts";

export interface SequenceToEmbed {
  readonly bases: string;
  /**
   * Tokens of the longest sequence that the original embedded together with this one; see
   * `EmbedOptions.padTo`.
   */
  readonly padTo?: number | undefined;
  /** Origin of the sequence, for a model that looks up its embeddings. */
  readonly origin: Origin;
}

/**
 * Digest of a sequence and its padding, which determine its embedding by one model under one protocol: 32
 * hexadecimal digits.
 */
export const sequenceKey = ({ bases, padTo }: SequenceToEmbed): string =>
  sha256Hex(`${bases} ${padTo ?? ""}`).slice(0, 32);

export interface EmbedderOptions {
  readonly model: Model;
  readonly protocol: Protocol;
  /** Sequences per call of the model. */
  readonly batchSize: number;
}

/** Embeds sequences with a model, checks what it returns, and stores nothing. */
export class Embedder {
  constructor(readonly options: EmbedderOptions) {}

  /** Embedder of the same model without padding, as under `corrected`. */
  unpadded(): Embedder {
    return new Embedder({ ...this.options, protocol: "corrected" });
  }

  /**
   * One embedding per sequence, in their order.
   *
   * @throws {InputError} when the model returns too few embeddings, or one that is not finite
   */
  async embed(
    sequences: readonly SequenceToEmbed[],
    signal: AbortSignal | undefined,
  ): Promise<readonly SequenceEmbedding[]> {
    const embeddings = new Array<SequenceEmbedding>(sequences.length);
    for (const batch of this.batchesOf(sequences)) {
      const given = await this.embedTogether(
        batch.map((i) => sequences[i]),
        signal,
      );
      batch.forEach((i, k) => {
        embeddings[i] = given[k];
      });
    }
    checkWidths(this.options.model, embeddings);
    return embeddings;
  }

  /** Indices of the sequences that `embed` passes to the model together, call by call. */
  batchesOf(sequences: readonly SequenceToEmbed[]): readonly (readonly number[])[] {
    const { batchSize } = this.options;
    // Sequences with the same padding form batches; under `corrected` that is all of them.
    const groups = new Map<number | undefined, number[]>();
    sequences.forEach(({ padTo }, i) => {
      const group = groups.get(padTo);
      if (group === undefined) groups.set(padTo, [i]);
      else group.push(i);
    });
    return [...groups.values()].flatMap((members) =>
      Array.from({ length: Math.ceil(members.length / batchSize) }, (_, k) =>
        members.slice(k * batchSize, (k + 1) * batchSize),
      ),
    );
  }

  /** Embeddings of sequences with the same padding by one call of the model. */
  async embedTogether(
    sequences: readonly SequenceToEmbed[],
    signal: AbortSignal | undefined,
  ): Promise<readonly SequenceEmbedding[]> {
    signal?.throwIfAborted();
    return this.call(sequences, sequences[0]?.padTo, signal);
  }

  private async call(
    sequences: readonly SequenceToEmbed[],
    padTo: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly SequenceEmbedding[]> {
    const { model, protocol } = this.options;
    const bases = sequences.map((sequence) => sequence.bases);
    assertHas(model, "embed");
    const given = await model.embed(bases, {
      protocol,
      origins: sequences.map(({ origin }) => origin),
      ...withoutUndefined({ padTo, signal }),
    });
    if (given?.length !== bases.length) {
      throw new InputError(
        `the model ${JSON.stringify(model.name)} returned ${given?.length ?? String(given)} embeddings for ${bases.length} sequences`,
        { hint: "embed(sequences) returns one embedding per sequence, in their order" },
      );
    }
    return given.map((embedding, i) => checked(model, withoutPadding(model, bases[i], embedding), i));
  }
}

/** The embedding without the states of padding. */
function withoutPadding(model: Model, bases: string, embedding: SequenceEmbedding): SequenceEmbedding {
  const { states, tokens, width, starts, ends } = embedding;
  const own = Math.min(model.tokenCount?.(bases) ?? tokens, tokens);
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
  const who = `the embedding by ${JSON.stringify(model.name)} of sequence ${sequence} of a call`;
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
        hint: "expected a finite number; embeddings stored before remain",
      },
    );
  }
  return embedding;
}

function checkWidths(model: Model, embeddings: readonly SequenceEmbedding[]): void {
  const widths = new Set(embeddings.map(({ width }) => width));
  if (widths.size <= 1) return;
  throw new InputError(
    `the model ${JSON.stringify(model.name)} returned embeddings of different widths: ${[...widths].join(", ")}`,
  );
}
