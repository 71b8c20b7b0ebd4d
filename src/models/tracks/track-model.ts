import { basename, join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError, InternalError } from "../../base/errors.ts";
import { stableStringify, tryParseJson } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { valueAt, withoutUndefined } from "../../base/record.ts";
import { codesOf } from "../../dna/sequence/encoding.ts";
import { FLOAT32_ROUNDING } from "../../metrics/ties.ts";
import { type Checkpoint, openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { checkFinite } from "../../net/arrays/finite.ts";
import { mappableArrays } from "../../net/arrays/mappable-arrays.ts";
import type { StoredArray } from "../../net/arrays/stored-array.ts";
import { input } from "../../net/graph/build.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import { openProgram, type Program, type ProgramOptions } from "../../net/runtime/program.ts";
import { forwardBytes, heldBytes, RUNTIME_BYTES } from "../../net/runtime/session-memory.ts";
import { oneHotRows } from "../chrombpnet/predictor.ts";
import { bindParameters } from "../language/parameters.ts";
import type { Model, QueryOptions } from "../model.ts";
import { borzoi } from "./borzoi.ts";
import { enformer } from "./enformer.ts";
import type { TrackFamily, TrackNetwork } from "./track-family.ts";

const FAMILIES: readonly TrackFamily[] = [borzoi, enformer];

/** Options of a track model. */
interface TrackModelOptions extends ProgramOptions {
  /** 0-based track of the head. */
  readonly track: number;
  readonly head: string;
  /** Bases of the input. */
  readonly length: number;
  /** Options of the family. */
  readonly options: Readonly<Partial<Record<string, string>>>;
  /** Name in results. */
  readonly name: string;
}

/** A model that predicts one track of a network. */
class TrackModel implements Model {
  readonly batchSize = 8;
  readonly scoreRounding = FLOAT32_ROUNDING;
  private opened: Promise<Program<"signal">> | undefined;
  private values: number | undefined;

  private constructor(
    readonly family: string,
    readonly name: string,
    readonly identity: string,
    readonly inputLength: number,
    private readonly trackNetwork: TrackNetwork,
    private readonly parameters: ReadonlyMap<string, StoredArray>,
    private readonly options: ProgramOptions,
    private readonly weights: Checkpoint,
  ) {}

  /**
   * Opens a folder with config.json and weights (safetensors or PyTorch). Reads every weight once, for its
   * digest and to check that it is finite; the network is compiled at the first prediction.
   *
   * @throws {FormatError} when the folder has another model, or a damaged one
   * @throws {InputError} when the head has no such track, or the sizes do not fit each other
   */
  static async open(family: TrackFamily, folder: string, given: TrackModelOptions): Promise<TrackModel> {
    const { name, head, track, length, device, threads } = given;
    const { config, file } = await readConfig(folder, family);
    const checkpoint = await openCheckpoint(folder);
    try {
      const network = family.network(config, { ...given, folder, file, checkpoint });
      const declared = network.graph(inputOf(length)).table.tensors.values();
      const bound = bindParameters(declared, checkpoint, network.ignored);
      const names = [...bound.values()].map((stored) => stored.name);
      await checkFinite(checkpoint, names);
      const usable = await mappableArrays(checkpoint, names);
      const parameters = new Map([...bound].map(([at, stored]) => [at, valueAt(usable, stored.name)]));
      const sizes = sha256Hex(stableStringify(network.sizes)).slice(0, 16);
      const identity = `${family.name} version 1, ${head} track ${track}, sizes ${sizes}, ${await checkpoint.digest()}`;
      const program = {
        ...withoutUndefined({ device, threads }),
      };
      return new TrackModel(family.name, name, identity, length, network, parameters, program, checkpoint);
    } catch (error) {
      await checkpoint.close();
      throw error;
    }
  }

  /**
   * Predicts ln(1 + s) for the signal s of the track, summed over the bins that cover the central 1,000
   * bases: 8 bins of 128 bases for Enformer, as in DART-Eval, and 32 bins of 32 bases for Borzoi.
   *
   * @throws {InputError} when a sequence does not have `inputLength` bases
   */
  async predictActivity(sequences: readonly string[], { signal }: QueryOptions): Promise<Float64Array> {
    this.opened ??= openProgram(
      { signal: this.trackNetwork.graph(inputOf(this.inputLength)).signal },
      this.parameters,
      this.options,
    );
    const program = await this.opened;
    const values = new Float64Array(sequences.length);
    const rows = this.rowsPerRun;
    for (let start = 0; start < sequences.length; start += rows) {
      signal?.throwIfAborted();
      const some = sequences.slice(start, start + rows).map(codesOf);
      const { signal: sums } = await program.run({ x: oneHotRows(some, this.inputLength) });
      some.forEach((_, i) => {
        values[start + i] = Math.log1p(Number(sums.data[i]));
      });
    }
    return values;
  }

  tokenCount(sequence: string): number {
    return sequence.length;
  }

  /** Estimated bytes of one call: runtime, weights and the activations of one run. */
  memory(batchSize: number): number {
    const weights = [...this.parameters.values()].reduce((sum, stored) => sum + heldBytes(stored), 0);
    const rows = Math.min(batchSize, this.rowsPerRun);
    return RUNTIME_BYTES + weights + forwardBytes(trackValues(this.trackNetwork, this.inputLength, rows));
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
    await this.weights.close();
  }

  /** Sequences per run of the program; more take more memory and are not faster. */
  private get rowsPerRun(): number {
    this.values ??= trackValues(this.trackNetwork, this.inputLength, 1);
    return Math.max(1, Math.min(this.batchSize, Math.floor(2 ** 26 / this.values)));
  }
}

/** A batch of one-hot sequences. */
const inputOf = (length: number) => input("x", "float32", ["b", length, 4]);

/** Number of float32 values alive at once while a batch of sequences is predicted. */
export const trackValues = (
  network: Pick<TrackNetwork, "graph">,
  length: number,
  sequences: number,
): number => peakValues([network.graph(inputOf(length)).signal], { b: sequences });

async function readConfig(folder: string, { origin }: TrackFamily) {
  const file = join(folder, "config.json");
  const text = await textIfPresent(file);
  if (text === undefined) {
    throw new InputError("no such file", {
      place: { file },
      hint: `give a folder with config.json and weights, ${origin}`,
    });
  }
  return { config: tryParseJson(text), file };
}

/** A model with one track per cell line, opened when a task of that line is planned. */
class TracksPerLine implements Model {
  private readonly opened = new Map<string, Promise<TrackModel>>();

  constructor(
    private readonly tracks: TrackFamily,
    private readonly folder: string,
    private readonly options: Omit<TrackModelOptions, "track">,
  ) {}

  get family(): string {
    return this.tracks.name;
  }

  get name(): string {
    return this.options.name;
  }

  /**
   * The model of a cell line's track.
   * @throws {InputError} when no track of the line is known
   */
  async forCellLine(line: string): Promise<Model> {
    const { name, title, cellLineTracks } = this.tracks;
    const track = cellLineTracks[line.toUpperCase()];
    if (track === undefined) {
      throw new InputError(`no track of ${title} is known for the cell line ${JSON.stringify(line)}`, {
        hint: `known: ${Object.keys(cellLineTracks).join(", ")}; name another track: ${name}:track=NUMBER,FOLDER`,
      });
    }
    const before =
      this.opened.get(line) ?? TrackModel.open(this.tracks, this.folder, { ...this.options, track });
    this.opened.set(line, before);
    return before;
  }

  async close(): Promise<void> {
    for (const opening of await Promise.allSettled(this.opened.values())) {
      if (opening.status === "fulfilled") await opening.value.close();
    }
  }
}

/**
 * Opens `enformer:FOLDER` or `borzoi:FOLDER`, with a track per cell line of the benchmark, or
 * `enformer:track=121,FOLDER`. More options: `head=mouse`, `length=BASES` and the family's own.
 *
 * @throws {InputError} when the text has another form, and as `TrackModel.open`
 */
export async function openTrackModel(spec: string, options: ProgramOptions): Promise<Model> {
  const family = FAMILIES.find(({ name }) => spec.startsWith(`${name}:`));
  if (family === undefined) throw new InternalError(`${spec} is of no family`);
  const form = `write ${family.name}:FOLDER, or ${family.name}:track=121,FOLDER`;
  const [, listed = "", folder] = /^\w+:((?:\w+=[^,]*,)*)(.+)$/s.exec(spec) ?? [];
  if (folder === undefined) {
    throw new InputError(`${JSON.stringify(spec)} does not name a folder`, { hint: form });
  }
  const { track, head, length, ...own }: Partial<Record<string, string>> = Object.fromEntries(
    listed.split(",").flatMap((one) => (one === "" ? [] : [one.split("=")])),
  );
  const wrong = Object.entries(own).find(([key, value = ""]) => !family.options[key]?.includes(value));
  if (wrong !== undefined) {
    const [key, value] = wrong;
    const known = ["track", "head", "length", ...Object.entries(family.options).map(listOption)];
    throw new InputError(
      `${JSON.stringify(spec)}: ${family.options[key] ? `${key}=${value}` : key} is not an option of ${family.title}`,
      { hint: `${form}; options: ${known.join(", ")}` },
    );
  }
  const more = {
    ...options,
    name: basename(folder),
    head: head ?? "human",
    length: length === undefined ? family.inputLength : wholeNumber("length", length, form),
    options: own,
  };
  return track === undefined
    ? new TracksPerLine(family, folder, more)
    : TrackModel.open(family, folder, { ...more, track: wholeNumber("track", track, form) });
}

const listOption = ([key, values]: readonly [string, readonly string[]]) =>
  values.map((value) => `${key}=${value}`).join(" or ");

function wholeNumber(name: string, text: string, form: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InputError(`${name}=${text} is not a whole number`, { hint: form });
}
