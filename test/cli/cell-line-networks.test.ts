import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { CellLine } from "../../src/datasets/cell-lines.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import type { CellResult } from "../../src/evaluation/runs/stored-results.ts";
import { networksOf, readChrombpnet } from "../../src/models/chrombpnet/read-keras.ts";
import { writeChrombpnet } from "../../src/models/chrombpnet/write-keras.ts";
import { toyFolder } from "../../src/models/open-checkpoint.ts";
import { scratchFiles } from "../scratch-files.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();
const LINES = ["GM12878", "K562"] as const;
let files: SyntheticFiles;

/** Writes the toy with each of these numbers added to its predicted ln(1 + reads), by path. */
async function writeShifted(shifts: Readonly<Record<string, number>>): Promise<void> {
  const toy = await readChrombpnet(`${await toyFolder("chrombpnet")}/chrombpnet.h5`);
  const biases = networksOf(toy).map(({ arrays }) => arrays.get("counts.bias")!.data as Float32Array);
  const values = biases.map(([value]) => value);
  for (const [path, shift] of Object.entries(shifts)) {
    biases.forEach((bias, i) => {
      bias[0] = values[i] + shift;
    });
    await writeChrombpnet(scratch.path(path), toy);
  }
}

beforeAll(async () => {
  files = await sharedGenome({ seed: 0, scale: 0.1 });
  for (const folder of ["lines", "folds", "folds/GM12878", "named"]) await mkdir(scratch.path(folder));
  await writeShifted({
    "lines/GM12878.h5": 0,
    "lines/K562.h5": 1,
    "folds/GM12878/fold_0.h5": 1,
    "folds/GM12878/fold_1.h5": 4,
    "folds/GM12878/bias.h5": 9,
    "named/GM12878.fold_0.h5": 1,
    "named/GM12878.fold_1.h5": 4,
  });
  const place = (path: string) => relative(dirname(files.genome), path);
  const rows = [
    ...LINES.map((line: CellLine) => ({
      task: "chromatin-activity",
      inputs: {
        genome: place(files.genome),
        peaks: place(files.cellLines[line].peaksTable),
        idr: place(files.cellLines[line].confidentPeaksTable),
        nonpeaks: place(files.cellLines[line].nonPeaksTable),
        signal: place(files.cellLines[line].signal),
        "cell-line": line,
      },
      settings: { predicted: { limit: 12 } },
    })),
    {
      task: "variant-effects",
      inputs: {
        variants: place(files.africanVariants),
        genome: place(files.genome),
        "cell-line": "GM12878",
      },
      settings: { predicted: { limit: 6 } },
    },
  ];
  const suite = { format: "dart-eval suite", formatVersion: 1, name: "lines", title: "predicted", rows };
  await scratch.write("suite.json", JSON.stringify(suite));
});

const suite = (model: string, out: string, ...more: readonly string[]) =>
  runCommand([
    ...["run", "--suite", scratch.path("suite.json"), "--data", dirname(files.genome), "--device", "cpu"],
    ...["--model", model, "--out", scratch.path(out), "--no-timing", ...more],
  ]);

async function scoresOf(out: string, { identity }: CellResult): Promise<readonly (readonly number[])[]> {
  const text = await readFile(scratch.path(`${out}/${identity.slice(0, 8)}/scores.tsv`), "utf8");
  const lines = text.trimEnd().split("\n").slice(1);
  return lines.map((line) => line.split("\t").map(Number));
}

const resultsOf = (printed: string) =>
  (JSON.parse(printed) as { result: CellResult }[]).map(({ result }) => result);

test("a suite predicts each cell line with its own network", async () => {
  const per = await suite(`chrombpnet:${scratch.path("lines/{cell-line}.h5")}`, "per", "--json");
  expect([per.exitCode, per.said.includes("with one network")]).toEqual([0, false]);
  const one = await suite("toy:chrombpnet", "one", "--json");
  expect(one.exitCode).toBe(0);
  expect(one.said).toContain('"chrombpnet-toy" predicts the activity of GM12878, K562 with one network');
  expect(one.said).toContain("chrombpnet:FOLDER/{cell-line}.h5");
  const [results, toys] = [resultsOf(per.printed), resultsOf(one.printed)];
  expect(results.map(({ cell, family }) => [cell.dataset, cell.model.name, family])).toEqual([
    ["GM12878", "chrombpnet", "chrombpnet"],
    ["K562", "chrombpnet", "chrombpnet"],
    ["african-caqtls", "chrombpnet", "chrombpnet"],
  ]);
  for (const [i, shift] of [0, 1, 0].entries()) {
    const [own, toy] = [await scoresOf("per", results[i]), await scoresOf("one", toys[i])];
    expect(own.length).toBeGreaterThan(5);
    own.forEach((row, at) => {
      expect(row.at(-1)! - toy[at].at(-1)!).toBeCloseTo(shift, 4);
    });
  }
  // The same command resumes: networks are known by their contents.
  expect((await suite(`chrombpnet:${scratch.path("lines/{cell-line}.h5")}`, "per")).exitCode).toBe(0);
});

