import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { classifiedTask, embeddingModel } from "../classified-task.ts";
import { valuedTask } from "../valued-task.ts";

const task = classifiedTask();
const settings = ["probed"];

test("estimates training from a trial, in proportion to the epochs", async () => {
  const asked = [10, 20, 40].map((epochs) => ({ task, inputs: {}, recipe: { epochs } }));
  const plan = await planRun({ tasks: asked, models: [embeddingModel()], settings, timeTraining: true });
  const [ten, twenty, forty] = plan.cells.map(({ estimate }) => estimate.seconds!);
  expect(ten).toBeGreaterThan(0);
  // One trial is used for all three, so they differ only in epochs.
  expect(forty - twenty).toBeCloseTo(2 * (twenty - ten), 9);
  expect(plan.cells.map(({ estimate }) => estimate.basis)).toEqual(
    [10, 20, 40].map((epochs) =>
      expect.stringMatching(new RegExp(`^${epochs} epochs( at most)?, timed on \\d+ rows$`)),
    ),
  );
  await plan.close();
});

test("a plan times training only on request, without leaving files", async () => {
  const folder = join(temporaryFolder(), "run");
  const request = { tasks: [{ task, inputs: {} }], models: [embeddingModel()], settings, folder };
  const [cell] = (await planRun(request)).cells;
  expect(cell.estimate).toMatchObject({ seconds: null, basis: "not timed: the setting trains first" });
  await planRun({ ...request, timeTraining: true });
  expect(() => readdirSync(folder)).toThrow("ENOENT");
});

test("does not count training that is done", async () => {
  const folder = join(temporaryFolder(), "run");
  const models = [embeddingModel()];
  const recipe = { epochs: 2 };
  const trained = join(temporaryFolder(), "trained");
  const request = { tasks: [{ task, inputs: {} }], models, settings, recipe, trained, timeTraining: true };
  await runShard(await planRun({ ...request, folder, timing: false }));
  const [cell] = (await planRun({ ...request, limit: 5 })).cells;
  expect(cell.estimate.basis).toBe("trained already; scoring timed on a few rows");
  const done = await planRun({ ...request, folder });
  expect(done.cells[0].estimate).toMatchObject({ seconds: 0, basis: "all rows are done" });
});

test("scales the trial to the share of rows that the task chooses per epoch", async () => {
  const tenth = (rows: readonly unknown[]) =>
    Int32Array.from({ length: Math.round(rows.length / 10) }, (_, i) => i);
  const asked = [valuedTask(), valuedTask({ rowsOfEpoch: tenth })].flatMap((task, i) =>
    [10, 20].map((epochs) => ({ task, inputs: {}, recipe: { epochs, trainRows: 40 - i } })),
  );
  const plan = await planRun({ tasks: asked, models: [embeddingModel()], settings, timeTraining: true });
  const seconds = plan.cells.map(({ estimate }) => estimate.seconds!);
  const [whole, part] = [seconds[1] - seconds[0], seconds[3] - seconds[2]];
  expect(part).toBeGreaterThan(0);
  expect(whole).toBeGreaterThan(part);
});
