import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { killRepeatedly } from "../../../scripts/kill-repeatedly.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { program } from "../../compiled.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const command = (...args: string[]) => [...program("test/evaluation/runs/killed-run.ts"), ...args];

/** Another process at work; resolves when it has scored its first batch. */
async function worker(...args: string[]) {
  const [executable, ...rest] = command(...args);
  const child = spawn(executable, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, errors }));
  await Promise.race([once(child.stdout, "data"), ended]);
  return { child, ended };
}

test("a run killed at random moments gives the bytes of an uninterrupted one", async () => {
  const report = await killRepeatedly({
    command: (folder) => command(folder, "25"),
    root,
    kills: 3,
    compare: ["result.json", "metrics.json", "scores.tsv", "001-of-001.jsonl"],
    seed: 3,
  });
  expect(report).toMatchObject({ kills: 3, filesCompared: 4 });
  expect(report.runsCompared).toBeGreaterThan(0);
  expect(report.killsAmongRows).toBeGreaterThan(0);
}, 120_000);

test("a second process on a shard is refused, and takes over after a kill", async () => {
  const folder = join(root, "run");
  const first = await worker(folder, "20000", "1/2");
  const second = await (await worker(folder, "0", "1/2")).ended;
  expect(second.code).toBe(1);
  expect(second.errors).toContain(`process ${first.child.pid} has held this lock since`);
  const other = await (await worker(folder, "0", "2/2")).ended;
  expect(other).toEqual({ code: 0, errors: "" });
  await expect(mergeRun(folder, { tasks: [fakeTask()] })).rejects.toThrow("001-of-002.jsonl is not finished");

  first.child.kill("SIGKILL");
  await first.ended;
  const third = await (await worker(folder, "0", "1/2")).ended;
  expect(third).toEqual({ code: 0, errors: "" });
  const [result] = await mergeRun(folder, { tasks: [fakeTask()] });
  expect(result.counts.rows).toBe(150);
}, 120_000);
