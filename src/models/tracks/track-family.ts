import type { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { firstIssue } from "../../base/json.ts";
import type { Checkpoint } from "../../net/arrays/checkpoint.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { ParameterTable } from "../language/parameters.ts";

/** A family of networks that predict signal tracks along a long sequence. */
export interface TrackFamily {
  /** Name of the family, and prefix of `--model NAME:FOLDER`. */
  readonly name: string;
  readonly title: string;
  /** Input length of the published model in bases. */
  readonly inputLength: number;
  /** 0-based track of the published human head for each cell line of the benchmark. */
  readonly cellLineTracks: Readonly<Record<string, number>>;
  /** The family's own options, with their allowed values. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** Program that writes the checkpoints of the family, for the hint on a folder without config.json. */
  readonly origin: string;
  /**
   * Builds the network of a checkpoint.
   *
   * @param config  contents of config.json
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

/** A network of known sizes that predicts one track. */
export interface TrackNetwork {
  /** Everything that determines the graph, as part of the model's identity. */
  readonly sizes: Readonly<Record<string, unknown>>;
  /** Names of tensors of a checkpoint that the graph does not use. */
  readonly ignored: readonly RegExp[];
  /** @param x  one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base */
  graph(x: Sym): TrackGraph;
}

/** Graph of a track, with the parameters that it declared. */
export interface TrackGraph {
  readonly table: ParameterTable;
  /**
   * [b]: predicted signal of the track, summed over the bins that cover the `COUNTED_BASES` central bases.
   */
  readonly signal: Sym;
}

/** Number of bases in the centre of a sequence whose reads are the measured activity. */
const COUNTED_BASES = 1000;

/** Buffers of PyTorch's batch normalisation that evaluation does not use. */
export const BATCH_COUNTERS = /\.num_batches_tracked$/;

/**
 * Parses config.json by the family's schema.
 *
 * @throws {FormatError} when a field is missing or invalid
 */
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

/**
 * Checks sizes of a network against each other.
 *
 * @param fits  conditions with the error of each
 * @throws {FormatError} with the error of the first that does not hold
 */
export function checkFits(file: string, fits: readonly (readonly [holds: boolean, error: string])[]): void {
  const wrong = fits.find(([holds]) => !holds);
  if (wrong !== undefined) throw new FormatError({ file }, wrong[1], "length=BASES sets the input length");
}

/**
 * Checks that the requested track exists, and returns the number of tracks of its head.
 *
 * @param heads  number of tracks by head
 * @throws {InputError} when no head has this name, or it has fewer tracks
 */
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
 * Number of bins that cover the `COUNTED_BASES` central bases, even.
 *
 * @param binLength   bases per bin
 * @param targetBins  predicted bins, in the centre of the input
 * @throws {InputError} when fewer bins are predicted
 */
export function centralBins(binLength: number, targetBins: number): number {
  const bins = 2 * Math.ceil(COUNTED_BASES / 2 / binLength);
  if (bins <= targetBins) return bins;
  throw new InputError(
    `the model predicts the central ${targetBins * binLength} bases of a sequence; ${COUNTED_BASES} are counted`,
    { hint: "give a checkpoint that predicts more bins" },
  );
}
