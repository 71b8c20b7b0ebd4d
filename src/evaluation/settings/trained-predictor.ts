import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { cachedDigest } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { clearDeadLock, LockHeld, takeLock } from "../../base/file-lock.ts";
import { temporaryFolder } from "../../base/folder.ts";
import { chunks } from "../../models/language/collate.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { deviceKind } from "../../net/runtime/device.ts";
import {
  openProgram,
  type ParameterSource,
  type Program,
  type ProgramOptions,
} from "../../net/runtime/program.ts";
import { readArrays } from "../../net/train/fit-state.ts";
import type { Prediction } from "../tasks/prediction.ts";
import type { Example } from "../tasks/task-rows.ts";
import { evaluationRows, type InferencePart, type Learner } from "./learner.ts";
import type { RowPredictor, SettingContext, WeightsFile } from "./setting.ts";
import { outputValues, predictionsOf } from "./supervision.ts";
import { programOptionsOf, trainLearner } from "./train-learner.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import {
  noteTraining,
  readTrainingRecord,
  type TrainingRecord,
  trainingFolder,
  writeTrainingRecord,
} from "./training-record.ts";
import { supervisionOf, trainingIdentity, trainingRows } from "./training-rows.ts";

export interface TrainedSetting {
  readonly setting: string;
  readonly recipe: TrainingRecipe;
  readonly learner: Learner;
}

/**
 * Trains a network, unless another cell of the run has trained it, and predicts with it. Training runs have
 * folders named by their identities, so that all cells with the same identity share one; a run in memory
 * trains in a temporary folder. Closes the learner in any case.
 */
export async function trainedPredictor(
  context: SettingContext,
  trained: TrainedSetting,
): Promise<RowPredictor> {
  return closingOnError(trained.learner, async () => {
    const { parameters, training } = await trainedParameters(context, trained);
    return { training, ...(await predictorWith(parameters, context, trained)) };
  });
}

/**
 * Predicts with the weights of a file instead of training. Closes the learner in any case.
 *
 * @throws {FormatError} when its tensors are not those of the network
 * @throws {InputError} when the file is no longer the one that the run was planned with
 */
export async function loadedPredictor(
  context: SettingContext,
  loaded: Pick<TrainedSetting, "setting" | "learner">,
  { file, sha256 }: WeightsFile,
): Promise<RowPredictor> {
  return closingOnError(loaded.learner, async () => {
    if ((await cachedDigest(file)) !== sha256) {
      throw new InputError("the weights changed after the run was planned", {
        place: { file },
        hint: "start the run again; other weights need another folder",
      });
    }
    return predictorWith(await loaded.learner.load(file), context, loaded);
  });
}

async function closingOnError(learner: Learner, open: () => Promise<RowPredictor>): Promise<RowPredictor> {
  try {
    return await open();
  } catch (error) {
    await learner.close();
    throw error;
  }
}

async function predictorWith(
  parameters: ReadonlyMap<string, ParameterSource>,
  context: SettingContext,
  { setting, learner }: Pick<TrainedSetting, "setting" | "learner">,
): Promise<RowPredictor> {
  const supervision = supervisionOf(context, setting);
  const sources = new Map([...learner.frozen, ...parameters]);
  const program = await inferenceProgram(learner, sources, programOptionsOf(context));
  const atOnce = evaluationRows(learner, context.task.task.members.length, deviceKind(context.device));
  return {
    async predict(examples) {
      const predictions: Prediction[] = [];
      for (const some of chunks(examples, atOnce)) {
        predictions.push(...predictionsOf(supervision, some, await program.answer(some)));
      }
      return predictions;
    },
    async close() {
      await program.close();
      await learner.close();
    },
  };
}

/** Program of the learner's graph, or of the graphs of its parts. */
async function inferenceProgram(
  learner: Learner,
  sources: ReadonlyMap<string, ParameterSource>,
  options: ProgramOptions,
) {
  const { inferenceParts: answer } = learner;
  if (answer !== undefined) {
    const programs = new PartPrograms(sources, options);
    return {
      answer: async (examples: readonly Example[]) => programs.run(await answer(examples)),
      close: () => programs.close(),
    };
  }
  const program = await openProgram({ output: learner.output }, sources, options);
  return {
    answer: async (examples: readonly Example[]) => (await program.run(await learner.feeds(examples))).output,
    close: () => program.close(),
  };
}

