import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runIdentity } from "../../../src/evaluation/runs/cell.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { cellFolder, readRunRecord } from "../../../src/evaluation/runs/run-folder.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults, runResults } from "../../../src/evaluation/runs/stored-results.ts";
import type { Model } from "../../../src/models/model.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

const scratch = scratchFiles();
const task = fakeTask();
const modelNamed = (name: string) => fakeModel({ name, identity: name });

async function run(folder: string, models: readonly Model[], more: Partial<RunRequest> = {}) {
  const request = { tasks: [{ task, inputs: {} }], models, folder: scratch.path(folder), timing: false };
  const plan = await planRun({ ...request, ...more });
  await runShard(plan);
  await plan.close();
  await mergeRun(scratch.path(folder), { tasks: [task], keepResults: more.extend === true });
}

test("an added model is scored alone; results equal those of a run of both", async () => {
  const first = modelNamed("first");
  await run("grown", [first]);
  const scored = first.calls.length;
  const [before] = (await readRunRecord(scratch.path("grown")))!.cells;
  const result = join(cellFolder(scratch.path("grown"), before), "result.json");
  const bytes = await readFile(result, "utf8");
  await run("grown", [modelNamed("second")], { extend: true });
  await run("both", [modelNamed("first"), modelNamed("second")]);
  expect(first.calls.length).toBe(scored);
  expect(await readFile(result, "utf8")).toBe(bytes);
  const results = async (name: string) => (await readResults(scratch.path(name))).map((one) => one.result);
  expect(await results("grown")).toEqual(await results("both"));
  const [grown, both] = [
    await readRunRecord(scratch.path("grown")),
    await readRunRecord(scratch.path("both")),
  ];
  expect(grown!.identity).toBe(both!.identity);
  const { toolkit } = grown!;
  expect(grown!.history).toEqual([{ toolkit, identity: runIdentity([before.identity]), cells: 1 }]);
});

test("the request that began the run and the one that extended it both resume", async () => {
  await run("resumed", [modelNamed("first")]);
  const added = modelNamed("second");
  await run("resumed", [added], { extend: true });
  const calls = added.calls.length;
  await run("resumed", [added], { extend: true });
  expect(added.calls.length).toBe(calls);
  await run("resumed", [modelNamed("first")]);
  await run("resumed", [modelNamed("third")], { extend: true });
  expect((await readRunRecord(scratch.path("resumed")))!.history!.map(({ cells }) => cells)).toEqual([1, 2]);
  await expect(run("resumed", [modelNamed("fourth")])).rejects.toThrow(/the folder has another run/);
});

describe("a run is not extended", () => {
  const refused = async (more: Partial<RunRequest>) => {
    await run("refusing", [modelNamed("first")]);
    const error = await run("refusing", [modelNamed("second")], { extend: true, ...more }).catch(
      (thrown) => thrown,
    );
    expect((await readRunRecord(scratch.path("refusing")))!.cells.length).toBe(1);
    return error.describe();
  };

  test("with other data", async () => {
    expect(await refused({ tasks: [{ task, inputs: { table: "other" } }] })).toMatch(
      /fake × second × zero-shot: contents of table [0-9a-f]{8} in the run, [0-9a-f]{8} here/,
    );
  });

  test("with another seed, protocol or number of rows", async () => {
    expect(await refused({ seed: 1 })).toContain("seed 0 in the run, 1 here");
    expect(await refused({ protocol: "paper" })).toContain("protocol corrected in the run, paper here");
    expect(await refused({ limit: 7 })).toMatch(
      /split test in the run, test, limit 7 here; digest of the rows/,
    );
  });

  test("with another task", async () => {
    const other = { ...fakeTask(), name: "other" };
    expect(await refused({ tasks: [{ task: other, inputs: {} }] })).toContain(
      "the run has no such task and data set; it has fake",
    );
  });

  test("in a folder without a run", async () => {
    const missing = run("nothing", [modelNamed("second")], { extend: true });
    await expect(missing).rejects.toThrow("no run in this folder");
  });
});

test("cells of the same identity in several runs are reported once", async () => {
  await run("one", [modelNamed("first")]);
  await run("two", [modelNamed("first"), modelNamed("second")]);
  const names = (await runResults([scratch.path("one"), scratch.path("two")])).map(
    ({ result }) => result.cell.model.name,
  );
  expect(names).toEqual(["first", "second"]);
});
