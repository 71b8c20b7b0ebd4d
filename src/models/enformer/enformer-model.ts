import { basename, join } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { firstIssue, stableStringify, tryParseJson } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { codesOf } from "../../dna/sequence/encoding.ts";
import { FLOAT32_ROUNDING } from "../../metrics/ties.ts";
import { type Checkpoint, openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { checkFinite } from "../../net/arrays/finite.ts";
import { float32Arrays } from "../../net/arrays/float32-copy.ts";
import type { StoredArray } from "../../net/arrays/stored-array.ts";
import { input } from "../../net/graph/build.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import { openProgram, type Program, type ProgramOptions } from "../../net/runtime/program.ts";
import { forwardBytes, RUNTIME_BYTES } from "../../net/runtime/session-memory.ts";
import { oneHotRows } from "../chrombpnet/predictor.ts";
import { bindParameters } from "../language/parameters.ts";
import type { Model, QueryOptions } from "../model.ts";
import { binOf, centralBins, type EnformerSizes, enformer, IGNORED, PUBLISHED_SIZES } from "./enformer.ts";

/** Options of an Enformer. */
export interface EnformerOptions extends ProgramOptions {
  /** 0-based track of the head. */
  readonly track: number;
  /** Default "human". */
  readonly head?: string;
  /** Bases of the input; default 196,608. */
  readonly length?: number;
  /** Default: the config's `use_tf_gamma`, or true for a folder of EleutherAI/enformer-official-rough. */
  readonly tensorflowGammas?: boolean;
  /** Name in results; default: the folder's name. */
  readonly name?: string;
}

/** DNase-seq tracks of the human head that DART-Eval evaluates, by cell line. */
const CELL_LINE_TRACKS: Readonly<Record<string, number>> = {
  GM12878: 69,
  H1ESC: 70,
  K562: 121,
  HEPG2: 234,
  IMR90: 405,
};

/** Bases in the centre of a sequence whose reads a task counts. */
const COUNTED = 1000;

const size = z.int().min(1).max(1e5);
const schema = z.looseObject({
  dim: size.default(1536),
  depth: size.default(11),
  heads: size.default(8),
  attn_dim_key: size.default(64),
  num_downsamples: z.int().min(2).max(16).default(7),
  target_length: z.int().min(2).max(1e6).default(896),
  output_heads: z.record(z.string(), size).default({ human: 5313, mouse: 1643 }),
  use_tf_gamma: z.boolean().default(false),
});

/** Repository of the published weights, which need the published program's gamma densities. */
const PUBLISHED = /enformer-official-rough/;

/**
 * An Enformer in a checkpoint folder of its PyTorch port: the package enformer-pytorch. The published program
 * takes 393,216 bases and reads the central 196,608, which are the input here.
 */
class Enformer implements Model {
  readonly family = "enformer";
  readonly batchSize = 8;
  readonly scoreRounding = FLOAT32_ROUNDING;
  private opened: Promise<Program<"signal">> | undefined;
  private rows: number | undefined;

  private constructor(
    readonly name: string,
    readonly identity: string,
    private readonly sizes: EnformerSizes,
    private readonly read: Parameters<typeof enformer>[2],
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
  static async open(folder: string, options: EnformerOptions): Promise<Enformer> {
    const { track, head = "human", length = PUBLISHED_SIZES.inputLength, name = basename(folder) } = options;
    const { config, file } = await readConfig(folder);
    const tracks = config.output_heads[head];
    if (tracks === undefined || track >= tracks) {
      const heads = Object.entries(config.output_heads).map(
        ([name, count]) => `${name} with ${count} tracks`,
      );
      throw new InputError(`there is no track ${track} of the head ${head}`, {
        place: { file },
        hint: `it has the heads ${heads.join(", ")}, counted from 0`,
      });
    }
    const checkpoint = await openCheckpoint(folder);
    try {
      const published = PUBLISHED.test(`${folder} ${String(config._name_or_path)}`);
      const scaled = options.tensorflowGammas ?? (published || config.use_tf_gamma);
      const sizes: EnformerSizes = {
        inputLength: length,
        channels: channelsOf(checkpoint, config),
        depth: config.depth,
        heads: config.heads,
        keyWidth: config.attn_dim_key,
        targetBins: config.target_length,
        gammaScale: scaled ? "distances" : "features",
        tracks,
      };
      checkSizes(sizes, config, file);
      const read = { head, track, bins: centralBins(sizes, COUNTED) };
      const declared = graphOf(sizes, read).table.tensors.values();
      const bound = bindParameters(declared, checkpoint, IGNORED);
      const names = [...bound.values()].map((stored) => stored.name);
      await checkFinite(checkpoint, names);
      const usable = await float32Arrays(checkpoint, names);
      const parameters = new Map([...bound].map(([at, stored]) => [at, usable.get(stored.name)!]));
      const facts = sha256Hex(stableStringify({ ...sizes, channels: sizes.channels.join() })).slice(0, 16);
      const identity = `enformer version 1, ${head} track ${track}, sizes ${facts}, ${await checkpoint.digest()}`;
      const { device, threads } = options;
      const program = {
        ...(device === undefined ? {} : { device }),
        ...(threads === undefined ? {} : { threads }),
      };
      return new Enformer(name, identity, sizes, read, parameters, program, checkpoint);
    } catch (error) {
      await checkpoint.close();
      throw error;
    }
  }

  get inputLength(): number {
    return this.sizes.inputLength;
  }

  /**
   * ln(1 + s), s the predicted signal of the track, summed over the bins that cover the central 1,000 bases:
   * 8 bins of 128 bases for the published sizes, as in DART-Eval.
   *
   * @throws {InputError} when a sequence does not have `inputLength` bases
   */
  async predictActivity(sequences: readonly string[], { signal }: QueryOptions): Promise<Float64Array> {
    this.opened ??= openProgram(
      { signal: graphOf(this.sizes, this.read).signal },
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
    const weights = [...this.parameters.values()].reduce((sum, { length }) => sum + length, 0);
    return (
      RUNTIME_BYTES + weights + forwardBytes(enformerValues(this.sizes, Math.min(batchSize, this.rowsPerRun)))
    );
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
    await this.weights.close();
  }

  /** Sequences per run of the program; more take more memory and are not faster. */
  private get rowsPerRun(): number {
    this.rows ??= Math.max(1, Math.min(this.batchSize, Math.floor(2 ** 26 / enformerValues(this.sizes, 1))));
    return this.rows;
  }
}

/** Graph of a batch of one-hot sequences, `x`. */
const graphOf = (sizes: EnformerSizes, read: Parameters<typeof enformer>[2]) =>
  enformer(sizes, input("x", "float32", ["b", sizes.inputLength, 4]), read);

/** Float32 values alive at once when sequences are predicted. */
export function enformerValues(sizes: EnformerSizes, sequences: number): number {
  const { signal } = graphOf(sizes, { head: "human", track: 0, bins: centralBins(sizes, COUNTED) });
  return peakValues([signal], { b: sequences });
}

async function readConfig(folder: string) {
  const file = join(folder, "config.json");
  const text = await textIfPresent(file);
  if (text === undefined) {
    throw new InputError(`there is no ${file}`, {
      hint: "give a folder with config.json and weights, as `Enformer.save_pretrained` of enformer-pytorch writes it",
    });
  }
  const parsed = schema.safeParse(tryParseJson(text));
  if (parsed.success) return { config: parsed.data, file };
  throw new FormatError({ file }, firstIssue(parsed.error, "the file"), "expected the config of an Enformer");
}

type Config = z.output<typeof schema>;

/** Channels of the stem and of the tower's blocks, from the shapes of their convolutions. */
function channelsOf({ arrays }: Checkpoint, { num_downsamples: blocks, dim }: Config): readonly number[] {
  const outOf = (...names: readonly string[]) =>
    names.flatMap((name) => arrays.get(name)?.shape[0] ?? [])[0] ?? dim;
  return Array.from({ length: blocks }, (_, i) =>
    i === 0
      ? outOf("stem.0.weight", "_trunk.1.0.weight")
      : outOf(`conv_tower.${i - 1}.0.2.weight`, `_trunk.2.${i - 1}.0.2.weight`),
  );
}

function checkSizes(sizes: EnformerSizes, { dim }: Config, file: string): void {
  const { channels, heads, inputLength, targetBins } = sizes;
  const bins = inputLength / binOf(sizes);
  const fits: readonly (readonly [boolean, string])[] = [
    [channels.at(-1) === dim, `the tower ends with ${channels.at(-1)} channels, but dim is ${dim}`],
    [dim % (6 * heads) === 0, `dim ${dim} is no multiple of 6 times ${heads} heads`],
    [
      Number.isInteger(bins) && bins % 2 === 0 && bins >= targetBins && targetBins % 2 === 0,
      `${inputLength} bases make ${bins} bins of ${binOf(sizes)} bases; expected an even number, at least the target length of ${targetBins}`,
    ],
  ];
  const wrong = fits.find(([fit]) => !fit);
  if (wrong !== undefined) throw new FormatError({ file }, wrong[1], "length=BASES sets the input length");
}

/** One track per cell line, opened when a task of that line is planned. */
class EnformerPerLine implements Model {
  readonly family = "enformer";
  private readonly opened = new Map<string, Promise<Enformer>>();

  constructor(
    readonly name: string,
    private readonly folder: string,
    private readonly options: Omit<EnformerOptions, "track">,
  ) {}

  /** @throws {InputError} when no track of the line is known */
  async forCellLine(line: string): Promise<Model> {
    const track = CELL_LINE_TRACKS[line.toUpperCase()];
    if (track === undefined) {
      throw new InputError(`no track of Enformer is known for the cell line ${JSON.stringify(line)}`, {
        hint: `known are ${Object.keys(CELL_LINE_TRACKS).join(", ")}; name another track: enformer:track=NUMBER,FOLDER`,
      });
    }
    const before = this.opened.get(line) ?? Enformer.open(this.folder, { ...this.options, track });
    this.opened.set(line, before);
    return before;
  }

  async close(): Promise<void> {
    for (const opening of await Promise.allSettled(this.opened.values())) {
      if (opening.status === "fulfilled") await opening.value.close();
    }
  }
}

const FORM = "write enformer:FOLDER, or enformer:track=121,FOLDER";

/**
 * Opens `enformer:FOLDER`, with a track per cell line of the benchmark, or `enformer:track=121,FOLDER`. More
 * options: `head=mouse`, `length=BASES`, `gammas=tensorflow` or `gammas=port`.
 *
 * @throws {InputError} when the text has another form, and as `Enformer.open`
 */
export async function openEnformer(spec: string, options: ProgramOptions): Promise<Model> {
  const [, listed = "", folder] = /^enformer:((?:\w+=[^,]*,)*)(.+)$/s.exec(spec) ?? [];
  if (folder === undefined)
    throw new InputError(`${JSON.stringify(spec)} is not an Enformer`, { hint: FORM });
  const { track, head, length, gammas, ...others } = Object.fromEntries(
    listed.split(",").flatMap((one) => (one === "" ? [] : [one.split("=") as [string, string]])),
  ) as Partial<Record<string, string>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined || !(gammas === undefined || gammas === "tensorflow" || gammas === "port")) {
    throw new InputError(
      `${JSON.stringify(spec)}: ${unknown ?? `gammas=${gammas}`} is no option of an Enformer`,
      {
        hint: `${FORM}; options: track, head, length, gammas=tensorflow or gammas=port`,
      },
    );
  }
  const more = {
    ...options,
    name: basename(folder),
    ...(head === undefined ? {} : { head }),
    ...(length === undefined ? {} : { length: wholeNumber("length", length) }),
    ...(gammas === undefined ? {} : { tensorflowGammas: gammas === "tensorflow" }),
  };
  if (track === undefined) return new EnformerPerLine(more.name, folder, more);
  return Enformer.open(folder, { ...more, track: wholeNumber("track", track) });
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InputError(`${name}=${text} is no whole number`, { hint: FORM });
}
