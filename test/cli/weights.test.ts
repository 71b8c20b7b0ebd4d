import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readResults } from "../../src/evaluation/runs/stored-results.ts";
import { TASKS } from "../../src/evaluation/tasks/catalogue.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import { readArrays } from "../../src/net/train/fit-state.ts";
import { provenanceSection } from "../../src/report/provenance.ts";
import { gatherReport } from "../../src/report/report.ts";
import golden from "../golden/checkpoints/expected.json" with { type: "json" };
import { scratchFiles } from "../scratch-files.ts";
import { runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();
const goldenFolder = fileURLToPath(new URL("../golden/checkpoints", import.meta.url));

/** The golden rows are on a test chromosome; the same bases train and validate. */
async function inputs(): Promise<readonly string[]> {
  const chromosomes = ["chr5", "chr1", "chr6"];
  const genome = chromosomes.map((chrom) => `>${chrom}\n${golden.genome}\n`).join("");
  const table = chromosomes.flatMap((chrom) =>
    golden.rows.map(({ start, label }) =>
      [chrom, start, start + 500, start, start + 500, "True", label].join("\t"),
    ),
  );
  const header = "chr\tinput_start\tinput_end\telem_start\telem_end\tis_peak\tlabel";
  return [
    ...["--genome", await scratch.write("genome.fa", genome)],
    ...["--data", `elements=${await scratch.write("elements.tsv", `${[header, ...table].join("\n")}\n`)}`],
  ];
}

async function run(out: string, setting: string, ...more: readonly string[]) {
  return runModel("mistral-dna", out, setting, ...more);
}

async function runModel(family: string, out: string, setting: string, ...more: readonly string[]) {
  return runCommand([
    ...["run", "--task", "cell-type-elements", "--model", `toy:${family}`, "--device", "cpu"],
    ...(await inputs()),
    ...["--setting", setting, "--out", scratch.path(out), ...more],
  ]);
}

const LORA = ["--recipe", "rank=2", "alpha=4"];
/** Timing takes longer than these runs. */
const UNTIMED = "--no-timing";

/** Files of the run's only cell. */
async function cellFile(out: string, name: string): Promise<string> {
  const [cell] = (await readdir(scratch.path(out))).filter((each) => /^[0-9a-f]{8}$/.test(each));
  return readFile(scratch.path(join(out, cell, name)), "utf8");
}

/** Logits of scores.tsv, the last five columns. */
async function logitsOf(out: string): Promise<number[][]> {
  const [, ...lines] = (await cellFile(out, "scores.tsv")).trimEnd().split("\n");
  return lines.map((line) => line.split("\t").slice(-5).map(Number));
}

test.each([
  ["probed", []],
  ["fine-tuned", LORA],
] as const)(
  "%s weights that PyTorch saved give PyTorch's logits, at the epoch of the smallest validation loss",
  async (setting, recipe) => {
    const out = `golden-${setting}`;
    const weights = ["--weights", join(goldenFolder, "{setting}"), UNTIMED, ...recipe];
    const first = await run(out, setting, ...weights, "--shard", "1/2");
    expect(first).toMatchObject({ exitCode: 0 });
    await run(out, setting, ...weights, "--shard", "2/2");
    expect(await runCommand(["merge", scratch.path(out)])).toMatchObject({ exitCode: 0 });

    const expected = golden.logits[setting];
    const logits = await logitsOf(out);
    expect(logits).toHaveLength(expected.length);
    logits.forEach((row, i) => {
      row.forEach((value, k) => {
        expect(Math.abs(value - expected[i][k])).toBeLessThan(1e-4);
      });
    });

    const result = JSON.parse(await cellFile(out, "result.json"));
    expect(result.training).toBeUndefined();
    expect(result.weightsFile).toMatch(/^[~…].*checkpoint_1\.pt$/);
    expect(result.cell.weights).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(result.cell.recipe)).not.toContain("epochs");
    expect(result.notes).toContainEqual(
      expect.stringMatching(/^mistral-dna-toy was not trained in this run\. Weights: .*checkpoint_1\.pt/),
    );
    expect(await readdir(scratch.path(out))).not.toContain("trained");

    const { exitCode, printed } = await runCommand(["report", scratch.path(out)]);
    expect([exitCode, printed]).toEqual([0, expect.stringContaining("was not trained in this run")]);
    const report = await gatherReport(await readResults(scratch.path(out)), { tasks: TASKS });
    expect(String(provenanceSection(report))).toContain(`checkpoint_1.pt, SHA-256 ${result.cell.weights}`);
  },
  120_000,
);

