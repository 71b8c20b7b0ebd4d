import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeSyntheticGenome } from "../../src/demo/synthetic/write.ts";
import { readResults } from "../../src/evaluation/runs/stored-results.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { nucleotideTransformer } from "../../src/models/language/nucleotide-transformer.ts";
import { checkExactProducts } from "../../src/net/runtime/precision-device.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { runCommand } from "./collecting-terminal.ts";

const isExact = await checkExactProducts().then(
  () => true,
  () => false,
);

test.skipIf(!isExact)(
  "run --precision int8 checks a masked model against float32, prints and records the check",
  async () => {
    const folder = temporaryFolder();
    const toys = {
      tiny: { ...nucleotideTransformer.toys.toy, vocab_size: 4107, num_hidden_layers: 1 },
    };
    const model = join(folder, "tiny");
    await initCheckpoint({ ...nucleotideTransformer, toys }, { preset: "tiny", seed: 0, folder: model });
    const { files } = await writeSyntheticGenome(join(folder, "genome"), { seed: 0, scale: 0.2 });
    const run = (precision: string, ...more: readonly string[]) =>
      runCommand([
        ...[
          "run",
          "--task",
          "regulatory-elements",
          "--data",
          files.regulatoryElements,
          "--genome",
          files.genome,
        ],
        ...["--model", model, "--limit", "32", "--threads", "1", "--no-timing"],
        ...["--precision", precision, "--out", join(folder, precision), ...more],
      ]);
    const plan = await run("int8", "--plan");
    expect(plan.printed).toContain("check   int8 against f32 on 32 rows");
    for (const precision of ["f32", "int8"]) {
      const { exitCode, said } = await run(precision);
      expect(exitCode, said).toBe(0);
      const note =
        /int8 changes paired-accuracy from 0\.\d+ to 0\.\d+ on a sample of 32 rows: by .*, within ±0\.\d+/;
      if (precision === "int8") expect(said).toMatch(note);
      else expect(said).not.toContain("int8");
    }
    const [exact, reduced] = await Promise.all(
      ["f32", "int8"].map(async (precision) => (await readResults(join(folder, precision)))[0]),
    );
    expect([exact.result.cell.precision, reduced.result.cell.precision]).toEqual([undefined, "int8"]);
    expect(reduced.result.identity).not.toBe(exact.result.identity);
    expect(exact.result.precisionCheck).toBeUndefined();
    const check = reduced.result.precisionCheck!;
    expect(check).toMatchObject({ precision: "int8", rows: 32, metric: "paired-accuracy" });
    expect(Math.max(-check.difference.low, check.difference.high)).toBeLessThanOrEqual(check.margin);
    // The sample is the whole cell: its scores in float32 are those of the run in float32.
    const table = (of: typeof exact, name: string) => readFile(join(of.folder, name), "utf8");
    expect(await table(reduced, "scores-f32.tsv")).toBe(await table(exact, "scores.tsv"));
    expect(await table(reduced, "scores.tsv")).not.toBe(await table(exact, "scores.tsv"));
  },
);

test.each([
  ["f16", "f16 runs on webgpu and cuda, and the device is cpu: a CPU is not faster in 16 bits"],
  ["int4", "Expected f32, f16 or int8."],
])("--precision %s is refused", async (precision, message) => {
  const words = [
    "run",
    "--task",
    "regulatory-elements",
    "--model",
    "toy:dnabert2",
    "--out",
    "nowhere",
    "--device",
    "cpu",
  ];
  const { exitCode, said } = await runCommand([...words, "--precision", precision]);
  expect(exitCode).toBe(2);
  expect(said).toContain(message);
});
