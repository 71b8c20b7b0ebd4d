import { basename, join } from "node:path";
import { sha256Hex } from "../base/digest.ts";
import { FormatError, InputError } from "../base/errors.ts";
import { stableStringify } from "../base/stable-json.ts";
import { textIfPresent } from "../base/text-file.ts";
import type { Tokenizer } from "../dna/tokenizers/tokenizer.ts";
import type { Checkpoint } from "../net/arrays/checkpoint.ts";
import { openCheckpoint } from "../net/arrays/checkpoint.ts";
import { float32Arrays } from "../net/arrays/float32-copy.ts";
import type { Device } from "../net/runtime/device.ts";
import type { ProgramOptions } from "../net/runtime/program.ts";
import type { Architecture } from "./architecture.ts";
import type { LanguageModelCard } from "./card.ts";
import { bindParameters } from "./parameters.ts";
import { Programs } from "./programs.ts";
import { liveValuesPerRow, rowsPerRun } from "./queries/collate.ts";
import type { TokenQuery } from "./queries/token-query.ts";
import { checkRepeatedTensors } from "./repeated-tensors.ts";
import { TokenModel } from "./token-model.ts";

export interface LanguageModelOptions extends ProgramOptions {
  readonly device?: Device;
  /** How the model is called in results; the folder's name when absent. */
  readonly name?: string;
}

/** Bytes beside weights and activations: the runtime, the process, its buffers. */
const FIXED_BYTES = 200e6;

/** A language model read from a checkpoint folder as the Hugging Face hub serves it. */
export class LanguageModel extends TokenModel {
  protected readonly query: TokenQuery;

  private constructor(
    name: string,
    identity: string,
    readonly card: LanguageModelCard,
    readonly architecture: Architecture,
    readonly tokenizer: Tokenizer,
    private readonly checkpoint: Checkpoint,
    private readonly programs: Programs,
    private readonly weightBytes: number,
  ) {
    super(name, identity, architecture.maxTokens);
    this.query = { kind: card.kind, programs, tokenizer, architecture };
  }

  /**
   * Opens a folder with config.json and weights. Reads no weights: ONNX Runtime maps them when the first question comes.
   *
   * @param cards  families to recognise
   * @throws {InputError} when the folder holds no checkpoint of a known family, or one that is damaged or does not fit
   */
  static async open(
    folder: string,
    cards: readonly LanguageModelCard[],
    { name, ...programOptions }: LanguageModelOptions = {},
  ): Promise<LanguageModel> {
    const { config, file } = await readConfig(folder);
    const card = familyOf(config, cards, file);
    const architecture = card.architecture(config, file);
    const tokenizer = await card.tokenizer(folder, config);
    const checkpoint = await openCheckpoint(folder);
    try {
      const bound = bindParameters(architecture.tensors, checkpoint, architecture.ignored);
      await checkRepeatedTensors(architecture.tensors, checkpoint);
      const usable = await float32Arrays(
        checkpoint,
        [...bound.values()].map((stored) => stored.name),
      );
      const parameters = new Map([...bound].map(([declared, { name }]) => [declared, usable.get(name)!]));
      const identity = `${card.name} config ${sha256Hex(stableStringify(config)).slice(0, 16)} weights ${await checkpoint.digest()}`;
      const read = async (tensor: string, rows?: readonly [number, number]) =>
        checkpoint.read(bound.get(tensor)!.name, rows === undefined ? {} : { rows });
      const programs = new Programs(architecture, parameters, read, programOptions);
      const weightBytes = architecture.tensors
        .filter(({ hostOnly }) => !hostOnly)
        .reduce((sum, { name: tensor }) => sum + parameters.get(tensor)!.length, 0);
      return new LanguageModel(
        name ?? basename(folder),
        identity,
        card,
        architecture,
        tokenizer,
        checkpoint,
        programs,
        weightBytes,
      );
    } catch (error) {
      await checkpoint.close();
      throw error;
    }
  }

  get family(): string {
    return this.card.name;
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
    return FIXED_BYTES + 2 * this.weightBytes + (architecture.unrolledBytes?.(tokens) ?? 0) + 4 * values;
  }

  async close(): Promise<void> {
    await this.programs.close();
    await this.checkpoint.close();
  }
}

async function readConfig(folder: string): Promise<{ config: Record<string, unknown>; file: string }> {
  const file = join(folder, "config.json");
  const text = await textIfPresent(file);
  if (text === undefined) {
    throw new InputError(`there is no ${file}`, {
      hint: "give the folder of a checkpoint with config.json and weights; `dart-eval models fetch` downloads one",
    });
  }
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) {
      return { config: config as Record<string, unknown>, file };
    }
  } catch (cause) {
    throw new FormatError({ file }, "is not JSON", "download it again", cause);
  }
  throw new FormatError({ file }, "is not a JSON object", "download it again");
}

function familyOf(
  config: Readonly<Record<string, unknown>>,
  cards: readonly LanguageModelCard[],
  file: string,
): LanguageModelCard {
  const card = cards.find((each) => each.recognises(config));
  if (card !== undefined) return card;
  throw new FormatError(
    { file },
    `model_type ${JSON.stringify(config.model_type)} with architectures ${JSON.stringify(config.architectures)} is not a known family`,
    `known are ${cards.map(({ title }) => title).join(", ")}`,
  );
}
