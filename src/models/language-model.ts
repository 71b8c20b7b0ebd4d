import { basename } from "node:path";
import type { Tokenizer } from "../dna/tokenizers/tokenizer.ts";
import type { Device } from "../net/runtime/device.ts";
import type { ProgramOptions } from "../net/runtime/program.ts";
import { type CheckpointFolder, openCheckpointFolder } from "./checkpoints/checkpoint-folder.ts";
import type { Architecture } from "./language/architecture.ts";
import {
  checkpointName,
  checkpointWithWeights,
  type LanguageModelCard,
  type PublicCheckpoint,
} from "./language/card.ts";
import { liveValuesPerRow, rowsPerRun } from "./language/collate.ts";
import { weightBytes } from "./language/parameters.ts";
import type { ProfiledPasses } from "./model.ts";
import { classifierPasses } from "./profiling/graph-passes.ts";
import { Programs, type TokenQuery } from "./queries/programs.ts";
import { TokenModel } from "./queries/token-model.ts";
import { FineTuning, type FineTuningRequest } from "./training/fine-tuning.ts";

/** Options of `LanguageModel.open`. */
export interface LanguageModelOptions extends ProgramOptions {
  readonly device?: Device;
  /** How the model is called in results; the folder's name when absent. */
  readonly name?: string;
  /** The public checkpoint that the folder is known to hold; by the digest of its weights when absent. */
  readonly checkpoint?: PublicCheckpoint;
}

/** Bytes beside weights and activations: the runtime, the process, its buffers. */
const FIXED_BYTES = 200e6;

/** A language model read from a checkpoint folder as the Hugging Face hub serves it. */
export class LanguageModel extends TokenModel {
  protected readonly query: TokenQuery;

  readonly card: LanguageModelCard;
  readonly checkpoint?: string;
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  private readonly programs: Programs;
  private readonly weightBytes: number;

  private constructor(
    name: string,
    private readonly folder: string,
    private readonly opened: CheckpointFolder,
    private readonly options: ProgramOptions,
    known: PublicCheckpoint | undefined,
  ) {
    const { identity, card, architecture, tokenizer, parameters, read } = opened;
    super(name, identity, architecture.maxTokens);
    this.card = card;
    const checkpoint = known ?? checkpointWithWeights(card, identity);
    if (checkpoint !== undefined) this.checkpoint = checkpointName(checkpoint);
    this.architecture = architecture;
    this.tokenizer = tokenizer;
    this.programs = new Programs(architecture, parameters, read, options);
    this.weightBytes = weightBytes(architecture, parameters);
    this.query = { kind: card.kind, programs: this.programs, tokenizer, architecture };
  }

  /**
   * Opens a folder with config.json and weights. The first time, their files are read once, for their digest and to see that
   * every weight is finite; after that nothing is read, and ONNX Runtime maps them when the first question comes.
   *
   * @param cards  families to recognise
   * @throws {InputError} when the folder holds no checkpoint of a known family, or one that is damaged or does not fit
   */
  static async open(
    folder: string,
    cards: readonly LanguageModelCard[],
    { name, checkpoint, ...programOptions }: LanguageModelOptions = {},
  ): Promise<LanguageModel> {
    const opened = await openCheckpointFolder(folder, cards);
    return new LanguageModel(name ?? basename(folder), folder, opened, programOptions, checkpoint);
  }

  get family(): string {
    return this.card.name;
  }

  /**
   * Makes the model ready to be fine-tuned, apart from this one and with no effect on it. Trainings are run on the processor,
   * so its graphs have the form that suits it, on whatever device this model answers.
   */
  async fineTune(request: FineTuningRequest): Promise<FineTuning> {
    const opened = await openCheckpointFolder(this.folder, [this.card]);
    return new FineTuning(opened, request, { ...this.options, device: "cpu" });
  }

  /** A classifier on top of the model, to learn what it costs. */
  async passes(length: number): Promise<ProfiledPasses> {
    const opened = await openCheckpointFolder(this.folder, [this.card]);
    return classifierPasses(opened, length, this.options);
  }

  get width(): number {
    return this.architecture.width;
  }

  get device(): string | undefined {
    return this.programs.deviceInUse;
  }

  /**
   * Twice the weights, since a session packs its own copy, the activations of one run, and what a call gives back. A call
   * is run in parts, so beyond a number of sequences only the answers grow.
   */
  memory(batchSize: number, tokens: number): number {
    const { architecture } = this;
    const masked = this.card.kind === "masked";
    const rows = Math.min(masked ? batchSize * tokens : batchSize, rowsPerRun(architecture, tokens));
    const guesses = 2 * architecture.vocabulary * rows * (masked ? 1 : tokens);
    const answers = batchSize * tokens * architecture.width;
    const values = rows * liveValuesPerRow(architecture, tokens) + guesses + answers;
    return FIXED_BYTES + 2 * this.weightBytes + (architecture.derivedBytes?.(tokens) ?? 0) + 4 * values;
  }

  async close(): Promise<void> {
    await this.programs.close();
    await this.opened.close();
  }
}
