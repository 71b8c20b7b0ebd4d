import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { markOfThisProcess } from "../../../src/base/process.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { readRunRecord, shardPaths } from "../../../src/evaluation/runs/run-folder.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { runStatus, type ShardStatus } from "../../../src/evaluation/runs/run-status.ts";
import type { Model } from "../../../src/models/model.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { folderOfFile } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

const root = folderOfFile();

const task = fakeTask({ rows: 40 });

/** Plans shard `index` of 2 with batches of 5 rows. */
async function plan(folder: string, model: Model, index = 1) {
  const shard = { index, count: 2 };
  return planRun({
    tasks: [{ task, inputs: {} }],
    models: [model],
    folder,
    shard,
    batchSize: 10,
    timing: false,
  });
}

async function run(folder: string, model: Model, index = 1, signal?: AbortSignal) {
  const planned = await plan(folder, model, index);
  await runShard(planned, signal === undefined ? {} : { signal });
  await planned.close();
}

async function shards(folder: string): Promise<readonly ShardStatus[]> {
  const { cells } = await runStatus(folder);
  return cells[0].shards;
}

/** Writes a lock of another process. @param mark  changes of this process's mark */
async function writeLock(folder: string, index: number, mark: object): Promise<string> {
  const record = (await readRunRecord(folder))!.cells[0];
  const { lock } = shardPaths(folder, record, { index, count: 2 });
  await mkdir(dirname(lock), { recursive: true });
  const holder = { ...(await markOfThisProcess()), ...mark, since: "2026-01-01T00:00:00.000Z" };
  await writeFile(lock, JSON.stringify(holder));
  return `${lock}.beat-${holder.nonce}`;
}

