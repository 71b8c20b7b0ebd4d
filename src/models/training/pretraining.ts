import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { writeSafetensors } from "../../net/arrays/safetensors.ts";
import { input } from "../../net/graph/build.ts";
import type { Dim } from "../../net/graph/dim.ts";
import { graphOf } from "../../net/graph/graph.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { weightedCrossEntropy } from "../../net/nn/losses.ts";
import { runsLoopsWell } from "../../net/runtime/device.ts";
import { type ParameterSource, type ProgramOptions, workingDevice } from "../../net/runtime/program.ts";
import type { ExampleSource } from "../../net/train/batches.ts";
import { type FitResult, fitEpochs } from "../../net/train/fit.ts";
import type { FitEvent } from "../../net/train/fit-state.ts";
import type { Validation } from "../../net/train/validation.ts";
import { type CheckpointFolder, openCheckpointFolder } from "../checkpoints/checkpoint-folder.ts";
import type { ForwardInput } from "../language/architecture.ts";
import type { LanguageModelCard } from "../language/card.ts";
import type { Row } from "../language/collate.ts";
import { LoraAdapters } from "../language/lora.ts";
import {
  countedIn,
  feedsOf,
  maskedTokenTargets,
  nextTokenTargets,
  type TokenTargets,
} from "./token-targets.ts";

/** Recipe of `pretrain`. */
export interface PretrainingRecipe {
  readonly epochs: number;
  /** Sequences per step. */
  readonly batchSize: number;
  /** Constant over all steps. */
  readonly learningRate: number;
  /** Decoupled weight decay, as in AdamW; 0 if absent. */
  readonly weightDecay?: number;
  /** Seed of the order of the sequences and of the masks. */
  readonly seed: number;
  /** Masked models: probability of selecting a token for prediction; 0.15 if absent. */
  readonly hidden?: number;
}

