import { basename } from "node:path";
import { cachedDigest } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { filesBelow, kindOfPath } from "../../base/folder.ts";
import { escapeRegExp } from "../../base/message-text.ts";
import { codesOf } from "../../dna/sequence/encoding.ts";
import { reverseComplementCodes } from "../../dna/sequence/reverse-complement.ts";
import { FLOAT32_ROUNDING } from "../../metrics/ties.ts";
import { elementCount } from "../../net/arrays/array.ts";
import type { ProgramOptions } from "../../net/runtime/program.ts";
import { forwardBytes, RUNTIME_BYTES } from "../../net/runtime/session-memory.ts";
import type { Model, QueryOptions } from "../model.ts";
import {
  openPredictor,
  type Predictor,
  type ProfilePrediction,
  predictorValues,
  strandMean,
} from "./predictor.ts";
import {
  type ChrombpnetKind,
  kindOf,
  networksOf,
  readChrombpnet,
  type StoredChrombpnet,
} from "./read-keras.ts";
import { readTorchChrombpnet } from "./read-torch.ts";

/** Options of `Chrombpnet.open`. */
export interface ChrombpnetOptions extends ProgramOptions {
  /**
   * "one" predicts from the given strand, as the original does; "both" averages the predictions of both
   * strands.
   */
  readonly strands?: "one" | "both";
  /** Name in results; the file's name without extension if absent. */
  readonly name?: string;
}

/** File extensions of Keras models and of state dicts of bpnet-lite. */
const EXTENSION = /\.(h5|hdf5|pt|pth|torch|bin|safetensors)$/;
const OF_KERAS = /\.(h5|hdf5)$/;

/** A trained ChromBPNet in a Keras file, or in a state dict of bpnet-lite. */
export class Chrombpnet implements Model {
  readonly family = "chrombpnet";
  readonly batchSize = 64;
  readonly scoreRounding = FLOAT32_ROUNDING;

  private constructor(
    readonly name: string,
    readonly identity: string,
    /** Networks in the file, which determine the prediction. */
    readonly contents: ChrombpnetKind,
    private readonly stored: StoredChrombpnet,
    private readonly predictor: Predictor,
    private readonly strands: "one" | "both",
  ) {}

  /**
   * Opens a Keras file, or for other extensions than .h5 and .hdf5 a state dict of bpnet-lite.
   *
   * @throws {FormatError} when the file is not a ChromBPNet
   * @throws {InputError} when there is no such file
   */
  static async open(
    path: string,
    { strands = "one", name = basename(path).replace(EXTENSION, ""), ...options }: ChrombpnetOptions = {},
  ): Promise<Chrombpnet> {
    const isTorch = EXTENSION.test(path) && !OF_KERAS.test(path);
    const stored = await (isTorch ? readTorchChrombpnet : readChrombpnet)(path);
    const identity = `chrombpnet version 1, ${strands} strand${strands === "one" ? "" : "s"}, ${await cachedDigest(path)}`;
    const predictor = await openPredictor(stored, options);
    return new Chrombpnet(name, identity, kindOf(stored), stored, predictor, strands);
  }

  get device(): string {
    return this.predictor.device;
  }

  /** Number of bases of the input. */
  get inputLength(): number {
    return this.predictor.inputLength;
  }

  /** Number of bases in the centre whose signal is predicted. */
  get outputLength(): number {
    return this.predictor.outputLength;
  }

  /**
   * Profiles and counts of sequences given as base codes; an unknown base is a row of zeros.
   *
   * @throws {InputError} when a sequence does not have `inputLength` bases
   */
  async predict(
    sequences: readonly Uint8Array[],
    signal?: AbortSignal,
  ): Promise<readonly ProfilePrediction[]> {
    const forward = await this.predictor.predict(sequences, signal);
    if (this.strands === "one") return forward;
    const others = sequences.map((codes) => reverseComplementCodes(codes.slice()));
    const reverse = await this.predictor.predict(others, signal);
    return forward.map((prediction, i) => strandMean(prediction, reverse[i]));
  }

  /** Predicted ln(1 + reads) of each sequence's window. */
  async predictActivity(sequences: readonly string[], { signal }: QueryOptions): Promise<Float64Array> {
    const predictions = await this.predict(sequences.map(codesOf), signal);
    return Float64Array.from(predictions, ({ logCounts }) => logCounts);
  }

  tokenCount(sequence: string): number {
    return sequence.length;
  }

  /**
   * Estimated bytes of one call: the HDF5 library, the runtime, the weights in Keras layout, in PyTorch
   * layout and in the session, and the activations of one run.
   */
  memory(batchSize: number): number {
    const weights = networksOf(this.stored)
      .flatMap(({ arrays }) => [...arrays.values()])
      .reduce((sum, { shape }) => sum + elementCount(shape), 0);
    return HDF5_BYTES + RUNTIME_BYTES + 12 * weights + forwardBytes(predictorValues(this.stored, batchSize));
  }

  /** Frees the sessions. */
  async close(): Promise<void> {
    await this.predictor.close();
  }
}

/** Resident bytes of the HDF5 library, which reads the weights. */
const HDF5_BYTES = 40e6;

/** Placeholder for the cell line in a path. */
const LINE = "{cell-line}";

/** Wildcard for any text within one part of a path, such as fold numbers. */
const ANY = "*";

/**
 * Opens `chrombpnet:FILE.h5` or `chrombpnet:strands=both,FILE.h5`; FILE.pt is a state dict of bpnet-lite.
 *
 * - `*` in the path matches any text within a folder or file name; the predictions of all matching files,
 *   folds of one model, are averaged. `FILE.h5` means `FILE.fold_*.h5` if there is no file of that name.
 * - `{cell-line}` in the path makes a model with one network, or one set of folds, per cell line.
 *
 * @throws {InputError} when the text has another form, no file matches, or matching files have different
 *   kinds of networks
 */
