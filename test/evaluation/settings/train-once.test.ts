import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { takeLock } from "../../../src/base/file-lock.ts";
import { writeFileAtomic } from "../../../src/base/write-file.ts";
import { trainOnce } from "../../../src/evaluation/settings/trained-predictor.ts";
import {
  readTrainingRecord,
  type TrainingRecord,
  writeTrainingRecord,
} from "../../../src/evaluation/settings/training-record.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const record: TrainingRecord = {
  identity: "0123456789abcdef".repeat(4),
  trainRows: 10,
  valRows: 5,
  parameters: 3,
  best: 0,
  epochs: [{ epoch: 0, trainLoss: 1.5, validation: { val_loss: 1.25 } }],
};
const quiet = { signal: undefined, onWait: () => {} };

test("does not repeat a finished training run", async () => {
  const folder = temporaryFolder();
  let runs = 0;
  const train = async () => {
    runs++;
    return record;
  };
  expect(await trainOnce(folder, train, quiet)).toEqual(record);
  expect(await trainOnce(folder, train, quiet)).toEqual(record);
  expect(runs).toBe(1);
});

test("waits for another process that trains, reports it once, and uses its result", async () => {
  const folder = temporaryFolder();
  const lock = await takeLock(join(folder, "training.lock"));
  const waits: string[] = [];
  const waiting = trainOnce(folder, () => Promise.reject(new Error("trained twice")), {
    signal: undefined,
    onWait: (why) => waits.push(why),
    pause: 20,
  });
  await setTimeout(120);
  await writeTrainingRecord(folder, record);
  await lock.release();
  expect(await waiting).toEqual(record);
  expect(waits).toEqual([expect.stringContaining(`process ${process.pid} has held this lock since`)]);
});

test("a failed training leaves no lock; a wait ends with the signal", async () => {
  const folder = temporaryFolder();
  await expect(trainOnce(folder, () => Promise.reject(new Error("no memory")), quiet)).rejects.toThrow(
    "no memory",
  );
  const lock = await takeLock(join(folder, "training.lock"));
  const stop = new AbortController();
  const waiting = trainOnce(folder, async () => record, { ...quiet, signal: stop.signal });
  stop.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await lock.release();
});

test("refuses a damaged record, naming the field", async () => {
  const folder = temporaryFolder();
  expect(await readTrainingRecord(folder)).toBeUndefined();
  await writeTrainingRecord(folder, record);
  expect(await readTrainingRecord(folder)).toEqual(record);
  await writeFileAtomic(join(folder, "training.json"), JSON.stringify({ ...record, best: -1 }));
  await expect(readTrainingRecord(folder)).rejects.toThrow(/best: /);
  await writeFileAtomic(join(folder, "training.json"), "{");
  await expect(readTrainingRecord(folder)).rejects.toThrow(/the record: /);
});
