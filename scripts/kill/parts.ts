import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesIn } from "../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";

/** A long-running part of the command. */
export interface Part {
  readonly name: string;
  /** Arguments of `dart-eval`, for an output folder. */
  words(out: string): readonly string[];
  /** Commands that run before the part, for an output folder. */
  readonly before?: (out: string) => readonly (readonly string[])[];
  /** Part of the short form: needs no training. */
  readonly cheap?: true;
}

/** Sizes for a training run of a second. */
const TINY_BPNET = {
  inputLength: 256,
  outputLength: 100,
  dilatedLayers: 1,
  firstKernel: 9,
  profileKernel: 13,
  filters: 4,
};
const CHROMBPNET_RECIPE = {
  bias: TINY_BPNET,
  accessibility: TINY_BPNET,
  biasThreshold: 20,
  outlierQuantile: 0.999,
  negativesPerPeak: 1,
  jitter: 20,
  epochs: 3,
  batchSize: 8,
};

/**
 * Writes a synthetic genome into a folder and declares the parts that read it.
 *
 * @param folder  new
 */
export async function killParts(folder: string): Promise<readonly Part[]> {
  const genome = join(folder, "genome");
  await writeSyntheticGenome(genome, { seed: 0, scale: 0.1 });
  const files = filesIn(genome);
  const recipe = join(folder, "recipe.json");
  await writeFile(recipe, JSON.stringify(CHROMBPNET_RECIPE));
  const elements = ["--task", "regulatory-elements", "--split", "all", "--genome", files.genome];
  const run = (...more: readonly string[]) => [
    "run",
    ...elements,
    ...["--data", files.regulatoryElements, "--no-timing"],
    ...more,
  ];
  const markov = (...more: readonly string[]) =>
    run("--model", "kmer-markov:order=3", "--limit", "40", "--batch-size", "2", ...more);
  const training =
    (setting: string, model: string, ...recipe: readonly string[]) =>
    (out: string) =>
      run(...["--setting", setting, "--model", model, "--limit", "8", "--out", out, "--recipe", ...recipe]);
  const rows = ["trainRows=16", "valRows=8", "batchSize=4", "evaluationBatchSize=8"];
  const line = files.cellLines.K562;
  return [
    {
      name: "build regulatory-elements",
      words: (out) => [
        "build",
        "regulatory-elements",
        "--ccres",
        files.elements,
        "--out",
        join(out, "elements.tsv"),
      ],
      cheap: true,
    },
    {
      name: "build motif-footprinting",
      words: (out) => [
        ...["build", "motif-footprinting", "--motifs", files.motifs, "--backgrounds", files.backgrounds],
        ...["--out", join(out, "footprints.tsv")],
      ],
      cheap: true,
    },
    {
      name: "run zero-shot",
      words: (out) => run("--model", "toy:hyenadna", "--limit", "40", "--batch-size", "4", "--out", out),
      cheap: true,
    },
    {
      name: "run --jobs 2",
      words: (out) =>
        run(
          ...["--setting", "zero-shot", "probed", "--model", "toy:hyenadna", "kmer-markov:order=3"],
          ...["--limit", "8", "--jobs", "2", "--position-scores", "1", "--out", out],
          ...["--recipe", "epochs=2", ...rows],
        ),
    },
    { name: "run probed", words: training("probed", "toy:hyenadna", "epochs=4", ...rows) },
    {
      name: "run probed --embeddings recompute",
      words: (out) => [
        ...training("probed", "toy:hyenadna", "epochs=4", ...rows)(out),
        ...["--embeddings", "recompute"],
      ],
    },
    { name: "run fine-tuned", words: training("fine-tuned", "toy:hyenadna", "epochs=2", ...rows) },
    { name: "run ab-initio", words: training("ab-initio", "probing-head-like", "epochs=4", ...rows) },
    {
      name: "chrombpnet train",
      words: (out) => [
        ...["chrombpnet", "train", "--genome", files.genome, "--signal", line.signal, "--peaks", line.peaks],
        ...["--nonpeaks", line.nonPeaks, "--recipe", recipe, "--threads", "1", "--out", out],
      ],
    },
    {
      name: "merge",
      words: (out) => ["merge", out],
      before: (out) => ["1/2", "2/2"].map((shard) => markov("--shard", shard, "--out", out)),
      cheap: true,
    },
    {
      name: "report",
      words: (out) => ["report", join(out, "run"), "--out", join(out, "report.html")],
      before: (out) => [markov("--out", join(out, "run"))],
      cheap: true,
    },
  ];
}
