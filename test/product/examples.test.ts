import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { repository } from "../source-files.ts";

let folder: string;
let files: SyntheticFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-examples-"));
  ({ files } = await writeSyntheticGenome(join(folder, "genome"), { seed: 0, scale: 0.3 }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function printedBy(example: string, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", join("examples", example), ...words],
    { cwd: repository },
  );
  return stdout;
}

test("every example is run here", () => {
  expect(
    readdirSync(join(repository, "examples"))
      .filter((name) => name.endsWith(".ts"))
      .sort(),
  ).toEqual([
    "a-graph.ts",
    "own-model.ts",
    "own-task.ts",
    "report.ts",
    "windows-and-controls.ts",
    "zero-shot.ts",
  ]);
});

test("zero-shot: a Markov model finds the planted elements", async () => {
  const printed = await printedBy("zero-shot.ts", files.genome, files.regulatoryElements);
  const [, value, low, high] = /^kmer-markov-5: ([\d.]+) \[([\d.]+), ([\d.]+)\]/.exec(printed)!.map(Number);
  expect(value).toBeGreaterThan(0.55);
  expect(low).toBeLessThan(value!);
  expect(high).toBeGreaterThan(value!);
});

test("own-model: one that only counts letters ties on every pair", async () => {
  const printed = await printedBy("own-model.ts", files.genome, files.regulatoryElements);
  const [, value, pairs, ties] = /paired accuracy ([\d.]+) over (\d+) pairs, (\d+) ties/
    .exec(printed)!
    .map(Number);
  expect(pairs).toBeGreaterThan(50);
  expect(ties).toBe(pairs);
  expect(value).toBe(0.5);
});

test("own-task: a Markov model is asked something else", async () => {
  const printed = await printedBy("own-task.ts", files.genome, files.elements);
  const [, value, low, high, rows] = /^paired accuracy ([\d.]+) \[([\d.]+), ([\d.]+)\] over (\d+) windows/
    .exec(printed)!
    .map(Number);
  expect(rows).toBeGreaterThan(50);
  expect(low).toBeGreaterThan(0.5); // CpG and the like are read in one direction
  expect(value).toBeLessThan(high!);
});

test("windows-and-controls: the control keeps its pairs", async () => {
  const printed = await printedBy("windows-and-controls.ts", files.genome);
  expect(printed).toContain("the control differs: true, its pairs of letters do not: true");
});

test("a-graph: rows of a softmax add up to one", async () => {
  const lines = (await printedBy("a-graph.ts")).trim().split("\n").slice(-2);
  for (const line of lines) {
    const shares = line.split("  ").map(Number);
    expect(shares).toHaveLength(3);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 3);
  }
});

test("report: three models on one page", async () => {
  const printed = await printedBy("report.ts", files.genome, files.regulatoryElements, folder);
  expect(printed.trim().split("\n")).toHaveLength(3);
  const page = await readFile(join(folder, "report.html"), "utf8");
  for (const order of [2, 5, 8]) expect(page).toContain(`<th scope="row">kmer-markov-${order}</th>`);
});

test.each(["own-model.ts", "own-task.ts", "report.ts", "windows-and-controls.ts", "zero-shot.ts"])(
  "%s without its files says how it is used",
  async (example) => {
    const { code, stderr } = await printedBy(example).catch((error) => error);
    expect(code).toBe(2);
    // The line that stands above its code.
    const [, usage] = /^\/\/ {3}(npx tsx .*)$/m.exec(
      await readFile(join(repository, "examples", example), "utf8"),
    )!;
    expect(stderr).toBe(`usage: ${usage}\n`);
  },
);
