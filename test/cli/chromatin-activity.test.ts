import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readActivityWindows } from "../../src/datasets/chromatin-activity/windows.ts";
import type { CellLineFiles, SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { splitPartOf } from "../../src/dna/genome/chromosome-split.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

let folder: string;
let files: SyntheticFiles;
let line: CellLineFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-activity-cli-"));
  files = await sharedGenome({ seed: 0, scale: 0.2 });
  line = files.cellLines.GM12878;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const building = (out: string, ...more: readonly string[]) => [
  ...["build", "chromatin-activity", "--cell-line", "GM12878", "--out", join(folder, out)],
  ...["--peaks", line.peaks, "--idr", line.confidentPeaks, ...more],
];

test("build writes the tables and prints the run command", async () => {
  const { exitCode, said } = await runCommand(building("given", "--nonpeaks", line.nonPeaks));
  expect(exitCode).toBe(0);
  expect(said).toContain("next: dart-eval run --task chromatin-activity --data peaks=");
  for (const [name, expected] of [
    ["peaks", line.peaksTable],
    ["idr", line.confidentPeaksTable],
    ["nonpeaks", line.nonPeaksTable],
  ] as const) {
    const file = join(folder, "given", `GM12878_${name}.bed`);
    expect(await readFile(file, "utf8"), name).toBe(await readFile(expected, "utf8"));
  }
});

test("build samples two non-peaks per training peak and one per test peak", async () => {
  const { exitCode, said } = await runCommand(
    building("found", "--genome", files.genome, "--exclude", line.confidentPeaks),
  );
  expect(exitCode).toBe(0);
  const nonpeaks = await readActivityWindows(join(folder, "found", "GM12878_nonpeaks.bed"));
  const peaks = await readActivityWindows(line.peaksTable);
  const of = (rows: typeof peaks, part: string) =>
    rows.filter(({ chrom }) => splitPartOf(chrom) === part).length;
  const missing = Number(/(\d+) non-peaks are missing/.exec(said)?.[1] ?? 0);
  const wanted = 2 * of(peaks, "train") + 2 * of(peaks, "val") + of(peaks, "test");
  expect(nonpeaks.length + missing).toBe(wanted);
  expect(of(nonpeaks, "test")).toBeLessThanOrEqual(of(peaks, "test"));
  // Elements are so dense in this genome that few bins lie away from all peaks.
  expect(nonpeaks.length).toBeGreaterThan(10);
});

test("build requires one source of non-peaks and a valid cell line", async () => {
  const both = await runCommand(building("no", "--nonpeaks", line.nonPeaks, "--genome", files.genome));
  expect([both.exitCode, both.said]).toEqual([2, expect.stringContaining("leave one of the two out")]);
  const neither = await runCommand(building("no"));
  expect([neither.exitCode, neither.said]).toEqual([2, expect.stringContaining("use one of the two")]);
  const words = building("no", "--nonpeaks", line.nonPeaks).map((word) =>
    word === "GM12878" ? "../x" : word,
  );
  const { exitCode, said } = await runCommand(words);
  expect([exitCode, said]).toEqual([2, expect.stringContaining("cannot be part of a file name")]);
});

test("run names the cell line in the plan, the table and the report", async () => {
  const model = join(folder, "cpg.mjs");
  await writeFile(
    model,
    `export default {
  name: "cpg",
  predictActivity: (sequences) => sequences.map((letters) => letters.split("CG").length / 10),
};
`,
  );
  const out = join(folder, "run");
  const words = [
    ...["run", "--task", "chromatin-activity", "--setting", "predicted", "--model", model, "--out", out],
    ...["--genome", files.genome, "--data", `peaks=${line.peaksTable}`, `idr=${line.confidentPeaksTable}`],
    ...[`nonpeaks=${line.nonPeaksTable}`, `signal=${line.signal}`, "cell-line=GM12878", "--no-timing"],
  ];
  const { exitCode, printed, said } = await runCommand(words);
  expect(said).toContain("chromatin-activity GM12878 × cpg × predicted");
  expect(exitCode).toBe(0);
  expect(printed).toContain("Chromatin activity, GM12878 (custom data), predicted");
  expect(printed).toContain("Spearman ρ, peaks");
  const report = await runCommand(["report", out]);
  expect(report.printed).toContain("Chromatin activity, GM12878 (custom data), predicted");
  expect(report.printed).toMatch(/AUROC, high-confidence peaks against non-peaks/);
});
