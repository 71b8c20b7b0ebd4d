import { join } from "node:path";
import { cachedDigest } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { checkWritableFolder } from "../../base/folder.ts";
import { counted } from "../../base/message-text.ts";
import { openBigWig } from "../../dna/genome/bigwig.ts";
import { CHROMOSOME_SPLIT } from "../../dna/genome/chromosome-split.ts";
import { openGenome } from "../../dna/genome/genome.ts";
import { readChrombpnet } from "../../models/chrombpnet/read-keras.ts";
import { readRegions } from "../../models/chrombpnet/regions.ts";
import {
  type ChrombpnetRecipe,
  PUBLISHED_RECIPE,
  readChrombpnetRecipe,
} from "../../models/chrombpnet/training/recipe.ts";
import { type Fold, foldOf, readFold } from "../../models/chrombpnet/training/region-selection.ts";
import { trainChrombpnet } from "../../models/chrombpnet/training/train.ts";
import { writeTrained } from "../../models/chrombpnet/training/write-trained.ts";
import type { TrainingDevice } from "../../net/runtime/device.ts";
import type { FitEvent } from "../../net/train/fit-state.ts";
import {
  type DefineCommand,
  examples,
  shellWord,
  trainingDeviceOption,
  wholeNumberOption,
} from "../command.ts";
import { type Progress, startProgress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

interface TrainOptions {
  readonly genome: string;
  readonly signal: string;
  readonly peaks: string;
  readonly nonpeaks: string;
  readonly out: string;
  readonly bias?: string;
  readonly fold?: string;
  readonly recipe?: string;
  readonly device: TrainingDevice;
  readonly threads?: number;
}

/** The split of the benchmark. */
const BENCHMARK_FOLD: Fold = {
  train: CHROMOSOME_SPLIT.train,
  valid: CHROMOSOME_SPLIT.val,
  test: CHROMOSOME_SPLIT.test,
};

export const defineChrombpnetTrain: DefineCommand = (command, context) => {
  const { terminal } = context;
  command
    .description(
      "Trains a ChromBPNet with the published recipe: first the bias model on non-peaks with few reads, then accessibility with the bias frozen. The same command resumes an interrupted training run.",
    )
    .requiredOption("--genome <file>", "FASTA (plain or bgzip) or 2bit")
    .requiredOption("--signal <bigwig>", "reads per base: 5' ends of DNase-seq or shifted ATAC-seq reads")
    .requiredOption("--peaks <bed>", "peaks; narrowPeak files are centred on the summit")
    .requiredOption("--nonpeaks <bed>", "regions without a peak, matched in GC content")
    .requiredOption("--out <folder>", "output folder for the model and the training state")
    .option("--bias <h5>", "a trained bias model of the same enzyme")
    .option("--fold <json>", "chromosomes for training, validation and test (default: the benchmark's split)")
    .option("--recipe <json>", 'overrides of the published recipe, such as {"epochs": 20}')
    .addOption(trainingDeviceOption("device of the training; a run resumes on the device that began it"))
    .option("--threads <n>", "CPU threads", wholeNumberOption(1))
    .addHelpText(
      "after",
      examples({
        "as published":
          "dart-eval chrombpnet train --genome hg38.fa --signal K562.bw --peaks peaks.bed.gz --nonpeaks nonpeaks.bed.gz --out k562",
        "evaluate it on task 4":
          "dart-eval run --task chromatin-activity --setting predicted --model chrombpnet:k562/chrombpnet.h5 ...",
      }),
    )
    .action(async (options: TrainOptions) => {
      context.resume = "Run the same command again to resume training.";
      await checkWritableFolder(options.out);
      const recipe =
        options.recipe === undefined ? PUBLISHED_RECIPE : await readChrombpnetRecipe(options.recipe);
      const fold = options.fold === undefined ? BENCHMARK_FOLD : await readFold(options.fold);
      await using genome = await openGenome(options.genome);
      const signal = await openBigWig(options.signal);
      const shown = showTraining(terminal);
      try {
        const bias = options.bias === undefined ? undefined : await readBias(options.bias, recipe);
        const [peaks, nonpeaks] = [
          await readRegions(options.peaks, genome),
          await readRegions(options.nonpeaks, genome),
        ];
        const partOf = foldOf(fold);
        terminal.say(`${counted(peaks.length, "peak")}, ${counted(nonpeaks.length, "non-peak")}`);
        const trained = await trainChrombpnet({
          genome,
          signal,
          peaks,
          nonpeaks,
          partOf: (region) => {
            const part = partOf(region);
            return part === "valid" ? "validation" : part === "train" ? part : undefined;
          },
          recipe,
          ...(bias === undefined ? {} : { bias }),
          folder: join(options.out, "state"),
          identity: {
            genome: await genome.digest(),
            signal: await signal.digest(),
            peaks: await cachedDigest(options.peaks),
            nonpeaks: await cachedDigest(options.nonpeaks),
            fold,
          },
          program: {
            device: options.device,
            ...(options.threads === undefined ? {} : { threads: options.threads }),
          },
          onProgress: shown.report,
          abort: context.signal,
        });
        shown.stop();
        const files = await writeTrained(options.out, trained, recipe);
        for (const file of Object.values(files)) terminal.say(`wrote ${file}`);
        terminal.say(
          `next: dart-eval run --task chromatin-activity --setting predicted --model ${shellWord(`chrombpnet:${files.chrombpnet}`)} ...`,
        );
      } finally {
        shown.stop();
        await signal.close();
      }
    });
};

async function readBias(path: string, { accessibility }: ChrombpnetRecipe) {
  const { bias, accessibility: other } = await readChrombpnet(path);
  if (bias === undefined || other !== undefined) {
    throw new InputError("this is not a bias model of ChromBPNet", { place: { file: path } });
  }
  for (const length of ["inputLength", "outputLength"] as const) {
    if (bias.sizes[length] !== accessibility[length]) {
      throw new InputError(`${length} is ${bias.sizes[length]}; the recipe has ${accessibility[length]}`, {
        place: { file: path },
      });
    }
  }
  return bias;
}

/** Shows a bar of batches, and a line for each epoch. */
function showTraining(terminal: Terminal) {
  let progress: Progress | undefined;
  const stop = () => {
    progress?.stop();
    progress = undefined;
  };
  const report = (network: string, event: FitEvent) => {
    switch (event.kind) {
      case "resumed":
        terminal.say(`${network}: resumes with epoch ${event.epoch}, batch ${event.batch}`);
        break;
      case "batch":
        progress ??= startProgress(terminal, { unit: "rows", total: event.examples });
        progress.update(event.seen, {
          rowsPerSecond: event.examplesPerSecond,
          secondsLeft: event.secondsLeft,
        });
        break;
      case "epoch": {
        stop();
        const { epoch, trainLoss, validation } = event.record;
        const losses = `training loss ${trainLoss.toFixed(3)}, validation loss ${validation.val_loss.toFixed(3)}`;
        terminal.say(`${network}: epoch ${epoch}: ${losses}${event.best ? ", best so far" : ""}`);
        break;
      }
    }
  };
  return { report, stop };
}
