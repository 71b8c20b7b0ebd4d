import { basename, resolve } from "node:path";
import type { Tokenizer } from "../dna/tokenizers/tokenizer.ts";
import type { Device } from "../net/runtime/device.ts";
import type { ReducedPrecision } from "../net/runtime/precision.ts";
import { precisionDevice } from "../net/runtime/precision-device.ts";
import { forwardBytes, RUNTIME_BYTES } from "../net/runtime/session-memory.ts";
import {
  type CheckpointFolder,
  openCheckpointFolder,
  tokenizerFilesIn,
} from "./checkpoints/checkpoint-folder.ts";
import { untrainedFolder } from "./checkpoints/init.ts";
import type { Architecture } from "./language/architecture.ts";
import {
  checkpointName,
  checkpointWithWeights,
  type LanguageModelCard,
  type PublicCheckpoint,
} from "./language/card.ts";
import { rowsPerRun } from "./language/collate.ts";
import { weightMemory } from "./language/parameters.ts";
import type { ProfiledPasses } from "./model.ts";
import { classifierPasses } from "./profiling/graph-passes.ts";
import { likelihoodQuery } from "./queries/causal-likelihood.ts";
import { statesQuery } from "./queries/embeddings.ts";
import { predictionQuery } from "./queries/masked-likelihood.ts";
import { type ModelProgramOptions, Programs, type TokenQuery } from "./queries/programs.ts";
import { TokenModel } from "./queries/token-model.ts";
import { FineTuning, type FineTuningRequest } from "./training/fine-tuning.ts";

/** Options of `LanguageModel.open`. */
export interface LanguageModelOptions extends ModelProgramOptions {
  readonly device?: Device;
  /** Name in results; the folder's name if absent. */
  readonly name?: string;
  /** Repository and commit of the folder, for weights that no published digest recognises. */
  readonly checkpoint?: Pick<PublicCheckpoint, "repo" | "revision">;
}

/** A language model in a Hugging Face checkpoint folder. */
export class LanguageModel extends TokenModel {
  protected readonly query: TokenQuery;

  readonly card: LanguageModelCard;
  readonly checkpoint?: string;
  readonly precision?: ReducedPrecision;
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  private readonly programs: Programs;
  private readonly weightBytes: number;

  private constructor(
    name: string,
    private readonly folder: string,
    private readonly opened: CheckpointFolder,
    private readonly options: ModelProgramOptions,
    known: Pick<PublicCheckpoint, "repo" | "revision"> | undefined,
  ) {
    const { identity, card, architecture, tokenizer, parameters, read } = opened;
    const { precision = "f32" } = options;
    super(name, precision === "f32" ? identity : `${identity} ${precision}`, architecture.maxTokens);
    if (precision !== "f32") this.precision = precision;
    this.card = card;
    const checkpoint = checkpointWithWeights(card, identity) ?? known;
    if (checkpoint !== undefined) this.checkpoint = checkpointName(checkpoint);
    this.architecture = architecture;
    this.tokenizer = tokenizer;
    this.programs = new Programs(architecture, parameters, read, options);
    const { held, mapped } = weightMemory(architecture, parameters);
    this.weightBytes = held + mapped;
    this.query = { kind: card.kind, programs: this.programs, tokenizer, architecture };
  }

  /**
   * Opens a folder with config.json and weights. The first call reads the files once, for their digest and to
   * check that every weight is finite; later calls read nothing, and ONNX Runtime maps the weights at the
   * first forward pass.
   *
   * @param cards  families to recognise
   * @throws {InputError} when the folder has no checkpoint of a known family, or a damaged or inconsistent
   *   one, or the device does not compute in the precision
   */
  static async open(
    folder: string,
    cards: readonly LanguageModelCard[],
    { name, checkpoint, ...programOptions }: LanguageModelOptions = {},
  ): Promise<LanguageModel> {
    const { device = "cpu", precision = "f32" } = programOptions;
    if (precision !== "f32") await precisionDevice(precision, device);
    const opened = await openCheckpointFolder(folder, cards, { device, precision });
    return new LanguageModel(name ?? folderName(folder), folder, opened, programOptions, checkpoint);
  }

  get family(): string {
    return this.card.name;
  }

  /**
   * A copy of the model, prepared for fine-tuning on the request's device, which may differ from that of this
   * model.
   */
  async fineTune(request: FineTuningRequest): Promise<FineTuning> {
    const { device = "cpu" } = request;
    const opened = await openCheckpointFolder(this.folder, [this.card], { device });
    return new FineTuning(opened, request, { ...this.options, device });
  }

  /** The same checkpoint in float32, opened again. */
  async inFloat32(): Promise<LanguageModel> {
    const { precision: _, ...options } = this.options;
    return LanguageModel.open(this.folder, [this.card], { ...options, name: this.name });
  }

  /** The same architecture and tokenizer with initial weights, in the cache folder; in float32. */
  async untrained({ seed }: { readonly seed: number }): Promise<LanguageModel> {
    const tokenizer = await tokenizerFilesIn(this.folder);
    const folder = await untrainedFolder(this.card, this.opened.config, { seed, tokenizer });
    const { precision: _, ...options } = this.options;
    return LanguageModel.open(folder, [this.card], { ...options, name: `${this.name}-untrained` });
  }

  /** Passes of a classifier on top of the model, for profiling. */
  async passes(length: number): Promise<ProfiledPasses> {
    const opened = await openCheckpointFolder(this.folder, [this.card], { device: this.options.device });
    return classifierPasses(opened, length, this.options);
  }

  get width(): number {
    return this.architecture.width;
  }

  get device(): string | undefined {
    return this.programs.deviceInUse;
  }

  /**
   * Estimated bytes of one call: the runtime, the weights, which a session copies or maps, the activations of
   * one run, and the outputs. A call is split into runs, so beyond a number of sequences only the outputs
   * grow.
   */
  memory(batchSize: number, tokens: number, query?: "likelihood" | "embedding"): number {
    const { architecture, programs } = this;
    const masked = this.card.kind === "masked" && query !== "embedding";
    const rows = Math.min(masked ? batchSize * tokens : batchSize, rowsPerRun(architecture, tokens));
    const graph = query === "embedding" ? statesQuery : masked ? predictionQuery : likelihoodQuery;
    const values = programs.peakValues(graph, rows, tokens);
    const outputs = 4 * batchSize * tokens * architecture.width;
    const derived = architecture.derivedBytes?.(tokens) ?? 0;
    // 2 bytes instead of 4.
    const halved = 2 * programs.halfConstants(graph, tokens);
    return RUNTIME_BYTES + this.weightBytes - halved + derived + forwardBytes(values) + outputs;
  }

  /** Frees the sessions and closes the files of the checkpoint. */
  async close(): Promise<void> {
    await this.programs.close();
    await this.opened.close();
  }
}

/**
 * The folder's name; for a snapshot in the Hugging Face cache, whose folder is a commit, the repository's
 * name.
 */
function folderName(folder: string): string {
  const path = resolve(folder);
  const [, repository] = /[\\/]models--(?:[\w.-]+--)?([\w.-]+)[\\/]snapshots[\\/][^\\/]+$/.exec(path) ?? [];
  return repository ?? basename(path);
}
