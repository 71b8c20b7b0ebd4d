import { join } from "node:path";
import { temporaryFolder } from "../../base/temporary-folder.ts";
import { openProgram } from "../../net/runtime/program.ts";
import { readArrays } from "../../net/train/fit-state.ts";
import type { Classifier } from "./classifier.ts";
import type { Answerer, SettingContext } from "./setting.ts";
import { classificationOf, predictionsOf, trainClassifier } from "./train-classifier.ts";
import { trainOnce } from "./train-once.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import { trainedFolder } from "./training-record.ts";

export interface TrainedSetting {
  readonly setting: string;
  readonly recipe: TrainingRecipe;
  readonly classifier: Classifier;
}

/**
 * Trains a classifier into the cell's folder, unless it lies there trained, and answers with it. A run in memory trains in a
 * folder that is removed at once. Closes the classifier in the end, whatever happens.
 */
export async function trainedAnswerer(context: SettingContext, trained: TrainedSetting): Promise<Answerer> {
  const { classifier, setting } = trained;
  const { classes } = classificationOf(context, setting);
  try {
    const { parameters, training } = await trainedParameters(context, trained);
    const sources = new Map([...classifier.frozen, ...parameters]);
    const program = await openProgram({ logits: classifier.logits }, sources);
    return {
      training,
      async answer(examples) {
        if (examples.length === 0) return [];
        const { logits } = await program.run(await classifier.feeds(examples));
        return predictionsOf(examples, logits!, classes);
      },
      async close() {
        await program.close();
        await classifier.close();
      },
    };
  } catch (error) {
    await classifier.close();
    throw error;
  }
}

async function trainedParameters(context: SettingContext, trained: TrainedSetting) {
  await using temporary = context.folder === undefined ? await temporaryFolder() : undefined;
  const folder = trainedFolder(context.folder ?? temporary!.path);
  const training = await trainOnce(folder, () => trainClassifier(context, { ...trained, folder }), {
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
  });
  return { training, parameters: await readArrays(join(folder, "best.safetensors")) };
}
