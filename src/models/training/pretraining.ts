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
  /** Decoupled, as AdamW has it; none where it is absent. */
  readonly weightDecay?: number;
  /** Of the order of the sequences and of the hidden tokens. */
  readonly seed: number;
  /** Share of its tokens that a masked model is to guess; 0.15 where it is absent. A causal model guesses every token. */
  readonly hidden?: number;
}

/** Model, sequences and recipe of `pretrain`. */
export interface PretrainingRequest {
  /** A checkpoint whose weights are the first values, such as `initCheckpoint` writes. It is not changed. */
  readonly from: string;
  /** Letters A, C, G and T. */
  readonly training: readonly string[];
  /** The epoch of smallest loss on these is kept. */
  readonly validation: readonly string[];
  readonly recipe: PretrainingRecipe;
  /** Where the trained checkpoint is written; what the training goes on from when it was stopped lies in `training` in it. */
  readonly folder: string;
  readonly onProgress?: (event: FitEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where stopped trainings are kept, in the folder of the checkpoint. */
const WORK = "training";
const HIDDEN = 0.15;

/**
 * Trains a language model of any family to guess hidden tokens, or the next token if it is a causal one, and writes it as a
 * checkpoint: config.json and the tokenizer's files of the one it began with, and model.safetensors with its names. The loss
 * is the mean cross-entropy of the guesses in nats. Dropout and the router's loss of mixtures of experts, with which the
 * originals were trained, are left out.
 *
 * Called again after it was stopped, it goes on to the same bytes on the same machine with the same number of threads.
 *
 * @param cards  families to recognise
 * @throws {InputError} when the sequences are not equally long as tokens and the model takes no mask, or one is too long;
 *   when a number of the recipe is not possible, or no token of the validation sequences is to be guessed; as `fitEpochs` does
 */
export async function pretrain(
  request: PretrainingRequest,
  cards: readonly LanguageModelCard[],
  options: ProgramOptions = {},
): Promise<FitResult> {
  checkRecipe(request.recipe);
  const opened = await openCheckpointFolder(request.from, cards);
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
        letters: [request.training, request.validation].map((letters) => sha256Hex(letters.join("\n"))),
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
  const possible = {
    learningRate: [learningRate, learningRate > 0, "above 0"],
    weightDecay: [weightDecay, weightDecay >= 0, "of 0 or more"],
    hidden: [hidden, hidden > 0 && hidden <= 1, "above 0 and up to 1"],
  } as const;
  for (const [name, [value, holds, expected]] of Object.entries(possible)) {
    if (!(holds && Number.isFinite(value)))
      throw new InputError(`${name} is ${value}; a number ${expected} is expected`);
  }
}

function encoded(
  { tokenizer, architecture }: CheckpointFolder,
  sequences: readonly string[],
): readonly Row[] {
  return sequences.map((letters, i) => {
    const { ids } = tokenizer.encode(letters);
    if (ids.length <= architecture.maxTokens) return { ids };
    throw new InputError(
      `sequence ${i} makes ${ids.length} tokens, but the model takes at most ${architecture.maxTokens}`,
      { hint: "train on shorter sequences, or begin with a checkpoint of a longer context" },
    );
  });
}

interface TrainableLoss {
  readonly loss: Sym;
  /** Every weight that the loss depends on, with its first value. */
  readonly trained: ReadonlyMap<string, NdArray>;
  readonly frozen: ReadonlyMap<string, ParameterSource>;
}

/** Adapts nothing: a model that comes with factors computes all of its parts in the graph, where its weights may change. */
const noFactors = () => new LoraAdapters({ rank: 1, alpha: 1, dropout: 0 }, [], false);

async function lossOf(
  { architecture, parameters, read }: CheckpointFolder,
  rows: readonly Row[],
  { device = "cpu" }: ProgramOptions,
): Promise<TrainableLoss> {
  const model = architecture.adapted(noFactors());
  const loops = runsLoopsWell(await workingDevice(device));
  const known = model.fixedLength || (model.recurrent === true && !loops);
  if (known) requireEqualLength(rows);
  const length: Dim = known ? (rows[0]?.ids.length ?? 0) : "t";
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

/** What a model is shown of some rows. */
function tokenTargets(
  { card, tokenizer }: CheckpointFolder,
  rows: readonly Row[],
  places: Int32Array,
  { seed, hidden = HIDDEN }: PretrainingRecipe,
  epoch: number,
): readonly TokenTargets[] {
  return [...places].map((place) =>
    card.kind === "causal"
      ? nextTokenTargets(tokenizer, rows[place])
      : maskedTokenTargets(tokenizer, rows[place], place, { share: hidden, seed, epoch }),
  );
}

function targetsOf(opened: CheckpointFolder, rows: readonly Row[], recipe: PretrainingRecipe): ExampleSource {
  const pad = padOf(opened, rows);
  return {
    examples: rows.length,
    batch: async (places, { epoch }) => feedsOf(tokenTargets(opened, rows, places, recipe, epoch), pad),
  };
}

/** The same tokens are hidden after every epoch, so that its losses can be compared. */
function validationOf(
  opened: CheckpointFolder,
  rows: readonly Row[],
  recipe: PretrainingRecipe,
  loss: Sym,
): Validation {
  const pad = padOf(opened, rows);
  const shown = tokenTargets(opened, rows, Int32Array.from(rows.keys()), recipe, -1);
  if (rows.length > 0 && !shown.some(({ counted }) => counted.includes(1))) {
    throw new InputError("no token of the validation sequences is to be guessed", {
      hint: "give more sequences, or longer ones",
    });
  }
  return {
    data: {
      examples: rows.length,
      batch: async (places) =>
        feedsOf(
          [...places].map((place) => shown[place]),
          pad,
        ),
    },
    batchSize: recipe.batchSize,
    outputs: { loss },
    tally() {
      let sum = 0;
      let total = 0;
      return {
        add({ loss: mean }, _feeds, places) {
          const count = places.reduce((all, place) => all + countedIn(shown[place].counted), 0);
          sum += Number(mean!.data[0]) * count;
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
  throw new InputError("the sequences are not equally long, and this model cannot be padded", {
    hint: "train it on sequences of one length",
  });
}

/** The trained weights among those that no training changes, beside copies of the first checkpoint's other files. */
async function writeCheckpoint(
  { architecture, read }: CheckpointFolder,
  { from, folder }: PretrainingRequest,
  trained: ReadonlyMap<string, NdArray>,
): Promise<void> {
  const tensors = architecture.tensors.map(({ name, shape, dtype = "float32" as const }) => ({
    ...{ name, shape, dtype },
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
