import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { sharedGenome } from "../../shared-genomes.ts";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const example = join(repository, "examples", "adapter.py");
const python = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]).status === 0;

const source = readFileSync(example, "utf8");

test("the example has at most twenty lines, and imports the standard library alone", () => {
  expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
  expect(source.match(/^(import|from) .*$/gm)).toEqual(["import json, math, sys"]);
});

// Skipped without python3.
describe.skipIf(!python)("the Python adapter [needs python3, at least 3.8]", () => {
  test("looks scores up in its table", async () => {
    const model = await openModel(`stdio:python3 ${example}`);
    onTestFinished(async () => void (await model.close()));
    expect(model).toMatchObject({ name: "cpg-depleted", identity: "adapter cpg-depleted 1", kind: "causal" });
    const scores = await model.logLikelihood(["ACG", "", "A"], { protocol: "corrected" });
    const [acg, none, a] = Array.from(scores);
    expect(acg).toBeCloseTo(Math.log(0.25) + Math.log(0.17) + Math.log(0.05), 12);
    expect([none, a]).toEqual([0, Math.log(0.25)]);
    await expect(model.logLikelihood(["ANA"], { protocol: "corrected" })).rejects.toThrow(
      /adapter.py reports: KeyError\('AN'\)/,
    );
  });

  test("ties every element with its dinucleotide shuffle, as in exact arithmetic", async () => {
    const files = await sharedGenome({ seed: 0, scale: 0.5 });
    const model = await openModel(`stdio:python3 ${example}`);
    onTestFinished(async () => void (await model.close()));
    const inputs = { elements: files.regulatoryElements, genome: files.genome };
    const { metrics, counts, ties } = await evaluate({ task: "regulatory-elements", inputs, model });
    expect(counts.rows).toBeGreaterThan(100);
    expect(counts.ties).toBe(counts.rows);
    expect(metrics[0].value).toBe(0.5);
    expect(ties!.byRounding).toBeGreaterThan(counts.rows / 4);
    expect(ties!.tolerance).toBeLessThan(1e-10);
    const paper = await evaluate({ task: "regulatory-elements", inputs, model, protocol: "paper" });
    expect(paper.ties).toBeUndefined();
    expect(paper.counts.ties).toBeLessThan(counts.rows);
  }, 120_000);

  test("conforms", async () => {
    const { exitCode, printed, said } = await runCommand(["models", "conform", `stdio:python3 ${example}`]);
    expect(printed).toMatch(/^cpg-depleted, log-likelihood\n {2}ok {4}answers/);
    expect(printed).not.toContain("FAULT");
    expect(said).toBe("");
    expect(exitCode).toBe(0);
  });

  const table = "log_likelihood(sequence) for sequence in request";
  test.each([
    [
      "strand",
      table,
      `log_likelihood(sequence.translate(str.maketrans("ACGT", "TGCA"))[::-1]) for sequence in request`,
    ],
    ["causal-shift", "LOG[a + b] for a, b in zip(sequence, sequence[1:])", "LOG[b + b] for b in sequence"],
    ["special-tokens", "math.log(0.25) * len(sequence[:1])", "math.log(0.25) * len(sequence[:1]) - 5"],
    ["k-mer-offset", table, "log_likelihood(sequence[1:]) for sequence in request"],
    ["truncation", table, "log_likelihood(sequence[:512]) for sequence in request"],
    [
      "finite",
      table,
      `float("nan") if "AAAAA" in sequence else log_likelihood(sequence) for sequence in request`,
    ],
    [
      "padding",
      table,
      `log_likelihood(sequence) + (max(map(len, request["sequences"])) - len(sequence)) * math.log(0.2) for sequence in request`,
    ],
  ])("conform finds a planted fault: %s", async (check, before, after) => {
    expect(source).toContain(before);
    const file = join(temporaryFolder(), "adapter.py");
    writeFileSync(file, source.replace(before, after));
    const { exitCode, printed, said } = await runCommand(["models", "conform", `stdio:python3 ${file}`]);
    expect(printed.match(/FAULT [\w-]+/g)).toEqual([`FAULT ${check}`]);
    expect(said).toMatch(/Scores of this model are not reliable/);
    expect(exitCode).toBe(1);
  });

  test("is evaluated like any model, and so is its score table", async () => {
    const folder = temporaryFolder();
    const files = await sharedGenome({ seed: 0, scale: 0.2 });
    const run = async (model: string, out: string) => {
      const { exitCode, printed, said } = await runCommand([
        ...[
          "run",
          "--task",
          "regulatory-elements",
          "--genome",
          files.genome,
          "--data",
          files.regulatoryElements,
        ],
        ...["--model", model, "--out", join(folder, out), "--json"],
      ]);
      expect(exitCode, said).toBe(0);
      return JSON.parse(printed)[0].result;
    };
    const result = await run(`stdio:python3 ${example}`, "run");
    expect(result.cell.model).toEqual({ name: "cpg-depleted", identity: "adapter cpg-depleted 1" });
    // The shuffle keeps dinucleotides, so a model of them ties except for the order of summation.
    expect(Math.abs(result.published.mean_diff)).toBeLessThan(1e-9);
    const cell = readdirSync(join(folder, "run")).find((name) => /^[0-9a-f]{8}$/.test(name))!;
    const again = await run(`mine=${join(folder, "run", cell, "scores.tsv")}`, "again");
    expect(again.cell.model.name).toBe("mine");
    expect(again.metrics).toEqual(result.metrics);
  });
});
