import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { sharedGenome } from "../shared-genomes.ts";
import { folderOfFile } from "../temporary-folder.ts";
import { runCommand } from "./collecting-terminal.ts";

const folder = folderOfFile();
let data: string;
beforeAll(async () => {
  data = dirname((await sharedGenome({ seed: 0, scale: 0.1 })).genome);
  await writeFile(join(folder, "suite.json"), JSON.stringify(suite));
});

const suite = {
  format: "dart-eval suite",
  formatVersion: 1,
  name: "synthetic",
  title: "what a Markov model can do",
  rows: [
    {
      task: "regulatory-elements",
      inputs: { elements: "regulatory-elements.tsv", genome: "genome.fa" },
      settings: { "zero-shot": {}, probed: {} },
    },
    ...["african-caqtls", "yoruban-dsqtls"].map((set) => ({
      task: "variant-effects",
      inputs: { variants: `variants/${set}.tsv`, genome: "genome.fa", dataset: set },
      settings: { "zero-shot": { sample: { significant: 6, control: 9 } } },
    })),
  ],
};

const run = (out: string, ...more: readonly string[]) =>
  runCommand([
    ...["run", "--suite", join(folder, "suite.json"), "--data", data],
    ...["--model", "kmer-markov:order=2", "--out", join(folder, out), ...more],
  ]);

test("several tasks and data sets are one run, one folder and one report", async () => {
  const { exitCode, printed, said } = await run("run", "--protocol", "both");
  expect([exitCode, said]).toEqual([
    0,
    expect.stringContaining("cannot be evaluated on regulatory-elements × probed"),
  ]);
  expect(printed).toMatch(/Regulatory elements, zero-shot/);
  expect(printed).toMatch(/Variant effects, african-caqtls \(custom data\), zero-shot/);
  expect(printed).toMatch(/Variant effects, yoruban-dsqtls \(custom data\), zero-shot/);
  const plan = JSON.parse(await readFile(join(folder, "run/paper/plan.json"), "utf8")) as {
    cells: { cell: { task: string; sample?: object }; rows: { selected: number } }[];
  };
  expect(plan.cells.map(({ cell, rows }) => [cell.task, cell.sample ?? null, rows.selected])).toEqual([
    ["regulatory-elements", null, expect.any(Number)],
    ["variant-effects", { significant: 6, control: 9 }, 15],
    ["variant-effects", { significant: 6, control: 9 }, 15],
  ]);
  const report = await runCommand(["report", join(folder, "run"), "--format", "md"]);
  expect(report.printed).toContain("yoruban");
  // The same command finds everything done.
  expect((await run("run", "--protocol", "both")).exitCode).toBe(0);
});

test("--task, --setting and --limit restrict a suite", async () => {
  const { exitCode, printed } = await run(
    "cut",
    "--task",
    "regulatory-elements",
    "--setting",
    "zero-shot",
    "--limit",
    "5",
  );
  expect([exitCode, printed.includes("Variant")]).toEqual([0, false]);
  expect(printed).toMatch(/kmer-markov.* 5 /);
});

test.each([
  [["--recipe", "epocs=1"], 'no recipe of the suite synthetic has "epocs"'],
  [["--recipe", "epochs=1", "--setting", "zero-shot"], 'has "epochs"'],
  [["--genome", "hg38.fa"], "--genome cannot be used with --suite"],
  [["--data", "elsewhere"], "the folder with its files"],
  [["--task", "motif-footprinting"], 'no task "motif-footprinting"'],
])("%j is refused", async (more, message) => {
  const { exitCode, said } = await run("refused", ...more);
  expect([exitCode, said]).toEqual([2, expect.stringContaining(message)]);
});

test("lists and prints suites; requires a task or a suite", async () => {
  expect((await runCommand(["suites"])).printed).toMatch(/^dart-eval .*\nmini .*±0\.03/);
  const { printed } = await runCommand(["suites", "mini"]);
  expect(JSON.parse(printed)).toMatchObject({ format: "dart-eval suite", name: "mini" });
  const { exitCode, said } = await runCommand(["run", "--model", "x", "--out", join(folder, "none")]);
  expect([exitCode, said]).toEqual([2, expect.stringContaining("no task given")]);
});

test("refuses a task or setting that the suite lacks", async () => {
  const setting = await run("typo", "--setting", "zero-shot", "probd");
  expect([setting.exitCode, setting.said]).toEqual([2, expect.stringContaining('no setting "probd"')]);
  const task = await run("typo", "--task", "regulatory-elements", "variant-efects");
  expect([task.exitCode, task.said]).toEqual([2, expect.stringContaining('no task "variant-efects"')]);
  expect((await runCommand(["suites", "mini:x"])).said).toContain('"x" is not a half-width');
});
