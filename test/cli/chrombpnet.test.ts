import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CellLineFiles, SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { openBigWig } from "../../src/dna/genome/bigwig.ts";
import { readChrombpnet } from "../../src/models/chrombpnet/read-keras.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

let folder: string;
let files: SyntheticFiles;
let line: CellLineFiles;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-chrombpnet-cli-"));
  files = await sharedGenome({ seed: 0, scale: 0.1 });
  line = files.cellLines.K562;
  const sizes = { filters: 2, dilatedLayers: 2 };
  // The non-peaks of this genome have as many reads as its peaks' lowest percent.
  const recipe = { bias: sizes, accessibility: sizes, epochs: 1, jitter: 20, biasThreshold: 5 };
  await writeFile(at("recipe.json"), JSON.stringify(recipe));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const training = (...more: readonly string[]) => [
  ...["chrombpnet", "train", "--genome", files.genome, "--signal", line.signal],
  ...["--peaks", line.peaks, "--nonpeaks", line.nonPeaks, "--recipe", at("recipe.json")],
  ...["--threads", "1", ...more],
];

test("train writes models that predict, run in a task, and serve as a bias model", async () => {
  const trained = await runCommand(training("--out", at("model")));
  expect(trained.said).toContain("accessibility: epoch 0");
  expect(trained.exitCode).toBe(0);
  expect(trained.said).toContain(`--setting predicted --model chrombpnet:${at("model/chrombpnet.h5")}`);
  const summary = JSON.parse(await readFile(at("model/training.json"), "utf8"));
  expect([summary.recipe.seed, summary.recipe.bias.filters]).toEqual([1234, 2]);
  expect(summary.accessibility.peaks).toBeGreaterThan(20);
  expect(summary.bias.countsWeight).toBeGreaterThan(0);

  const model = at("model/chrombpnet.h5");
  const predicted = await runCommand([
    ...[
      "chrombpnet",
      "predict",
      "--model",
      model,
      "--genome",
      files.genome,
      "--regions",
      line.confidentPeaks,
    ],
    ...["--counts", at("counts.tsv"), "--profile", at("profile.bw"), "--both-strands", "--threads", "1"],
  ]);
  expect(predicted.exitCode).toBe(0);
  const [header, ...rows] = (await readFile(at("counts.tsv"), "utf8")).trimEnd().split("\n");
  expect(header).toBe("chr\tstart\tend\tlog_counts");
  expect(predicted.said).toContain(`predicted ${rows.length} regions`);
  const [chrom, start, end, logCounts] = rows.at(-1)!.split("\t");
  const profile = await openBigWig(at("profile.bw"));
  const [sum] = await profile.sums([{ chrom, start: Number(start), end: Number(end) }]);
  await profile.close();
  expect(Number(end) - Number(start)).toBe(1000);
  expect(sum / Math.exp(Number(logCounts))).toBeCloseTo(1, 4);

  const { exitCode, printed } = await runCommand([
    ...[
      "run",
      "--task",
      "chromatin-activity",
      "--setting",
      "predicted",
      "--model",
      `mine=chrombpnet:${model}`,
    ],
    ...["--out", at("run"), "--genome", files.genome, "--data", `peaks=${line.peaksTable}`],
    ...[`idr=${line.confidentPeaksTable}`, `nonpeaks=${line.nonPeaksTable}`, `signal=${line.signal}`],
    ...["cell-line=K562", "--no-timing"],
  ]);
  expect(exitCode).toBe(0);
  expect(printed).toMatch(/mine .*\d\.\d/);

  const again = await runCommand(training("--bias", at("model/bias.h5"), "--out", at("again")));
  expect(again.exitCode).toBe(0);
  expect(again.said).not.toContain("bias: epoch");
  // HDF5 notes when an array was written, so the files differ in some bytes.
  expect(await readChrombpnet(at("again/bias.h5"))).toEqual(await readChrombpnet(at("model/bias.h5")));
});

test("reports errors before training", async () => {
  const notBias = await runCommand(training("--bias", at("recipe.json"), "--out", at("no")));
  expect([notBias.exitCode, notBias.said]).toEqual([2, expect.stringContaining("this is not an HDF5 file")]);
  await writeFile(at("recipe2.json"), `{"epoch": 3}`);
  const recipe = await runCommand(training("--recipe", at("recipe2.json"), "--out", at("no")));
  expect([recipe.exitCode, recipe.said]).toEqual([2, expect.stringContaining("not a recipe")]);
  await writeFile(at("fold.json"), `{"train": ["chr1"], "valid": []}`);
  const fold = await runCommand(training("--fold", at("fold.json"), "--out", at("no")));
  expect([fold.exitCode, fold.said]).toEqual([2, expect.stringContaining("not a fold")]);
  const nothing = await runCommand([
    ...["chrombpnet", "predict", "--model", at("x.h5"), "--genome", files.genome, "--regions", line.peaks],
  ]);
  expect([nothing.exitCode, nothing.said]).toEqual([2, expect.stringContaining("no output file given")]);
});
