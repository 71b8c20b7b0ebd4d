import { InputError } from "../../base/errors.ts";
import { checkWritableFile } from "../../base/folder.ts";
import { counted } from "../../base/message-text.ts";
import { valueAt } from "../../base/record.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import { bigWigBytes } from "../../dna/genome/write-bigwig.ts";
import { windowCodes } from "../../dna/sequence/encoding.ts";
import { Chrombpnet } from "../../models/chrombpnet/chrombpnet.ts";
import { expectedProfile } from "../../models/chrombpnet/predictor.ts";
import { NearestProfiles, type Region, readRegions, windowAround } from "../../models/chrombpnet/regions.ts";
import { count } from "../../report/numbers.ts";
import {
  type Context,
  type DefineCommand,
  examples,
  OutputFileOption,
  wholeNumberOption,
} from "../command.ts";
import { startProgress } from "../progress.ts";
import { defineChrombpnetTrain } from "./chrombpnet-train.ts";

export const defineChrombpnet: DefineCommand = (command, context) => {
  command.description(
    "Trains ChromBPNet, a bias-factorized model of chromatin accessibility at base resolution, and predicts with it.",
  );
  defineChrombpnetTrain(
    command.command("train").summary("train a model from a bigWig, peaks and non-peaks"),
    context,
  );
  defineChrombpnetPredict(command.command("predict").summary("predict the signal in regions"), context);
};

interface PredictOptions {
  readonly model: string;
  readonly genome: string;
  readonly regions: string;
  readonly counts?: string;
  readonly profile?: string;
  readonly bothStrands?: boolean;
  readonly threads?: number;
}

const defineChrombpnetPredict: DefineCommand = (command, context) => {
  command
    .description("Predicts the reads in regions: total counts and base-resolution profiles.")
    .requiredOption("--model <h5>", "model file: bias, chrombpnet or chrombpnet_nobias")
    .requiredOption("--genome <file>", "FASTA (plain or bgzip) or 2bit")
    .requiredOption("--regions <bed>", "regions; narrowPeak files are centred on the summit")
    .addOption(new OutputFileOption("--counts <tsv>", "output file: predicted ln(1 + reads) of each region"))
    .addOption(
      new OutputFileOption(
        "--profile <bigwig>",
        "output file: predicted reads per base; in overlaps from the region with the nearest centre",
      ),
    )
    .option("--both-strands", "average the predictions for both strands")
    .option("--threads <n>", "CPU threads", wholeNumberOption(1))
    .addHelpText(
      "after",
      examples({
        "both files":
          "dart-eval chrombpnet predict --model k562/chrombpnet.h5 --genome hg38.fa --regions peaks.bed --counts counts.tsv --profile predicted.bw",
      }),
    )
    .action((options: PredictOptions) => predict(options, context));
};

/** Predicts all regions in batches, then writes the requested files. */
async function predict(options: PredictOptions, { terminal, signal }: Context): Promise<void> {
  await checkOutputs(options);
  await using genome = await openGenome(options.genome);
  const regions = await readRegions(options.regions, genome);
  if (options.profile !== undefined) checkFits(regions, genome);
  const model = await Chrombpnet.open(options.model, {
    strands: options.bothStrands === true ? "both" : "one",
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  const progress = startProgress(terminal, { unit: "rows", total: regions.length });
  try {
    const lines = ["chr\tstart\tend\tlog_counts\n"];
    const profiles = new NearestProfiles(genome.chromosomes);
    for (let from = 0; from < regions.length; from += model.batchSize) {
      const batch = regions.slice(from, from + model.batchSize);
      const predictions = await model.predict(await inputCodes(batch, model, genome), signal);
      for (const [i, prediction] of predictions.entries()) {
        const { chrom, start, end } = windowAround(batch[i], model.outputLength);
        lines.push(`${chrom}\t${start}\t${end}\t${prediction.logCounts}\n`);
        if (options.profile !== undefined) profiles.add(batch[i], expectedProfile(prediction));
      }
      progress.update(from + batch.length);
    }
    if (options.counts !== undefined) await writeFileAtomic(options.counts, lines.join(""));
    if (options.profile !== undefined) await writeFileAtomic(options.profile, bigWigBytes(profiles.signal()));
  } finally {
    progress.stop();
    await model.close();
  }
  terminal.say(`predicted ${counted(regions.length, "region")}`);
}

async function checkOutputs({ counts, profile }: PredictOptions): Promise<void> {
  if (counts === undefined && profile === undefined) {
    throw new InputError("no output file given", {
      hint: "use --counts FILE, --profile FILE or both",
    });
  }
  for (const file of [counts, profile]) if (file !== undefined) await checkWritableFile(file);
}

/** Base codes of the model's input windows around regions. */
async function inputCodes(
  regions: readonly Region[],
  { inputLength }: Chrombpnet,
  genome: Genome,
): Promise<readonly Uint8Array[]> {
  const codes: Uint8Array[] = [];
  for (const region of regions) {
    const { chrom, start, end } = windowAround(region, inputLength);
    codes.push(windowCodes(await genome.chromosome(chrom), start, end));
  }
  return codes;
}

/** Limits of a bigWig file, which is built in memory. */
const MAX_BASES = 5e8;
const MAX_REGIONS = 20_000;

function checkFits(regions: readonly Region[], { chromosomes }: Genome): void {
  const names = new Set(regions.map(({ chrom }) => chrom));
  const bases = [...names].reduce((sum, name) => sum + valueAt(chromosomes, name), 0);
  if (bases <= MAX_BASES && regions.length <= MAX_REGIONS) return;
  throw new InputError(
    `--profile: ${counted(regions.length, "region")} on chromosomes of ${count(bases)} bases do not fit in memory`,
    { hint: `use regions of one chromosome at a time, at most ${count(MAX_REGIONS)}, or only --counts` },
  );
}