export async function openChrombpnet(spec: string, options: ProgramOptions): Promise<Model> {
  const [, strands, path] = /^chrombpnet:(?:strands=([^,]*),)?(.+)$/s.exec(spec) ?? [];
  if (path === undefined || !(strands === undefined || strands === "one" || strands === "both")) {
    throw new InputError(`${JSON.stringify(spec)} is not a ChromBPNet`, {
      hint: "write chrombpnet:FILE.h5, or chrombpnet:strands=both,FILE.h5 to average both strands",
    });
  }
  const all: ChrombpnetOptions = { ...options, ...(strands === undefined ? {} : { strands }) };
  return path.includes(LINE) ? new ChrombpnetPerLine(path, all) : openFolds(path, all);
}

/** One network per cell line, opened when a task of that line is planned. */
class ChrombpnetPerLine implements Model {
  readonly name = "chrombpnet";
  readonly family = "chrombpnet";
  private readonly opened = new Map<string, Promise<Model>>();

  constructor(
    private readonly pattern: string,
    private readonly options: ChrombpnetOptions,
  ) {}

  /** @throws {InputError} when no file matches */
  forCellLine(line: string): Promise<Model> {
    const before = this.opened.get(line);
    if (before !== undefined) return before;
    if (!/^[\w.+ ()-]+$/.test(line) || line.startsWith(".")) {
      throw new InputError(`the cell line ${JSON.stringify(line)} cannot name a file`);
    }
    const opening = openFolds(this.pattern.replaceAll(LINE, line), { ...this.options, name: this.name });
    this.opened.set(line, opening);
    return opening;
  }

  async close(): Promise<void> {
    for (const opening of await Promise.allSettled(this.opened.values())) {
      if (opening.status === "fulfilled") await opening.value.close?.();
    }
  }
}

async function openFolds(pattern: string, options: ChrombpnetOptions): Promise<Model> {
  const paths = await filesOf(pattern);
  if (paths.length === 1) return Chrombpnet.open(paths[0], options);
  const folds: Chrombpnet[] = [];
  try {
    for (const path of paths) {
      const fold = await Chrombpnet.open(path, options);
      folds.push(fold);
      checkFold(fold, folds[0], path);
    }
  } catch (error) {
    for (const fold of folds) await fold.close();
    throw error;
  }
  return averageOf(folds, options.name ?? nameOf(pattern));
}

function checkFold(fold: Chrombpnet, first: Chrombpnet, path: string): void {
  for (const fact of ["contents", "inputLength", "outputLength"] as const) {
    if (fold[fact] === first[fact]) continue;
    throw new InputError(`its ${fact} is ${fold[fact]}, but the first fold has ${first[fact]}`, {
      place: { file: path },
      hint: "only folds of one model are averaged; narrow the pattern",
    });
  }
}

/** A model that averages ln(1 + reads) over folds, as variant-scorer does. */
function averageOf(folds: readonly Chrombpnet[], name: string): Model {
  return {
    name,
    family: "chrombpnet",
    identity: `mean of ${folds.length} folds: ${folds.map(({ identity }) => identity).join("; ")}`,
    batchSize: folds[0].batchSize,
    inputLength: folds[0].inputLength,
    device: folds[0].device,
    async predictActivity(sequences: readonly string[], options: QueryOptions) {
      const mean = new Float64Array(sequences.length);
      for (const fold of folds) {
        const values = await fold.predictActivity(sequences, options);
        for (let i = 0; i < mean.length; i++) mean[i] += values[i] / folds.length;
      }
      return mean;
    },
    tokenCount: (sequence) => sequence.length,
    memory: (batchSize) => folds.reduce((sum, fold) => sum + fold.memory(batchSize), 0),
    async close() {
      for (const fold of folds) await fold.close();
    },
  };
}

/** Name of a pattern: K562 for `K562.fold_*.h5` and `K562/fold_*.h5`. */
const nameOf = (pattern: string) =>
  basename(pattern.slice(0, pattern.indexOf(ANY)).replace(/[/\\]?[^/\\.]*$/, "")) || "chrombpnet";

/** Files that a pattern matches, sorted. @throws {InputError} when there is none */
async function filesOf(pattern: string): Promise<readonly string[]> {
  if (!pattern.includes(ANY)) {
    const folds = pattern.replace(EXTENSION, (extension) => `.fold_*${extension}`);
    if (folds === pattern || (await kindOfPath(pattern)) !== undefined) return [pattern];
    const found = await matching(folds);
    if (found.length > 0) return found;
    throw noFile(pattern, `nor one of ${folds}`);
  }
  const found = await matching(pattern);
  if (found.length > 0) return found;
  throw noFile(pattern, "");
}

async function matching(pattern: string): Promise<readonly string[]> {
  const parts = pattern.replaceAll("\\", "/").split("/");
  const first = parts.findIndex((part) => part.includes(ANY));
  const folder = parts.slice(0, first).join("/") || (pattern.startsWith("/") ? "/" : ".");
  if ((await kindOfPath(folder)) !== "folder") return [];
  const escaped = parts.slice(first).map((part) => part.split(ANY).map(escapeRegExp).join("[^/]*"));
  const wanted = new RegExp(`^${escaped.join("/")}$`);
  const files = await filesBelow(folder);
  return files.filter((file) => wanted.test(file)).map((file) => `${folder}/${file}`);
}

const noFile = (pattern: string, nor: string) =>
  new InputError(`no such file${nor === "" ? "" : `, ${nor}`}`, {
    place: { file: pattern },
    hint: "use * for several folds, as in chrombpnet:FOLDER/{cell-line}/fold_*.h5",
  });
