import { join } from "node:path";
import { evaluate, openModel } from "dart-eval";
import { writeFileAtomic } from "../../src/base/write-file.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { openBigWig } from "../../src/dna/genome/bigwig.ts";
import { splitPartOf } from "../../src/dna/genome/chromosome-split.ts";
import { openGenome } from "../../src/dna/genome/genome.ts";
import type { Estimate } from "../../src/metrics/intervals.ts";
import { type Region, readRegions } from "../../src/models/chrombpnet/regions.ts";
import { type TrainedChrombpnet, trainChrombpnet } from "../../src/models/chrombpnet/training/train.ts";
import { writeChrombpnet } from "../../src/models/chrombpnet/write-keras.ts";
import type { EpochRecord } from "../../src/net/train/fit-state.ts";
import { GENOME } from "./corpus.ts";
import { CHROMBPNET } from "./recipes.ts";

type Found = Pick<Estimate, "value" | "low" | "high" | "n">;

/** Training and evaluation of the ChromBPNet toy: training.json next to its weights. */
export interface ChrombpnetRecord {
  readonly cellLine: string;
  readonly recipe: typeof CHROMBPNET.recipe;
  /** Of both networks. */
  readonly parameters: number;
  /** Regions that trained and validated accessibility. */
  readonly regions: { readonly peaks: number; readonly nonpeaks: number };
  readonly countsWeight: number;
  /** Per epoch: the total loss on the training regions during it and on the validation regions after it. */
  readonly losses: Readonly<Record<"bias" | "accessibility", readonly (readonly [number, number])[]>>;
  /** On the demo's genome: peaks against non-peaks, and effects of the African variants. */
  readonly auroc: Found;
  readonly pearson: Found;
}

/** Trains on reads of the genome that the other toys are trained on, without its test chromosomes. */
export async function trainChrombpnetToy(work: string, folder: string): Promise<void> {
  const began = process.cpuUsage();
  const { files } = await writeSyntheticGenome(join(work, "training-genome"), GENOME);
  const trained = await trainOn(files, join(work, "chrombpnet"));
  const { user, system } = process.cpuUsage(began);
  console.log(`chrombpnet: ${Math.round((user + system) / 1e6)} s of one core`);

  const { scaledBias: bias, accessibility, biasFit, accessibilityFit, accessibilitySelection } = trained;
  await writeChrombpnet(join(folder, "chrombpnet.h5"), { bias, accessibility });
  const record: ChrombpnetRecord = {
    ...CHROMBPNET,
    parameters: [bias, accessibility]
      .flatMap(({ arrays }) => [...arrays.values()])
      .reduce((sum, { data }) => sum + data.length, 0),
    regions: {
      peaks: accessibilitySelection.peaks.length,
      nonpeaks: accessibilitySelection.nonpeaks.length,
    },
    countsWeight: accessibilitySelection.countsWeight,
    losses: { bias: lossesOf(biasFit!.history), accessibility: lossesOf(accessibilityFit.history) },
    ...(await metricsOf(join(work, "genome"))),
  };
  await writeFileAtomic(join(folder, "training.json"), `${JSON.stringify(record, null, 2)}\n`);
}

const lossesOf = (history: readonly EpochRecord[]) =>
  history.map(({ trainLoss, validation }) => [trainLoss, validation.val_loss] as const);

async function trainOn(files: SyntheticFiles, folder: string): Promise<TrainedChrombpnet> {
  const { peaks, nonPeaks, signal: reads } = files.cellLines[CHROMBPNET.cellLine];
  await using genome = await openGenome(files.genome);
  const signal = await openBigWig(reads);
  try {
    return await trainChrombpnet({
      genome,
      signal,
      partOf,
      recipe: CHROMBPNET.recipe,
      folder,
      program: { threads: 1 },
      peaks: await readRegions(peaks, genome),
      nonpeaks: await readRegions(nonPeaks, genome),
      identity: [GENOME, await genome.digest(), await signal.digest()],
      onProgress(network, event) {
        if (event.kind !== "epoch") return;
        const { epoch, trainLoss, validation } = event.record;
        console.log(
          `${network} epoch ${epoch}: ${trainLoss.toFixed(2)} ${validation.val_loss.toFixed(2)}, counts ${validation.val_counts_loss.toFixed(3)}`,
        );
      },
    });
  } finally {
    await signal.close();
  }
}

function partOf({ chrom }: Region) {
  const part = splitPartOf(chrom);
  return part === "val" ? "validation" : part === "train" ? part : undefined;
}

/** Metrics of the demo's tasks. */
export async function metricsOf(folder: string): Promise<Pick<ChrombpnetRecord, "auroc" | "pearson">> {
  const { files } = await writeSyntheticGenome(folder, { seed: 0, scale: 1 });
  const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = files.cellLines[CHROMBPNET.cellLine];
  const model = await openModel("toy:chrombpnet", { threads: 1 });
  const estimate = async (task: string, inputs: Readonly<Record<string, string>>, metric: string) => {
    const request = { task, inputs: { genome: files.genome, ...inputs }, setting: "predicted", model };
    const { metrics } = await evaluate(request);
    const [{ value, low, high, n }] = metrics.find(({ name }) => name === metric)!.intervals;
    console.log(`chrombpnet, ${task}: ${metric} ${value} [${low}, ${high}] over ${n}`);
    return { value, low, high, n };
  };
  try {
    const tables = { peaks: peaksTable, idr: confidentPeaksTable, nonpeaks: nonPeaksTable };
    const cellLine = { signal, "cell-line": CHROMBPNET.cellLine };
    return {
      auroc: await estimate("chromatin-activity", { ...tables, ...cellLine }, "auroc"),
      pearson: await estimate("variant-effects", { variants: files.africanVariants }, "pearson"),
    };
  } finally {
    await model.close?.();
  }
}