/** Model, sequences and recipe of `pretrain`. */
export interface PretrainingRequest {
  /** Checkpoint folder with the initial weights, as written by `initCheckpoint`. It is not changed. */
  readonly from: string;
  /** Sequences of A, C, G and T. */
  readonly training: readonly string[];
  /** Sequences for validation; the epoch with the smallest validation loss is kept. */
  readonly validation: readonly string[];
  readonly recipe: PretrainingRecipe;
  /**
   * Folder of the trained checkpoint; its subfolder `training` has the state from which interrupted training
   * resumes.
   */
  readonly folder: string;
  /** Receives the progress of the training. */
  readonly onProgress?: (event: FitEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Subfolder of the training state. */
const WORK = "training";
const HIDDEN = 0.15;

/**
 * Pretrains a language model of any family, by masked-token or next-token prediction, and writes it as a
 * checkpoint: config.json and tokenizer files of the initial one, and model.safetensors with the same tensor
 * names. The loss is the mean cross-entropy in nats. Dropout, and the router loss of mixtures of experts,
 * which the official pretraining had, are left out.
 *
 * Called again after an interruption, it resumes bit-identically on the same machine with the same number of
 * threads.
 *
 * @param cards  families to recognise
 * @throws {InputError} when a sequence is too long, the sequences differ in number of tokens and the model
 *   takes no mask, the recipe is invalid, or no token of the validation sequences is selected; as `fitEpochs`
 *   does
 */
export async function pretrain(
  request: PretrainingRequest,
  cards: readonly LanguageModelCard[],
  options: ProgramOptions = {},
): Promise<FitResult> {
  checkRecipe(request.recipe);
  const opened = await openCheckpointFolder(request.from, cards, { device: options.device });
  try {
    const rows = {
      training: encoded(opened, request.training),
      validation: encoded(opened, request.validation),
    };
    const { loss, trained, frozen } = await lossOf(opened, [...rows.training, ...rows.validation], options);
    const { recipe, signal, onProgress } = request;
    const { epochs, batchSize, learningRate, weightDecay = 0, seed } = recipe;
    const result = await fitEpochs({
      step: { loss, trained, frozen, optimizer: { learningRate, weightDecay }, program: options },
      training: targetsOf(opened, rows.training, recipe),
      validation: validationOf(opened, rows.validation, recipe, loss),
      recipe: { epochs, batchSize, order: { kind: "shuffled", seed } },
      folder: join(request.folder, WORK),
      identity: {
        model: opened.identity,
        recipe,
        letters: [request.training, request.validation].map((sequences) => sha256Hex(sequences.join("\n"))),
      },
      signal,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    await writeCheckpoint(opened, request, result.parameters);
    return result;
  } finally {
    await opened.close();
  }
}

function checkRecipe({ learningRate, weightDecay = 0, hidden = HIDDEN }: PretrainingRecipe): void {
  const conditions = {
    learningRate: [learningRate, learningRate > 0, "above 0"],
    weightDecay: [weightDecay, weightDecay >= 0, "of 0 or more"],
    hidden: [hidden, hidden > 0 && hidden <= 1, "above 0 and up to 1"],
  } as const;
  for (const [name, [value, valid, expected]] of Object.entries(conditions)) {
    if (!(valid && Number.isFinite(value)))
      throw new InputError(`${name} is ${value}; expected a number ${expected}`);
  }
}

function encoded(
  { tokenizer, architecture }: CheckpointFolder,
  sequences: readonly string[],
): readonly Row[] {
  return sequences.map((sequence, i) => {
    const { ids } = tokenizer.encode(sequence);
    if (ids.length <= architecture.maxTokens) return { ids };
    throw new InputError(
      `sequence ${i} has ${ids.length} tokens, but the model takes at most ${architecture.maxTokens}`,
      { hint: "train on shorter sequences, or start from a checkpoint with a longer context" },
    );
  });
}

interface TrainableLoss {
  readonly loss: Sym;
  /** Weights that the loss depends on, with their initial values. */
  readonly trained: ReadonlyMap<string, NdArray>;
  readonly frozen: ReadonlyMap<string, ParameterSource>;
}

/**
 * LoRA adapters for no module. A model with adapters computes everything in its graph, as training requires,
 * instead of deriving constants from the weights.
 */
const noFactors = () => new LoraAdapters({ rank: 1, alpha: 1, dropout: 0 }, [], false);

async function lossOf(
  { architecture, parameters, read }: CheckpointFolder,
  rows: readonly Row[],
  { device = "cpu" }: ProgramOptions,
): Promise<TrainableLoss> {
  const model = architecture.withLora(noFactors());
  const loops = runsLoopsWell(await workingDevice(device));
  if (model.fixedLength) requireEqualLength(rows);
  const length: Dim = model.fixedLength ? (rows[0]?.ids.length ?? 0) : "t";
  const given: ForwardInput = {
    ids: input("ids", "int32", ["b", length]),
    ...(model.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
    loops,
  };
  const { logits } = model.forward(given, length);
  const loss = weightedCrossEntropy(
    logits,
    input("labels", "int32", ["b", length]),
    input("weights", "float32", ["b", length]),
  );
  const fixed = new Set(architecture.tensors.flatMap(({ name, buffer }) => (buffer === true ? [name] : [])));
  const trained = new Map<string, NdArray>();
  for (const { attributes } of graphOf({ loss }).parameters) {
    const { name } = attributes;
    if (parameters.has(name) && !fixed.has(name)) trained.set(name, await read(name));
  }
  const derived = typeof length === "number" ? await model.derive?.(length, read) : undefined;
  return { loss, trained, frozen: new Map<string, ParameterSource>([...parameters, ...(derived ?? [])]) };
}

/** Training inputs and labels of the rows at some indices. */
function tokenTargets(
  { card, tokenizer }: CheckpointFolder,
  rows: readonly Row[],
  indices: Int32Array,
  { seed, hidden = HIDDEN }: PretrainingRecipe,
  epoch: number,
): readonly TokenTargets[] {
  return [...indices].map((index) =>
    card.kind === "causal"
      ? nextTokenTargets(tokenizer, rows[index])
      : maskedTokenTargets(tokenizer, rows[index], index, { share: hidden, seed, epoch }),
  );
}

function targetsOf(opened: CheckpointFolder, rows: readonly Row[], recipe: PretrainingRecipe): ExampleSource {
  const pad = padOf(opened, rows);
  return {
    examples: rows.length,
    batch: async (indices, { epoch }) => feedsOf(tokenTargets(opened, rows, indices, recipe, epoch), pad),
  };
}

/** The masks are the same after every epoch, so that validation losses are comparable. */
function validationOf(
  opened: CheckpointFolder,
  rows: readonly Row[],
  recipe: PretrainingRecipe,
  loss: Sym,
): Validation {
  const pad = padOf(opened, rows);
  const shown = tokenTargets(opened, rows, Int32Array.from(rows.keys()), recipe, -1);
  if (rows.length > 0 && !shown.some(({ counted }) => counted.includes(1))) {
    throw new InputError("no token of the validation sequences is selected for masking", {
      hint: "give more or longer sequences",
    });
  }
  return {
    data: {
      examples: rows.length,
      batch: async (indices) =>
        feedsOf(
          [...indices].map((index) => shown[index]),
          pad,
        ),
    },
    batchSize: recipe.batchSize,
    outputs: { loss },
    tally() {
      let sum = 0;
      let total = 0;
      return {
        add({ loss: mean }, _feeds, indices) {
          const count = indices.reduce((all, index) => all + countedIn(shown[index].counted), 0);
          sum += Number(mean.data[0]) * count;
          total += count;
        },
        columns: () => ({ val_loss: sum / total }),
      };
    },
  };
}

function padOf({ tokenizer, architecture }: CheckpointFolder, rows: readonly Row[]): number {
  const { pad } = tokenizer.special;
  if (architecture.takesMask && pad !== undefined) return pad;
  requireEqualLength(rows);
  return pad ?? 0;
}

function requireEqualLength(rows: readonly Row[]): void {
  const lengths = new Set(rows.map(({ ids }) => ids.length));
  if (lengths.size <= 1) return;
  throw new InputError("the sequences differ in length, but this model takes no padding", {
    hint: "train it on sequences of one length",
  });
}

/** Writes trained and fixed weights, and copies the initial checkpoint's other files. */
async function writeCheckpoint(
  { architecture, read }: CheckpointFolder,
  { from, folder }: PretrainingRequest,
  trained: ReadonlyMap<string, NdArray>,
): Promise<void> {
  const tensors = architecture.tensors.map(({ name, shape, dtype = "float32" as const }) => ({
    name,
    shape,
    dtype,
    data: async () => (trained.get(name) ?? (await read(name))).data,
  }));
  await writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
  for (const name of await namesInFolder(from)) {
    const path = join(from, name);
    if (!/\.(json|txt)$/.test(name) || name.endsWith(".index.json")) continue;
    if ((await kindOfPath(path)) === "file")
      await writeFileAtomic(join(folder, name), (await textIfPresent(path))!);
  }
}
