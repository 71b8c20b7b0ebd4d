import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { killRepeatedly } from "../../../scripts/kill-repeatedly.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { program } from "../../compiled.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { classifiedTask } from "../classified-task.ts";

const command = (...args: string[]) => [...program("test/evaluation/settings/killed-training.ts"), ...args];

test("a training run killed at random moments ends bit-identically", async () => {
  const report = await killRepeatedly({
    command: (folder) => command(folder),
    root: temporaryFolder(),
    kills: 2,
    compare: ["best.safetensors", "train.log", "training.json", "result.json", "001-of-001.jsonl"],
    seed: 5,
  });
  expect(report).toMatchObject({ kills: 2, filesCompared: 5 });
  expect(report.runsCompared).toBeGreaterThan(0);
}, 240_000);

test("of two processes that start two shards of a cell, one trains and the other waits for it", async () => {
  const folder = temporaryFolder();
  const workers = ["1/2", "2/2"].map((shard) => {
    const [executable, ...rest] = command(folder, shard);
    const child = spawn(executable, rest, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let errors = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    return once(child, "close").then(([code]) => ({ code: code as number, said, errors }));
  });
  const ended = await Promise.all(workers);
  expect(ended.map(({ code, errors }) => [code, errors])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect(ended.filter(({ said }) => said.includes("training, epoch 1 of 4"))).toHaveLength(1);
  const [result] = await mergeRun(folder, { tasks: [classifiedTask({ rows: 96 })] });
  expect(result.counts.rows).toBe(24);
}, 120_000);
