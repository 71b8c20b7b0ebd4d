import { join } from "node:path";
import { cachedDigest } from "../../base/cached-digest.ts";
import { InputError } from "../../base/errors.ts";
import { temporaryFolder } from "../../base/folder.ts";
import { pieces } from "../../models/language/collate.ts";
import { openProgram, type ParameterSource, type ProgramOptions } from "../../net/runtime/program.ts";
import { readArrays } from "../../net/train/fit-state.ts";
import type { Prediction } from "../tasks/prediction.ts";
import type { Example } from "../tasks/task.ts";
import type { Learner } from "./learner.ts";
import { evaluationRows } from "./learner-memory.ts";
import { PartPrograms } from "./part-programs.ts";
import type { Answerer, SettingContext, WeightsFile } from "./setting.ts";
import { predictionsOf } from "./supervision.ts";
import { programOptionsOf, trainLearner } from "./train-learner.ts";
import { trainOnce } from "./train-once.ts";
import { trainingIdentity } from "./training-identity.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import { noteTraining, trainingFolder } from "./training-record.ts";
import { supervisionOf, trainingRows } from "./training-rows.ts";

export interface TrainedSetting {
  readonly setting: string;
  readonly recipe: TrainingRecipe;
  readonly learner: Learner;
}

/**
 * Trains a network, unless a cell of the run has trained it, and answers with it. What was trained lies in a folder of the run
 * that is named by the training's identity, so that every cell with the same finds it; a run in memory trains in a folder that
 * is removed at once. Closes the learner in the end, whatever happens.
 */
export async function trainedAnswerer(context: SettingContext, trained: TrainedSetting): Promise<Answerer> {
  return closingOnError(trained.learner, async () => {
    const { parameters, training } = await trainedParameters(context, trained);
    return { training, ...(await answererWith(parameters, context, trained)) };
  });
}

/**
 * Answers with the weights of a file instead of training. Closes the learner in the end, whatever happens.
 *
 * @throws {FormatError} when its tensors are not those of the network
 * @throws {InputError} when the file is no longer the one that the run was planned with
 */
export async function loadedAnswerer(
  context: SettingContext,
  loaded: Pick<TrainedSetting, "setting" | "learner">,
  { file, sha256 }: WeightsFile,
): Promise<Answerer> {
  return closingOnError(loaded.learner, async () => {
    if ((await cachedDigest(file)) !== sha256) {
      throw new InputError("the weights changed after the run was planned", {
        place: { file },
        hint: "start the run again; other weights need another folder",
      });
    }
    return answererWith(await loaded.learner.load(file), context, loaded);
  });
}

async function closingOnError(learner: Learner, open: () => Promise<Answerer>): Promise<Answerer> {
  try {
    return await open();
  } catch (error) {
    await learner.close();
    throw error;
  }
}

async function answererWith(
  parameters: ReadonlyMap<string, ParameterSource>,
  context: SettingContext,
  { setting, learner }: Pick<TrainedSetting, "setting" | "learner">,
): Promise<Answerer> {
  const supervision = supervisionOf(context, setting);
  const sources = new Map([...learner.frozen, ...parameters]);
  const program = await answeringProgram(learner, sources, programOptionsOf(context));
  const atOnce = evaluationRows(learner, context.task.task.members.length);
  return {
    async answer(examples) {
      const predictions: Prediction[] = [];
      for (const some of pieces(examples, atOnce)) {
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

/** The learner's own graph, or those of the parts that it answers in. */
async function answeringProgram(
  learner: Learner,
  sources: ReadonlyMap<string, ParameterSource>,
  options: ProgramOptions,
) {
  const { answer } = learner;
  if (answer !== undefined) {
    const programs = new PartPrograms(sources, options);
    return {
      answer: async (examples: readonly Example[]) => programs.run(await answer(examples)),
      close: () => programs.close(),
    };
  }
  const program = await openProgram({ output: learner.output }, sources, options);
  return {
    answer: async (examples: readonly Example[]) =>
      (await program.run(await learner.feeds(examples))).output!,
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
    throw new InputError("this is another training than the one that is wanted here", {
      place: { file: folder },
      hint: "was the folder copied from another run? Move it away and start again",
    });
  }
  trained.learner.adopt?.(training);
  if (context.folder !== undefined) await noteTraining(context.folder, training);
  return { training, parameters: await readArrays(join(folder, "best.safetensors")) };
}
