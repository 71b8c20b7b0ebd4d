import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readBackgrounds } from "../../src/datasets/motif-footprinting/backgrounds.ts";
import { sharedData, testWithSharedData } from "../shared-data.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { runCommand } from "./collecting-terminal.ts";

testWithSharedData(
  "three backgrounds and HOCOMOCO's motifs give DART-Eval's file",
  "task2/raw_seqs_350.txt",
  async (backgrounds) => {
    const out = join(temporaryFolder(), "footprints.tsv");
    const motifs = sharedData("task2/H12CORE_meme_format.meme.gz")!;
    const built = await runCommand([
      "build",
      "motif-footprinting",
      "--motifs",
      motifs,
      "--backgrounds",
      backgrounds,
      "--out",
      out,
    ]);
    expect(built.exitCode).toBe(0);
    expect(built.said).toContain("17,322 sequences, 1,443 motifs in 3 backgrounds");
    expect(createHash("sha256").update(readFileSync(out)).digest("hex")).toBe(
      "1d3a80d021db3f53b4ef44c0974377b4eb5ab2cb6e53f6bf3f723c8d147f2b5d",
    );
  },
);

test("from task 1's controls to a report, under both protocols", async () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  const files = await sharedGenome({ seed: 0, scale: 0.5 });
  const built = await runCommand([
    ...["build", "motif-footprinting", "--motifs", files.motifs, "--elements", files.regulatoryElements],
    ...["--genome", files.genome, "--backgrounds-out", at("raw.txt"), "--out", at("footprints.tsv")],
  ]);
  expect([built.exitCode, built.said]).toEqual([
    0,
    expect.stringContaining("which give 1 of 100 backgrounds"),
  ]);
  expect((await readBackgrounds(at("raw.txt")))[0].length).toBe(350);

  // One background is not representative: evaluates the hundred of the synthetic genome.
  const again = await runCommand([
    ...["build", "motif-footprinting", "--motifs", files.motifs, "--backgrounds", files.backgrounds],
    ...["--out", at("footprints.tsv")],
  ]);
  expect(again.said).toContain("next: dart-eval run --task motif-footprinting --data");
  const run = await runCommand([
    ...["run", "--task", "motif-footprinting", "--data", `footprints=${at("footprints.tsv")}`],
    ...["--data", `families=${files.motifFamilies}`, "--genome", files.genome],
    ...["--model", "kmer-markov:order=7", "kmer-markov:order=1", "--protocol", "both", "--out", at("run")],
    "--no-timing",
  ]);
  expect(run.exitCode).toBe(0);
  expect(run.printed).toMatch(/kmer-markov-7 +corrected +0\.\d{3} \[.*4,000/);
  for (const protocol of ["paper", "corrected"]) {
    const cells = readdirSync(at(`run/${protocol}`)).filter((name) => /^[0-9a-f]{8}$/.test(name));
    expect(cells.length).toBe(2);
    const table = readFileSync(at(`run/${protocol}/${cells[0]}/motifs.tsv`), "utf8").split("\n");
    expect(table[0]).toBe("\tAccuracy\tP-Value\tAccuracy vs Background");
    expect(table.length).toBe(22);
  }
  const report = await runCommand(["report", at("run"), "--out", at("report.html")]);
  expect(report.exitCode).toBe(0);
  const page = readFileSync(at("report.html"), "utf8");
  expect(page).toContain("Difference in accuracy over all motifs, row minus column");
});

test("requires one source of backgrounds", async () => {
  const both = ["--backgrounds", "raw.txt", "--elements", "elements.tsv", "--genome", "hg38.fa"];
  for (const given of [[], both, ["--elements", "elements.tsv"]]) {
    const words = ["build", "motif-footprinting", "--motifs", anyMotifs(), ...given, "--out", "nowhere.tsv"];
    const { exitCode, said } = await runCommand(words);
    expect([exitCode, said]).toEqual([2, expect.stringContaining("expected one source of backgrounds")]);
  }
});

/** Any file of motifs. */
function anyMotifs(): string {
  const text = "MEME version 4\nALPHABET= ACGT\nMOTIF m\nletter-probability matrix: w= 1\n0.1 0.2 0.3 0.4\n";
  const file = join(temporaryFolder(), "m.meme");
  writeFileSync(file, text);
  return file;
}