async function trainedParameters(context: SettingContext, trained: TrainedSetting) {
  await using temporary = context.trained === undefined ? await temporaryFolder() : undefined;
  const rows = trainingRows(context, trained.recipe);
  const identity = trainingIdentity(context, trained.setting, rows);
  const folder = trainingFolder(context.trained ?? temporary!.path, identity);
  const training = await trainOnce(
    folder,
    () => trainLearner(context, { ...trained, rows, identity, folder }),
    {
      signal: context.signal,
      onWait: (why) =>
        context.onStage?.({
          stage: "waiting for another process to train",
          done: 0,
          total: 1,
          rowsPerSecond: undefined,
          secondsLeft: undefined,
          note: `waiting for another process to train: ${why}`,
        }),
    },
  );
  if (training.identity !== identity) {
    throw new InputError("the training record belongs to another training run", {
      place: { file: folder },
      hint: "was the folder copied from another run? Move it away and start again",
    });
  }
  trained.learner.adopt?.(training);
  if (context.folder !== undefined) await noteTraining(context.folder, training);
  return { training, parameters: await readArrays(join(folder, "best.safetensors")) };
}

export interface TrainOnceOptions {
  readonly signal: AbortSignal | undefined;
  /** Called once when another process trains. */
  readonly onWait: (why: string) => void;
  /** Milliseconds between checks. Default: 3000. */
  readonly pause?: number;
}

/**
 * Trains into a folder unless it is already trained. Of several processes on shards of one cell, one trains
 * and the others wait; if it is killed, another resumes from its last state.
 *
 * @param train  trains; its record is written afterwards
 * @throws the signal's reason when it aborts while waiting
 */
export async function trainOnce(
  folder: string,
  train: () => Promise<TrainingRecord>,
  { signal, onWait, pause = 3000 }: TrainOnceOptions,
): Promise<TrainingRecord> {
  const lock = join(folder, "training.lock");
  for (let waits = 0; ; waits++) {
    const done = await readTrainingRecord(folder);
    if (done !== undefined) {
      // Left by a process that was killed after it wrote the record.
      await clearDeadLock(lock);
      return done;
    }
    try {
      await using _lock = await takeLock(lock, { signal, onWatch: onWait });
      // Another process may have finished meanwhile.
      const record = (await readTrainingRecord(folder)) ?? (await train());
      await writeTrainingRecord(folder, record);
      return record;
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      if (waits === 0) onWait(error.describe());
    }
    signal?.throwIfAborted();
    await setTimeout(pause, undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    );
  }
}

/** Maximum open programs; consecutive parts mostly share their graphs. */
const KEPT_OPEN = 4;

/** Runs parts of rows, each with its own graph of the same parameters. */
export class PartPrograms {
  /** The least recently used first. */
  private readonly opened = new Map<Sym, Program>();

  constructor(
    private readonly sources: ReadonlyMap<string, ParameterSource>,
    private readonly options: ProgramOptions = {},
  ) {}

  /**
   * Outputs of all sequences of the parts, in their order.
   *
   * @returns  float32 [sequences, outputs]
   */
  async run(parts: readonly InferencePart[]): Promise<NdArray> {
    const sequences = parts.reduce((count, part) => count + part.sequences.length, 0);
    let all: Float32Array | undefined;
    let outputs = 0;
    for (const { output: graph, sequences: indices, feeds } of parts) {
      const program = await this.programOf(graph);
      const { output } = await program.run(feeds);
      const values = outputValues(output);
      outputs = values.length / indices.length;
      all ??= new Float32Array(sequences * outputs);
      for (const [i, index] of indices.entries()) {
        all.set(values.subarray(i * outputs, (i + 1) * outputs), index * outputs);
      }
    }
    return { dtype: "float32", shape: [sequences, outputs], data: all ?? new Float32Array(0) };
  }

  private async programOf(graph: Sym): Promise<Program> {
    const found =
      this.opened.get(graph) ?? (await openProgram({ output: graph }, this.sources, this.options));
    this.opened.delete(graph);
    this.opened.set(graph, found);
    const [oldest] = this.opened;
    if (this.opened.size > KEPT_OPEN && oldest !== undefined) {
      this.opened.delete(oldest[0]);
      await oldest[1].close();
    }
    return found;
  }

  async close(): Promise<void> {
    const programs = [...this.opened.values()];
    this.opened.clear();
    for (const program of programs) await program.close();
  }
}
