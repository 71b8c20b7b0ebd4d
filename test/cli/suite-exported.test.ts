import { cp, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { CELL_LINES } from "../../src/datasets/cell-lines.ts";
import { sourceNamed } from "../../src/datasets/sources/catalogue.ts";
import { planRun } from "../../src/evaluation/runs/plan.ts";
import type { CellResult } from "../../src/evaluation/runs/stored-results.ts";
import { openSuite } from "../../src/evaluation/suites/open-suite.ts";
import { wholeSuite } from "../../src/evaluation/suites/suite.ts";
import { chromatinActivity } from "../../src/evaluation/tasks/chromatin-activity/chromatin-activity.ts";
import { openModel } from "../../src/models/open-model.ts";
import { startRepositories, TOKEN } from "../datasets/sources/repositories.ts";
import { writeExportedActivity } from "../evaluation/exported-activity.ts";
import { scratchFiles } from "../scratch-files.ts";
import { sharedGenome } from "../shared-genomes.ts";
import { runCommand } from "./collecting-terminal.ts";

const scratch = scratchFiles();
const DATA_H5 = "task_4_chromatin_activity/data.h5";

/** The benchmark's layout as published: task 4 as data.h5 only, without tables and signals. */
beforeAll(async () => {
  const files = await sharedGenome({ seed: 0, scale: 0.1 });
  const put = async (from: string, place: string) => {
    await mkdir(dirname(scratch.path(`data/${place}`)), { recursive: true });
    await cp(from, scratch.path(`data/${place}`));
  };
  for (const genome of [sourceNamed("hg38").path, sourceNamed("hg19").path]) await put(files.genome, genome);
  await put(files.africanVariants, sourceNamed("african-caqtls").path);
  await put(files.yorubanVariants, sourceNamed("yoruban-dsqtls").path);
  const tasks = await Promise.all(
    CELL_LINES.map(async (line) => {
      const {
        peaksTable: peaks,
        confidentPeaksTable: idr,
        nonPeaksTable: nonpeaks,
        signal,
      } = files.cellLines[line];
      const inputs = { genome: files.genome, peaks, idr, nonpeaks, signal, "cell-line": line };
      return [line, await chromatinActivity.open(inputs, { seed: 0 })] as const;
    }),
  );
  await mkdir(dirname(scratch.path(DATA_H5)), { recursive: true });
  await writeExportedActivity(scratch.path(DATA_H5), Object.fromEntries(tasks));
  for (const [, task] of tasks) await task.close();
});
afterEach(() => vi.unstubAllEnvs());

const suite = (model: string, out: string, ...more: readonly string[]) =>
  runCommand([
    ...[
      "run",
      "--suite",
      "dart-eval",
      "--data",
      scratch.path("data"),
      "--model",
      model,
      "--json",
      "--no-timing",
    ],
    ...["--out", scratch.path(out), "--device", "cpu", "--task", "chromatin-activity", "variant-effects"],
    ...more,
  ]);

const cellsOf = (printed: string) =>
  (JSON.parse(printed) as { result: CellResult }[]).map(({ result: { cell, rows } }) => ({ cell, rows }));

test("names the command for a missing data.h5, which fetches it", async () => {
  const { exitCode, said } = await suite("toy:hyenadna", "none", "--setting", "probed");
  expect(exitCode).toBe(2);
  expect(said).toContain(
    `a file is missing in ${scratch.path("data")}:\n- ${DATA_H5}\n    dart-eval data fetch task-4-data --data ${scratch.path("data")}`,
  );
  expect(said).toContain("dart-eval build chromatin-activity --help");
  const contents = await readFile(scratch.path(DATA_H5));
  const { services } = await startRepositories([{ id: "syn64314104", name: "data.h5", contents }]);
  vi.stubEnv("SYNAPSE_AUTH_TOKEN", TOKEN);
  vi.stubEnv("DART_EVAL_SYNAPSE_ENDPOINT", services.synapse);
  const fetched = await runCommand(["data", "fetch", "task-4-data", "--data", scratch.path("data")]);
  expect([fetched.exitCode, fetched.said]).toEqual([0, expect.stringContaining(`fetched: ${DATA_H5}`)]);
});

test("runs task 4 and its training for task 5 from data.h5, shortened by --recipe", async () => {
  const trial = ["--limit", "3", "--recipe", "epochs=1", "trainRows=6", "valRows=3"];
  const { exitCode, printed, said } = await suite("toy:hyenadna", "trial", "--setting", "probed", ...trial);
  expect([exitCode, said]).toEqual([0, expect.any(String)]);
  expect(said).toContain(
    `note: ${DATA_H5} replaces missing tables and signals of ${CELL_LINES.map((line) => `chromatin-activity ${line}`).join(", ")}, variant-effects African caQTLs, variant-effects Yoruban dsQTLs`,
  );
  const cells = cellsOf(printed);
  expect(cells.map(({ cell }) => cell.dataset)).toEqual([...CELL_LINES, "African caQTLs", "Yoruban dsQTLs"]);
  for (const { cell } of cells) {
    expect(cell.recipe).toMatchObject({ epochs: 1, trainRows: 6, valRows: 3, batchSize: 1024 });
  }
});

test("predicts the rows of tasks 4 and 5 from data.h5 with one network", async () => {
  const predicted = await suite("toy:chrombpnet", "predicted", "--setting", "predicted", "--limit", "4");
  expect([predicted.exitCode, predicted.said.includes("with one network")]).toEqual([0, true]);
  expect(cellsOf(predicted.printed)).toHaveLength(7);
});

test("--recipe overrides the suite's values", async () => {
  const words = ["run", "--suite", "mini:0.2", "--data", scratch.path("data"), "--model", "toy:hyenadna"];
  const { printed } = await runCommand([
    ...[...words, "--task", "chromatin-activity", "--setting", "probed", "--recipe", "epochs=3"],
    ...["--out", scratch.path("over"), "--plan", "--no-timing", "--json", "--device", "cpu"],
  ]);
  const [{ cells }] = JSON.parse(printed) as [{ cells: { cell: CellResult["cell"] }[] }];
  expect(cells).toHaveLength(5);
  for (const { cell } of cells) expect(cell.recipe).toMatchObject({ epochs: 3, trainRows: 4096 });
});

test("leaves byte-pair models out of task 5 zero-shot unless the setting is named", async () => {
  const model = await openModel("toy:dnabert2", { device: "cpu" });
  const planned = async (settings?: readonly string[]) => {
    const only = { tasks: ["variant-effects"], settings };
    const opened = await openSuite(wholeSuite(), { data: scratch.path("data"), only, limit: 2 });
    const tasks = opened.tasksFor([model]);
    const plan = await planRun({ tasks, models: [model], leaveOut: true, timing: false });
    await plan.close();
    await opened.close();
    return {
      settings: [...new Set(plan.cells.map(({ setting }) => setting.name))],
      notes: plan.notes.join("\n"),
    };
  };
  const usual = await planned();
  expect(usual.settings).toEqual(["zero-shot-embedding", "probed", "fine-tuned"]);
  expect(usual.notes).toContain(
    'the model "dnabert2-toy" is not evaluated on variant-effects × zero-shot: one base can change',
  );
  expect(usual.notes).toContain("--task variant-effects --setting zero-shot evaluates them");
  expect((await planned(["zero-shot"])).settings).toEqual(["zero-shot"]);
  await model.close?.();
});
