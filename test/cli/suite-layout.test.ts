import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CELL_LINES } from "../../src/datasets/cell-lines.ts";
import { sourceNamed } from "../../src/datasets/sources/catalogue.ts";
import { activityFiles } from "../../src/evaluation/tasks/chromatin-activity/benchmark.ts";
import { ELEMENTS_TABLE } from "../../src/evaluation/tasks/regulatory-elements/benchmark.ts";

import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../src/models/language/catalogue.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

let folder: string;
let data: string;
let model: string;

/** Files of a synthetic genome in the folder layout of the benchmark. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-layout-"));
  data = join(folder, "data");
  const files = await sharedGenome({ seed: 0, scale: 0.1 });
  const put = async (from: string, place: string) => {
    await mkdir(dirname(join(data, place)), { recursive: true });
    await cp(from, join(data, place));
  };
  for (const genome of [sourceNamed("hg38").path, sourceNamed("hg19").path]) {
    await put(files.genome, genome);
    await put(`${files.genome}.fai`, `${genome}.fai`);
  }
  await put(files.regulatoryElements, ELEMENTS_TABLE);
  const motifs = (await readFile(files.motifs, "utf8"))
    .split(/^(?=MOTIF)/m)
    .slice(0, 3)
    .join("");
  await writeFile(join(folder, "two.meme"), motifs);
  await mkdir(dirname(join(data, sourceNamed("footprint-sequences").path)), { recursive: true });
  await runCommand([
    ...["build", "motif-footprinting", "--motifs", join(folder, "two.meme")],
    ...["--backgrounds", files.backgrounds, "--out", join(data, sourceNamed("footprint-sequences").path)],
  ]);
  await put(files.cellTypePeaks, sourceNamed("cell-type-peaks").path);
  await writeFile(join(data, sourceNamed("clustering-rows").path), "index\n0\n1\n2\n3\n5\n");
  for (const line of CELL_LINES) {
    const own = files.cellLines[line];
    const places = activityFiles(line);
    await put(own.peaksTable, places.peaks);
    await put(own.confidentPeaksTable, places.idr);
    await put(own.nonPeaksTable, places.nonpeaks);
    await put(own.signal, places.signal);
  }
  await put(files.africanVariants, sourceNamed("african-caqtls").path);
  await put(files.yorubanVariants, sourceNamed("yoruban-dsqtls").path);
  const card = languageModelCard("hyenadna");
  model = (await initCheckpoint(card, { preset: "toy", seed: 0, folder: join(folder, "model") })).folder;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const suite = (name: string, out: string, ...more: readonly string[]) =>
  runCommand([
    ...["run", "--suite", name, "--data", data, "--model", model, "--out", join(folder, out)],
    ...["--device", "cpu", ...more],
  ]);

test("dart-eval finds all files in the benchmark's layout and runs the supported settings", async () => {
  const { exitCode, printed, said } = await suite("dart-eval", "plan", "--plan", "--no-timing", "--json");
  expect([exitCode, said]).toEqual([0, expect.stringContaining("runs without")]);
  const [{ cells, notes }] = JSON.parse(printed) as [
    { cells: { cell: { task: string; dataset?: string; setting: string } }[]; notes: string[] },
  ];
  const asked = cells.map(({ cell: { task, dataset, setting } }) =>
    [task, dataset, setting].filter(Boolean).join(" "),
  );
  expect(asked).toEqual([
    ...["zero-shot", "probed", "fine-tuned"].map((setting) => `regulatory-elements ${setting}`),
    ...["zero-shot", "zero-shot-embedding"].map((setting) => `motif-footprinting ${setting}`),
    ...["zero-shot-embedding", "probed", "fine-tuned"].map((setting) => `cell-type-elements ${setting}`),
    ...CELL_LINES.flatMap((line) =>
      ["probed", "fine-tuned"].map((setting) => `chromatin-activity ${line} ${setting}`),
    ),
    ...["African caQTLs", "Yoruban dsQTLs"].flatMap((study) =>
      ["zero-shot", "zero-shot-embedding", "probed", "fine-tuned"].map(
        (setting) => `variant-effects ${study} ${setting}`,
      ),
    ),
  ]);
  expect(notes.join("\n")).toContain("ab-initio");
  expect(notes.join("\n")).toContain("predicted");
});

test("mini runs and fills the paper's tables", async () => {
  const settings = ["--setting", "zero-shot", "zero-shot-embedding", "--limit", "6", "--no-timing"];
  const { exitCode, printed, said } = await suite("mini:0.2", "run", ...settings, "--protocol", "both");
  expect([exitCode, said.includes("the predictions are those of cell")]).toEqual([0, true]);
  for (const title of ["Regulatory elements", "Motif footprinting", "Variant effects, Yoruban dsQTLs"]) {
    expect(printed).toContain(title);
  }
  const tables = await runCommand(["report", join(folder, "run"), "--paper-tables", "--format", "latex"]);
  expect([tables.exitCode, tables.said]).toEqual([0, ""]);
  for (const caption of ["Task 1,", "Task 2,", "Task 5,"])
    expect(tables.printed).toContain(`\\caption{${caption}`);
  expect(tables.printed).toContain("African Pearson r & Yoruban Pearson r");
  expect(tables.printed).not.toContain("published");
});