describe("runStatus", () => {
  test("counts rows of finished shards, and those of the split that were not begun", async () => {
    const folder = join(root, "done");
    await run(folder, fakeModel());
    const { cells } = await runStatus(folder);
    const [first, second] = cells[0].shards;
    expect(first).toMatchObject({ shard: { index: 1, count: 2 }, phase: "done", rows: first.rowsDone });
    expect(second).toMatchObject({
      shard: { index: 2, count: 2 },
      phase: "waiting",
      rows: null,
      rowsDone: 0,
    });
    expect(cells[0]).toMatchObject({ rowsDone: first.rowsDone, merged: false });
    await run(folder, fakeModel(), 2);
    await mergeRun(folder, { tasks: [task] });
    expect((await runStatus(folder)).cells[0]).toMatchObject({ rowsDone: 40, merged: true });
  });

  test("reports the error of a failed shard until it is finished", async () => {
    const folder = join(root, "failed");
    const inner = fakeModel();
    let calls = 0;
    const broken: Model = {
      ...inner,
      logLikelihood: (sequences) => {
        if (++calls === 3) throw new Error("the device was lost");
        return inner.logLikelihood(sequences);
      },
    };
    await expect(run(folder, broken)).rejects.toThrow("the device was lost");
    const [failed] = await shards(folder);
    expect(failed).toMatchObject({ phase: "failed", rowsDone: 10, process: { pid: process.pid } });
    expect(failed.message).toContain("the device was lost");
    await run(folder, inner);
    expect((await shards(folder))[0]).toMatchObject({ phase: "done" });
  });

  test("shows the process, the speed and the time left of a running shard, and a stopped one", async () => {
    const folder = join(root, "running");
    const inner = fakeModel();
    const controller = new AbortController();
    const seen: ShardStatus[] = [];
    let calls = 0;
    const model: Model = {
      ...inner,
      async logLikelihood(sequences) {
        if (++calls === 3) {
          seen.push(...(await shards(folder)));
          controller.abort();
        }
        return inner.logLikelihood(sequences);
      },
    };
    await run(folder, model, 1, controller.signal);
    const [running] = seen;
    expect(running).toMatchObject({ phase: "running", rowsDone: 10, process: { pid: process.pid } });
    const { rows, rowsPerSecond, secondsLeft } = running;
    expect(rowsPerSecond).toBeGreaterThan(0);
    expect(secondsLeft! * rowsPerSecond!).toBeCloseTo(rows! - 10, 6);
    const [stopped] = await shards(folder);
    expect(stopped).toMatchObject({ phase: "stopped", rows, rowsDone: 15, rowsPerSecond: null });
    expect(stopped).not.toHaveProperty("process");
  });

  test("distinguishes a dead process, a silent machine and a beating one", async () => {
    const folder = join(root, "stale");
    await run(folder, fakeModel());
    await writeLock(folder, 2, { pid: 2 ** 22 + 1, began: "1" });
    expect((await shards(folder))[1]).toMatchObject({ phase: "stale", process: { pid: 2 ** 22 + 1 } });
    const beat = await writeLock(folder, 2, { host: "node7", pid: 12 });
    expect((await shards(folder))[1]).toMatchObject({ phase: "stale", process: { host: "node7", pid: 12 } });
    await writeFile(beat, "00000001 abcdef01\n");
    expect((await shards(folder))[1]).toMatchObject({ phase: "running", process: { host: "node7" } });
    const longAgo = new Date(Date.now() - 600_000);
    await utimes(beat, longAgo, longAgo);
    expect((await shards(folder))[1]).toMatchObject({ phase: "stale" });
  });

  test("measures another machine by the clock of the disk, not by its own", async () => {
    const folder = join(root, "clock");
    await run(folder, fakeModel());
    const record = (await readRunRecord(folder))!.cells[0];
    const { done, scoring } = shardPaths(folder, record, { index: 1, count: 2 });
    await rm(done);
    await writeFile(await writeLock(folder, 1, { host: "node7" }), "00000001 abcdef01\n");
    await writeFile(scoring, JSON.stringify({ since: "2026-01-01T00:00:01.000Z", rowsBefore: 0 }));
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(scoring, minuteAgo, minuteAgo);
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 3_600_000);
    const [shard] = await shards(folder).finally(() => clock.mockRestore());
    expect(shard).toMatchObject({ phase: "running", process: { host: "node7" } });
    expect(shard.rowsDone / shard.rowsPerSecond!).toBeCloseTo(60, 0);
    expect(await readdir(dirname(done))).not.toContainEqual(expect.stringMatching(/tmp$/));
  });

  test("reports a damaged shard", async () => {
    const folder = join(root, "damaged");
    const stop = new AbortController();
    const inner = fakeModel();
    let calls = 0;
    const model: Model = {
      ...inner,
      logLikelihood(sequences) {
        if (++calls === 2) stop.abort();
        return inner.logLikelihood(sequences);
      },
    };
    await run(folder, model, 1, stop.signal);
    const record = (await readRunRecord(folder))!.cells[0];
    const { rows } = shardPaths(folder, record, { index: 1, count: 2 });
    await writeFile(rows, "no header\nno batch\nno batch\n");
    const [shard] = await shards(folder);
    expect(shard.phase).toBe("failed");
    expect(shard.message).toContain("001-of-002.jsonl:1: this is not the header of a shard");
  });
});

describe("dart-eval status", () => {
  test("prints shards that run or failed, with their messages", async () => {
    const { exitCode, printed } = await runCommand(["status", join(root, "damaged"), join(root, "stale")]);
    expect(printed).toMatch(
      /fake × fake-model × zero-shot · corrected protocol · cell [0-9a-f]{8}\n {2}\d+ of 40 rows · 0 of 2 shards done, 1 failed, 1 not started\n {2}001-of-002 {2}failed/,
    );
    expect(printed).toContain("this is not the header of a shard");
    expect(printed).toMatch(/002-of-002 {2}stale +0 of \? rows · process 12 on node7, since 2026-01-01/);
    expect(exitCode).toBe(0);
  });

  test("--watch ends when all shards are done; --json prints one line", async () => {
    const { exitCode, printed } = await runCommand(["status", join(root, "done"), "--watch", "--json"]);
    expect(printed.split("\n")).toHaveLength(1);
    expect(JSON.parse(printed)[0].cells[0]).toMatchObject({ rowsDone: 40, merged: true });
    expect(exitCode).toBe(0);
  });

  test("--watch stops when the user stops it", async () => {
    const controller = new AbortController();
    const watching = runCommand(
      ["status", join(root, "stale"), "--watch", "--every", "60"],
      controller.signal,
    );
    setTimeout(() => controller.abort(), 300);
    expect((await watching).printed).toContain("stale");
  });

  test("refuses a folder without a run", async () => {
    const { exitCode, said } = await runCommand(["status", root]);
    expect(said).toContain("no run in this folder");
    expect(exitCode).toBe(2);
  });
});
