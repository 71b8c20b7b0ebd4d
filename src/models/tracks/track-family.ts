import type { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { firstIssue } from "../../base/json.ts";
import type { Checkpoint } from "../../net/arrays/checkpoint.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { ParameterTable } from "../language/parameters.ts";

/** A kind of network that predicts tracks of signal along a long sequence. */
export interface TrackFamily {
  /** Name of the family, and prefix of `--model NAME:FOLDER`. */
  readonly name: string;
  readonly title: string;
  /** Bases of the published input. */
  readonly inputLength: number;
  /** Tracks of the published human head for the cell lines of the benchmark. */
  readonly cellLineTracks: Readonly<Record<string, number>>;
  /** Options besides `track`, `head` and `length`, with their values. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** Where checkpoints of the family come from: a hint for folders without config.json. */
  readonly origin: string;
  /**
   * @throws {FormatError} when config.json belongs to another model
   * @throws {InputError} when the head has no such track, or the sizes do not fit each other
   */
  network(config: unknown, request: TrackRequest): TrackNetwork;
}

/** A track to predict, and the checkpoint that predicts it. */
export interface TrackRequest {
  readonly folder: string;
  /** Path of config.json, for errors. */
  readonly file: string;
  readonly checkpoint: Pick<Checkpoint, "arrays">;
  readonly head: string;
  /** 0-based. */
  readonly track: number;
  readonly length: number;
  readonly options: Readonly<Partial<Record<string, string>>>;
}

/** A network of known sizes that reads one track. */
export interface TrackNetwork {
  /** Values that determine the graph, for the model's identity. */
  readonly sizes: Readonly<Record<string, unknown>>;
  /** Tensors of a checkpoint that the graph does not read. */
  readonly ignored: readonly RegExp[];
  /** @param x  one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base */
  graph(x: Sym): TrackGraph;
}

export interface TrackGraph {
  readonly table: ParameterTable;
  /** [b]: predicted signal of the track, summed over the bins that cover `COUNTED` central bases. */
  readonly signal: Sym;
}

/** Bases in the centre of a sequence whose reads a task counts. */
const COUNTED = 1000;

/** Counters of batches, which no graph reads. */
export const BATCH_COUNTERS = /\.num_batches_tracked$/;

/** @throws {FormatError} when config.json does not have the fields of the family */
export function parseTrackConfig<T extends z.ZodType>(
  schema: T,
  config: unknown,
  { file }: TrackRequest,
  title: string,
): z.output<T> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new FormatError({ file }, firstIssue(parsed.error, "the file"), `expected the config of ${title}`);
}

/** @throws {InputError} when no head has this name, or it has fewer tracks */
export function checkTrack(
  heads: Readonly<Record<string, number>>,
  { file, head, track }: TrackRequest,
): number {
  const tracks = heads[head];
  if (tracks !== undefined && track < tracks) return tracks;
  const known = Object.entries(heads).map(([name, count]) => `${name} with ${count} tracks`);
  throw new InputError(`there is no track ${track} of the head ${head}`, {
    place: { file },
    hint: `it has the heads ${known.join(", ")}, counted from 0`,
  });
}

/**
 * Number of bins that cover the `COUNTED` central bases, even.
 *
 * @param binLength   bases per bin
 * @param targetBins  predicted bins, in the centre of the input
 * @throws {InputError} when fewer bins are predicted
 */
export function centralBins(binLength: number, targetBins: number): number {
  const bins = 2 * Math.ceil(COUNTED / 2 / binLength);
  if (bins <= targetBins) return bins;
  throw new InputError(
    `the model predicts the central ${targetBins * binLength} bases of a sequence; ${COUNTED} are counted`,
    { hint: "give a checkpoint that predicts more bins" },
  );
}
