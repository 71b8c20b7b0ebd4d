import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { LockHeld, LockLost } from "../../../src/base/file-lock.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { shardPaths } from "../../../src/evaluation/runs/run-folder.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { openShardStore } from "../../../src/evaluation/runs/shard-store.ts";
import { programsOf, readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

let folder: string;
beforeEach(() => {
  folder = join(temporaryFolder(), "run");
});

const task = fakeTask();
const plan = () => planRun({ tasks: [{ task, inputs: {} }], models: [fakeModel()], folder, timing: false });

/** Runs two batches and stops. */
async function begun() {
  const planned = await plan();
  const controller = new AbortController();
  let batches = 0;
  await runShard(planned, {
    signal: controller.signal,
    onProgress: ({ kind }) => {
      if (kind === "batch" && ++batches === 2) controller.abort(new Error("stopped"));
    },
  });
  const [cell] = planned.cells;
  return { folder, record: cell.record, shard: planned.shard, rows: cell.rows.length };
}

test("rows of a process that lost its lock never mix with those of its successor", async () => {
  const of = await begun();
  const paths = shardPaths(of.folder, of.record, of.shard);
  const late = await openShardStore(of);
  const before = await readFile(paths.rows, "utf8");
  // Seen from another machine, where only its heartbeat is visible, which does not come for the lease.
  const holder = JSON.parse(await readFile(paths.lock, "utf8"));
  await writeFile(paths.lock, JSON.stringify({ ...holder, host: "node18" }));
  const next = await openShardStore(of, { lease: { beat: 20, expiry: 150 } });
  const row = { kind: "likelihood" as const, row: 10 ** 6, values: [1, 2], facts: {} };
  await expect(late.append([row])).rejects.toThrow(LockLost);
  await late.close();
  expect(await readFile(paths.rows, "utf8")).toBe(before);
  await next.close();
});

test("a run that waits for a shard finishes it after its holder stops", async () => {
  const of = await begun();
  const holder = await openShardStore(of);
  await expect(openShardStore(of)).rejects.toThrow(LockHeld);
  const notes: string[] = [];
  const waiting = runShard(await plan(), {
    wait: true,
    onProgress: (event) => {
      if (event.kind !== "note") return;
      notes.push(event.text);
      void holder.close();
    },
  });
  expect(await waiting).toMatchObject([{ state: "done", rowsDoneBefore: holder.before.length }]);
  expect(notes).toEqual([
    expect.stringMatching(/^waiting for this shard: process \d+ has held this lock since /),
  ]);
});

test("a run that waits can be stopped", async () => {
  const of = await begun();
  const holder = await openShardStore(of);
  const controller = new AbortController();
  const reason = new Error("stopped");
  const onProgress = () => controller.abort(reason);
  await expect(runShard(await plan(), { wait: true, signal: controller.signal, onProgress })).rejects.toBe(
    reason,
  );
  await holder.close();
});

test("notes of killed processes and their temporary files are removed with the shard", async () => {
  const of = await begun();
  const { rows, scoring, failed } = shardPaths(of.folder, of.record, of.shard);
  for (const note of [scoring, failed]) {
    await writeFile(note, "{}");
    await writeFile(join(dirname(note), `.${basename(note)}.4711.01234567.tmp`), "{");
  }
  await runShard(await plan());
  const names = await readdir(dirname(rows));
  expect(names.filter((name) => /scoring|failed/.test(name))).toEqual([]);
});

test("a shard resumed by another version names both", async () => {
  const of = await begun();
  const { rows } = shardPaths(of.folder, of.record, of.shard);
  // The rows that are there were scored by an older program.
  const lines = (await readFile(rows, "utf8")).split("\n");
  const { batch, sha256: _, ...body } = JSON.parse(lines[1]);
  const text = JSON.stringify({ ...body, program: "0.0.9+0a1b2c3d" }).slice(1, -1);
  lines[1] = `{"batch":${batch},"sha256":"${sha256Hex(text).slice(0, 16)}",${text}}`;
  await writeFile(rows, lines.join("\n"));

  const notes: string[] = [];
  await runShard(await plan(), {
    onProgress: (event) => {
      if (event.kind === "note") notes.push(event.text);
    },
  });
  expect(notes.join("\n")).toMatch(/started with dart-eval 0\.0\.9\+0a1b2c3d.*resumes with \d+\.\d+\.\d+\+/);
  await mergeRun(folder, { tasks: [task] });
  const [result] = await readResults(folder);
  expect(result.timing[0].toolkit).toMatch(/^0\.0\.9\+0a1b2c3d, \d+\.\d+\.\d+\+[0-9a-f]{8}$/);
  expect(programsOf([...result.timing, { toolkit: "0.0.9+0a1b2c3d" }])).toHaveLength(2);
});
