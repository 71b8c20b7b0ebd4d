import { basename } from "node:path";
import { cachedDigest } from "../../base/cached-digest.ts";
import { codesOf } from "../../dna/sequence/letters.ts";
import { reverseComplementCodes } from "../../dna/sequence/reverse-complement.ts";
import { FLOAT32_ROUNDING } from "../../metrics/ties.ts";
import { elementCount } from "../../net/arrays/array.ts";
import type { ProgramOptions } from "../../net/runtime/program.ts";
import type { Model, QueryOptions } from "../model.ts";
import type { Predictor, ProfilePrediction } from "./predictor.ts";
import { openPredictor } from "./predictor.ts";
import { strandMean } from "./profile.ts";
import type { ChrombpnetKind, StoredChrombpnet } from "./read-keras.ts";
import { kindOf, readChrombpnet } from "./read-keras.ts";

export interface ChrombpnetOptions extends ProgramOptions {
  /** Whether a sequence is read as it is, as the original predicts, or on both strands and the two predictions averaged. */
  readonly strands?: "one" | "both";
  /** The file's name without its ending where it is absent. */
  readonly name?: string;
}

/** A trained ChromBPNet, read from a file of Keras. */
export class Chrombpnet implements Model {
  readonly family = "chrombpnet";
  readonly batchSize = 64;
  readonly scoreRounding = FLOAT32_ROUNDING;

  private constructor(
    readonly name: string,
    readonly identity: string,
    /** Which of the networks are in the file, and so what is predicted. */
    readonly contents: ChrombpnetKind,
    private readonly stored: StoredChrombpnet,
    private readonly predictor: Predictor,
    private readonly strands: "one" | "both",
  ) {}

  /**
   * @throws {FormatError} when the file holds no ChromBPNet
   * @throws {InputError} when there is no such file
   */
  static async open(
    path: string,
    {
      strands = "one",
      name = basename(path).replace(/\.(h5|hdf5)$/, ""),
      ...options
    }: ChrombpnetOptions = {},
  ): Promise<Chrombpnet> {
    const stored = await readChrombpnet(path);
    const identity = `chrombpnet version 1, ${strands} strand${strands === "one" ? "" : "s"}, ${await cachedDigest(path)}`;
    const predictor = await openPredictor(stored, options);
    return new Chrombpnet(name, identity, kindOf(stored), stored, predictor, strands);
  }

  get device(): string {
    return this.predictor.device;
  }

  /** Bases of a sequence that it reads. */
  get inputLength(): number {
    return this.predictor.inputLength;
  }

  /** Bases in the middle of a sequence whose signal it predicts. */
  get outputLength(): number {
    return this.predictor.outputLength;
  }

  /**
   * Profiles and counts of sequences given as base codes; a base that is not known is a row of zeros to the model.
   *
   * @throws {InputError} when a sequence has not `inputLength` bases
   */
  async predict(
    sequences: readonly Uint8Array[],
    signal?: AbortSignal,
  ): Promise<readonly ProfilePrediction[]> {
    const forward = await this.predictor.predict(sequences, signal);
    if (this.strands === "one") return forward;
    const others = sequences.map((codes) => reverseComplementCodes(codes.slice()));
    const reverse = await this.predictor.predict(others, signal);
    return forward.map((prediction, i) => strandMean(prediction, reverse[i]!));
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
   * As measured of the published sizes: the HDF5 library's and the runtime's own, the weights in the file's order, in ours and in the
   * session's, and eight values per base and filter, of which half are windows of three.
   */
  memory(batchSize: number): number {
    const networks = Object.values(this.stored);
    const weights = networks
      .flatMap(({ arrays }) => [...arrays.values()])
      .reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const widest = Math.max(...networks.map(({ sizes }) => sizes.filters));
    const values = Math.min(batchSize, 32) * this.inputLength * widest * 8;
    return 400e6 + 12 * weights + 4 * values;
  }

  async close(): Promise<void> {
    await this.predictor.close();
  }
}