const activity = (model: string, out: string, line: CellLine, ...more: readonly string[]) => {
  const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = files.cellLines[line];
  return runCommand([
    ...["run", "--task", "chromatin-activity", "--setting", "predicted", "--genome", files.genome],
    ...["--data", `peaks=${peaksTable}`, `idr=${confidentPeaksTable}`, `nonpeaks=${nonPeaksTable}`],
    ...[`signal=${signal}`, `cell-line=${line}`, "--model", model, "--out", scratch.path(out), "--json"],
    ...["--device", "cpu", "--limit", "12", "--no-timing", ...more],
  ]);
};

/** Scores of the toy itself on GM12878. */
let toyScores: Promise<readonly (readonly number[])[]> | undefined;

test.each([
  ["folds/{cell-line}/fold_*.h5", "chrombpnet"],
  ["named/{cell-line}.h5", "chrombpnet"],
  ["folds/GM12878/fold_*.h5", "GM12878"],
])("averages the folds of %s", async (pattern, name) => {
  const out = `folds-${pattern.replaceAll(/\W/g, "_")}`;
  const { exitCode, said, printed } = await activity(`chrombpnet:${scratch.path(pattern)}`, out, "GM12878");
  expect([exitCode, said]).toEqual([0, expect.any(String)]);
  const [result] = resultsOf(printed);
  expect(result.cell.model.name).toBe(name);
  expect(result.cell.model.identity).toContain("mean of 2 folds");
  toyScores ??= activity("toy:chrombpnet", "toy", "GM12878").then(({ printed }) =>
    scoresOf("toy", resultsOf(printed)[0]),
  );
  const [own, plain] = [await scoresOf(out, result), await toyScores];
  own.forEach((row, at) => {
    expect(row.at(-1)! - plain[at].at(-1)!).toBeCloseTo(2.5, 4);
  });
});

test("scores of a run, given as activities, give the same metrics", async () => {
  const model = `mine=chrombpnet:${scratch.path("lines/{cell-line}.h5")}`;
  const [first] = resultsOf((await activity(model, "first", "K562")).printed);
  expect(first.cell.model.name).toBe("mine");
  const table = scratch.path(`first/${first.identity.slice(0, 8)}/scores.tsv`);
  const again = await activity(`scores:answers=activity,family=chrombpnet,${table}`, "again", "K562");
  expect(resultsOf(again.printed)[0]).toMatchObject({ family: "chrombpnet", metrics: first.metrics });
});

test("a missing network, and a task without a cell line, are errors", async () => {
  const lines = `chrombpnet:${scratch.path("lines/{cell-line}.h5")}`;
  const missing = await activity(lines, "missing", "IMR90");
  expect(missing.exitCode).toBe(2);
  expect(missing.said).toMatch(/lines\/IMR90\.h5: no such file, nor one of .*IMR90\.fold_\*/);
  const words = ["run", "--task", "variant-effects", "--setting", "predicted", "--genome", files.genome];
  const variants = ["--data", `variants=${files.africanVariants}`, "--model", lines];
  const without = await runCommand([...words, ...variants, "--out", scratch.path("without")]);
  expect([without.exitCode, without.said]).toEqual([2, expect.stringContaining("cell-line=NAME")]);
  await writeFile(scratch.path("folds/GM12878/fold_2.h5"), "no HDF5");
  const broken = await activity(`chrombpnet:${scratch.path("folds/GM12878/*.h5")}`, "broken", "GM12878");
  expect([broken.exitCode, broken.said]).toEqual([2, expect.stringContaining("fold_2.h5")]);
  expect(await readdir(scratch.path("."))).not.toContain("broken");
});
