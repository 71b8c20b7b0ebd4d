import { join } from "node:path";
import { asSoleWriter } from "../../../base/file-lock.ts";
import { writeFileAtomic } from "../../../base/write-file.ts";
import type { StoredChrombpnet } from "../read-keras.ts";
import { writeChrombpnet } from "../write-keras.ts";
import type { ChrombpnetRecipe } from "./recipe.ts";
import type { RegionSelection } from "./region-selection.ts";
import type { TrainedChrombpnet } from "./train.ts";

/** Files of a trained ChromBPNet. */
export interface TrainedFiles {
  readonly bias: string;
  readonly chrombpnet: string;
  readonly noBias: string;
  /** Recipe, limits derived from the reads, and losses. */
  readonly summary: string;
}

/**
 * Writes a trained model with the original's file names: `bias.h5`, `chrombpnet.h5`, `chrombpnet_nobias.h5`,
 * and `training.json`.
 *
 * @throws {InputError} when a file cannot be written
 */
export async function writeTrained(
  folder: string,
  trained: TrainedChrombpnet,
  recipe: ChrombpnetRecipe,
): Promise<TrainedFiles> {
  const files: TrainedFiles = {
    bias: join(folder, "bias.h5"),
    chrombpnet: join(folder, "chrombpnet.h5"),
    noBias: join(folder, "chrombpnet_nobias.h5"),
    summary: join(folder, "training.json"),
  };
  const { bias, scaledBias, accessibility, biasFit, biasSelection, accessibilityFit } = trained;
  const write = (path: string, model: StoredChrombpnet) =>
    asSoleWriter(path, () => writeChrombpnet(path, model));
  await write(files.bias, { bias });
  await write(files.chrombpnet, { bias: scaledBias, accessibility });
  await write(files.noBias, { accessibility });
  const summary = {
    recipe,
    bias: biasFit &&
      biasSelection && { ...regions(biasSelection), best: biasFit.best, epochs: biasFit.history },
    accessibility: {
      ...regions(trained.accessibilitySelection),
      best: accessibilityFit.best,
      epochs: accessibilityFit.history,
    },
  };
  await writeFileAtomic(files.summary, `${JSON.stringify(summary, null, 2)}\n`);
  return files;
}

const regions = ({ peaks, nonpeaks, fewestReads, mostReads, countsWeight }: RegionSelection) => ({
  peaks: peaks.length,
  nonpeaks: nonpeaks.length,
  fewestReads,
  mostReads,
  countsWeight,
});