test("weights of a run reproduce its scores byte for byte; other weights need another folder", async () => {
  const recipe = ["--recipe", "epochs=2", "batchSize=5"];
  expect(await run("trained", "probed", ...recipe)).toMatchObject({ exitCode: 0 });
  const [training] = await readdir(scratch.path("trained/trained"));
  const weights = scratch.path(join("trained/trained", training));
  expect(await run("again", "probed", "--weights", weights, UNTIMED, ...recipe)).toMatchObject({
    exitCode: 0,
    said: expect.stringContaining(
      "epochs, batchSize of the recipe have no effect: with given weights nothing is trained",
    ),
  });
  expect(await cellFile("again", "scores.tsv")).toBe(await cellFile("trained", "scores.tsv"));
  const [own, again] = await Promise.all(
    ["trained", "again"].map(async (out) => JSON.parse(await cellFile(out, "metrics.json"))),
  );
  expect(again.metrics).toEqual(own.metrics);

  const other = await run("again", "probed", "--weights", join(goldenFolder, "probed"));
  expect(other.exitCode).toBe(2);
  expect(other.said).toMatch(/the folder has another run: weights is "[0-9a-f]+… there, "[0-9a-f]+… here/);
}, 120_000);

// One family with derived tensors and one with tensors that training may not reach; fine-tuning.test.ts reads
// both files of every family.
test.each(["hyenadna", "mistral-dna"])(
  "adapter and best weights of a fine-tuned %s give the same scores",
  async (family) => {
    const tuned = `tuned-${family}`;
    const few = ["trainRows=2", "valRows=1", "epochs=1", "batchSize=2", "rank=2", "alpha=4"];
    const rows = ["--limit", "3", UNTIMED];
    const trained = await runModel(family, tuned, "fine-tuned", "--recipe", ...few, ...rows);
    expect(trained).toMatchObject({ exitCode: 0 });
    const [training] = await readdir(scratch.path(join(tuned, "trained")));
    for (const name of ["adapter", "best"]) {
      const out = `${name}-${family}`;
      const weights = scratch.path(join(tuned, "trained", training, `${name}.safetensors`));
      const given = await runModel(family, out, "fine-tuned", "--weights", weights, ...LORA, ...rows);
      expect(given).toMatchObject({ exitCode: 0 });
      expect(await cellFile(out, "scores.tsv"), name).toBe(await cellFile(tuned, "scores.tsv"));
    }
  },
  120_000,
);

test("reports unusable weights in one message, before writing, with and without timing", async () => {
  const refused = async (setting: string, weights: string, ...more: readonly string[]) => {
    const { exitCode, said } = await run("refused", setting, "--weights", weights, ...more);
    expect([exitCode, said]).toEqual([2, said]);
    expect(await readdir(scratch.path("."))).not.toContain("refused");
    return said;
  };
  const probe = join(goldenFolder, "probed", "checkpoint_1.pt");
  const tuned = join(goldenFolder, "fine-tuned", "checkpoint_1.pt");
  expect(await refused("probed", tuned)).toMatch(/lacks 8 tensors: conv1\.weight, .*; has unexpectedly/);
  expect(await refused("fine-tuned", probe, UNTIMED, ...LORA)).toMatch(/lacks \d+ tensors: .*conv1\.bias/s);
  expect(await refused("fine-tuned", tuned, UNTIMED)).toMatch(
    /tensor ".*lora_A": has shape \[281, 2\]; expected \[281, 8\]\n {2}expected weights with 5 outputs and the recipe's rank 8/,
  );
  expect(await refused("probed", probe, UNTIMED, "--recipe", "kernel=5")).toMatch(
    /"conv2\.weight": has shape \[32, 32, 8\]; expected \[32, 32, 5\]\n.*positions, kernel/,
  );

  const head = [...(await readArrays(probe))].map(([name, array]) => ({ name, ...array }));
  const cut = scratch.path("cut.safetensors");
  await writeSafetensors(cut, head.slice(1));
  expect(await refused("probed", cut, UNTIMED)).toMatch(/lacks the tensor conv1\.weight\n/);
  await writeSafetensors(cut, [
    ...head,
    { name: "fc2.bias", dtype: "float32", shape: [1], data: Float32Array.of(0) },
  ]);
  expect(await refused("probed", cut)).toMatch(/has unexpectedly the tensor fc2\.bias\n/);

  expect(await refused("probed", scratch.path("nowhere"))).toMatch(/no trained weights found/);
  expect(await refused("probed", join(goldenFolder, "{cell-line}"))).toMatch(/no named data set here/);
  expect(await refused("probed", "{line}/best.safetensors")).toMatch(
    /\{line\} in the path of the weights is not a placeholder/,
  );
  expect(await refused("zero-shot-embedding", probe)).toMatch(/no requested setting takes them/);
}, 120_000);

test.each([
  ["epoch\tval_loss\n0\t0.5\n1\t0.4\n", /lacks checkpoint_1\.pt, the epoch with the smallest val_loss/],
  ["epoch\tval_loss\n0\tnan\n", /no epoch has a val_loss/],
  ["epoch\tval_loss\nepoch\tval_loss\n", /train\.log:2: the line has no numbers for epoch and val_loss/],
  ["epoch\tloss\n0\t1\n", /train\.log:1: the header lacks epoch or val_loss/],
] as const)("a folder whose log is %j names what is wrong", async (log, message) => {
  await mkdir(scratch.path("log"), { recursive: true });
  await scratch.write("log/train.log", log);
  const { exitCode, said } = await run("unlogged", "probed", "--weights", scratch.path("log"));
  expect([exitCode, said]).toEqual([2, expect.stringMatching(message)]);
});
