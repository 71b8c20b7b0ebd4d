import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { fitEpochs } from "../../../src/net/train/fit.ts";
import type { FitEvent } from "../../../src/net/train/fit-state.ts";
import { program } from "../../compiled.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { toyExamples, toyFit } from "./toy-fit.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const FILES = ["train.log", "best.safetensors", "state.safetensors"];
const bytesOf = (folder: string) => Promise.all(FILES.map((name) => readFile(join(folder, name))));
const batchesIn = (events: readonly FitEvent[]) => events.flatMap((e) => (e.kind === "batch" ? [e] : []));

test("learns, writes a line per epoch, and keeps the parameters of the first best epoch", async () => {
  const events: FitEvent[] = [];
  const folder = join(root, "training");
  const request = toyFit(folder, { recipe: { epochs: 12 }, onProgress: (event) => events.push(event) });
  const { history, best, parameters } = await fitEpochs(request);
  expect(history.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const losses = history.map(({ validation }) => validation.val_loss);
  expect(best.epoch).toBe(losses.indexOf(Math.min(...losses)));
  expect(best.validation.val_loss).toBeLessThan(0.8 * losses[0]);
  expect(history.at(-1)!.trainLoss).toBeLessThan(history[0].trainLoss);
  expect(best.validation.val_rows).toBe(40);

  const log = (await readFile(join(folder, "train.log"), "utf8")).trimEnd().split("\n");
  expect(log[0]).toBe("epoch\tval_loss\tval_rows");
  expect(log[3]).toBe(`2\t${losses[2]}\t40`);
  await using written = await openCheckpoint(join(folder, "best.safetensors"));
  expect([...written.arrays.keys()].sort()).toEqual([...parameters.keys()].sort());
  expect(written.metadata.get("epoch")).toBe(String(best.epoch));
  expect(await written.read("output.weight")).toEqual(parameters.get("output.weight"));

  const batches = batchesIn(events);
  expect(batches).toHaveLength(12 * 13);
  expect(batches[20]).toMatchObject({ epoch: 1, epochs: 12, batch: 7, batches: 13 });
  expect(batches.every((e) => e.examplesPerSecond > 0 && Number.isFinite(e.secondsLeft))).toBe(true);
  expect(batches.at(-1)!.secondsLeft).toBeLessThan(batches[0].secondsLeft);
  const bests = events.flatMap((e) => (e.kind === "epoch" && e.best ? [e.record.epoch] : []));
  expect(bests.at(-1)).toBe(best.epoch);
});

test("keeps the parameters with the best validation loss", async () => {
  const one = await fitEpochs(toyFit(join(root, "a"), { recipe: { epochs: 1 } }));
  const worse = toyFit(join(root, "b"), {
    recipe: { epochs: 6 },
    step: { ...toyFit("").step, optimizer: { learningRate: 30 } },
  });
  const { best, parameters, history } = await fitEpochs(worse);
  expect(best.epoch).toBeLessThan(history.length - 1);
  const upToBest = { ...worse, folder: join(root, "c"), recipe: { ...worse.recipe, epochs: best.epoch + 1 } };
  expect((await fitEpochs(upToBest)).parameters).toEqual(parameters);
  expect(parameters).not.toEqual(one.parameters);
});

describe("order of the examples", () => {
  const seenRows = async (recipe: object) => {
    const seen: number[][] = [[], []];
    const source = toyExamples(20, 1);
    const training = {
      examples: 20,
      batch: (rows: Int32Array, place: { epoch: number; batch: number }) => {
        expect(rows).toHaveLength(place.batch === 2 ? 4 : 8);
        seen[place.epoch].push(...rows);
        return source.batch(rows, place);
      },
    };
    await fitEpochs(
      toyFit(join(root, String(Math.random())), { training, recipe: { epochs: 2, ...recipe } }),
    );
    return seen;
  };
  const file = Array.from({ length: 20 }, (_, i) => i);

  test("can be the file's in every epoch", async () => {
    expect(await seenRows({ order: { kind: "file" } })).toEqual([file, file]);
  });

  test("is drawn for every epoch from the seed", async () => {
    const [first, second] = await seenRows({ order: { kind: "shuffled", seed: 3 } });
    expect(first.toSorted((a, b) => a - b)).toEqual(file);
    expect(second.toSorted((a, b) => a - b)).toEqual(file);
    expect(first).not.toEqual(file);
    expect(first).not.toEqual(second);
    expect(await seenRows({ order: { kind: "shuffled", seed: 3 } })).toEqual([first, second]);
    expect((await seenRows({ order: { kind: "shuffled", seed: 4 } }))[0]).not.toEqual(first);
  });
});

test("stops early after `patience` epochs without improvement", async () => {
  const step = { ...toyFit("").step, optimizer: { learningRate: 30 } };
  const { history, best } = await fitEpochs(toyFit(root, { step, recipe: { epochs: 60, patience: 3 } }));
  expect(history.length).toBeLessThan(60);
  expect(history.length - 1).toBe(best.epoch + 3);
});

test("repeats bit-identically; a finished run returns its result", async () => {
  const a = await fitEpochs(toyFit(join(root, "a")));
  await fitEpochs(toyFit(join(root, "b")));
  expect(await bytesOf(join(root, "a"))).toEqual(await bytesOf(join(root, "b")));
  const events: FitEvent[] = [];
  const again = await fitEpochs(toyFit(join(root, "a"), { onProgress: (event) => events.push(event) }));
  expect(again).toEqual(a);
  expect(events).toEqual([]);
});

test("a signal stops a run between two batches with its state written, and it resumes bit-identically", async () => {
  await fitEpochs(toyFit(join(root, "uninterrupted")));
  for (const stopAt of [1, 13, 20, 50]) {
    const folder = join(root, `stopped-${stopAt}`);
    const controller = new AbortController();
    let seen = 0;
    const onProgress = (event: FitEvent) => {
      if (event.kind === "batch" && ++seen === stopAt) controller.abort(new Error("stop here"));
    };
    await expect(fitEpochs(toyFit(folder, { signal: controller.signal, onProgress }))).rejects.toThrow(
      "stop here",
    );
    expect(seen).toBe(stopAt);
    const events: FitEvent[] = [];
    await fitEpochs(toyFit(folder, { onProgress: (event) => events.push(event) }));
    expect(events[0]).toEqual({ kind: "resumed", epoch: Math.floor(stopAt / 13), batch: stopAt % 13 });
    expect(batchesIn(events)).toHaveLength(4 * 13 - stopAt);
    expect(await bytesOf(folder)).toEqual(await bytesOf(join(root, "uninterrupted")));
  }
});

test("the caller may choose the examples of an epoch, and a stop between them changes nothing", async () => {
  // Epochs of 20, 30, 40 and 50 examples: 3, 4, 5 and 7 batches.
  const rows = (epoch: number) =>
    Int32Array.from({ length: 20 + 10 * epoch }, (_, i) => (7 * i + epoch) % 100);
  const recipe = { order: { kind: "chosen", rows } } as const;
  const events: FitEvent[] = [];
  const { history } = await fitEpochs(
    toyFit(join(root, "chosen"), { recipe, onProgress: (event) => events.push(event) }),
  );
  const batches = events.flatMap((event) => (event.kind === "batch" ? [event] : []));
  expect(batches.map(({ epoch, batches, examples, seen }) => [epoch, batches, examples, seen])).toEqual(
    [20, 30, 40, 50].flatMap((examples, epoch) => {
      const count = Math.ceil(examples / 8);
      return Array.from({ length: count }, (_, i) => [
        epoch,
        count,
        examples,
        Math.min(8 * (i + 1), examples),
      ]);
    }),
  );
  // The mean over the examples of the epoch.
  const last = batches.filter(({ epoch }) => epoch === 3);
  const sum = last.reduce((total, { loss, seen }, i) => total + loss * (seen - (last[i - 1]?.seen ?? 0)), 0);
  expect(history[3].trainLoss).toBeCloseTo(sum / 50, 12);

  const controller = new AbortController();
  let seen = 0;
  const stopping = toyFit(join(root, "chosen-stopped"), {
    recipe,
    signal: controller.signal,
    onProgress: (event) => event.kind === "batch" && ++seen === 9 && controller.abort(new Error("stop here")),
  });
  await expect(fitEpochs(stopping)).rejects.toThrow("stop here");
  await fitEpochs(toyFit(join(root, "chosen-stopped"), { recipe }));
  expect(await bytesOf(join(root, "chosen-stopped"))).toEqual(await bytesOf(join(root, "chosen")));
});

test("a run killed at random moments ends bit-identically to an uninterrupted one", async () => {
  await fitEpochs(toyFit(join(root, "uninterrupted"), { training: toyExamples(100, 1), saveEvery: 0.01 }));
  const expected = await bytesOf(join(root, "uninterrupted"));
  const folder = join(root, "killed");
  const [executable, ...words] = program("test/net/train/killed-fit.ts");
  const rng = new Pcg64(2);
  let kills = 0;
  let resumedAfter = 0;
  for (let ended = false; !ended; ) {
    const child = spawn(executable, [...words, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = 4 + Math.floor(rng.nextFloat64() * 16);
    let said = "";
    child.stdout.on("data", async (chunk) => {
      said += chunk;
      if (said.split("\n").length <= lines || kills >= 4) return;
      await setTimeout(rng.nextFloat64() * 12);
      child.kill("SIGKILL");
    });
    const [code, signal] = await once(child, "close");
    if (said.startsWith("resumed")) resumedAfter++;
    if (signal === "SIGKILL") kills++;
    else expect(code).toBe(0);
    ended = signal === null;
  }
  expect(kills).toBeGreaterThanOrEqual(3);
  expect(resumedAfter).toBeGreaterThanOrEqual(2);
  expect(await bytesOf(folder)).toEqual(expected);
}, 120_000);

test("rejects a second run in a folder in use", async () => {
  const first = fitEpochs(toyFit(root, { training: toyExamples(100, 1, { milliseconds: 5 }) }));
  while (!existsSync(join(root, "lock"))) await setTimeout(1);
  await expect(fitEpochs(toyFit(root))).rejects.toThrow(InputError);
  await first;
});

test("names the batch of a loss that is not finite", async () => {
  const training = toyExamples(40, 1, { wrong: 21 });
  const request = toyFit(root, { training, recipe: { order: { kind: "file" } } });
  await expect(fitEpochs(request)).rejects.toThrow(
    /epoch 0, batch 2 \(8 examples between rows 16 and 23 .*\): the loss of this batch is NaN/,
  );
});

test("ends the run at a validation loss that is not finite", async () => {
  const request = toyFit(root);
  const validation = { ...request.validation, data: toyExamples(40, 1, { wrong: 21 }) };
  await expect(fitEpochs({ ...request, validation })).rejects.toThrow(
    "the validation loss after epoch 0 is NaN",
  );
});

test("propagates an error of the data from any batch", async () => {
  const source = toyExamples(40, 1);
  const training = {
    examples: 40,
    batch: (rows: Int32Array, place: { epoch: number; batch: number }) =>
      place.batch === 3 ? Promise.reject(new InputError("the disk is gone")) : source.batch(rows, place),
  };
  await expect(fitEpochs(toyFit(root, { training }))).rejects.toThrow("the disk is gone");
});

test("rejects the folder of another training run, and files that are not a state", async () => {
  await fitEpochs(toyFit(root, { recipe: { epochs: 1 } }));
  await expect(fitEpochs(toyFit(root, { recipe: { epochs: 2 } }))).rejects.toThrow(
    /other data or another recipe/,
  );
  await expect(fitEpochs(toyFit(root, { recipe: { epochs: 1 }, identity: 1 }))).rejects.toThrow(/other data/);
  await writeFile(join(root, "state.safetensors"), await readFile(join(root, "best.safetensors")));
  await expect(fitEpochs(toyFit(root, { recipe: { epochs: 1 } }))).rejects.toThrow(
    /not the state of a training/,
  );
});

test.each([
  [{ epochs: 0 }, "epochs is 0"],
  [{ batchSize: 1.5 }, "batchSize is 1.5"],
  [{ patience: -1 }, "patience is -1"],
])("rejects the recipe %j", async (recipe, message) => {
  await expect(fitEpochs(toyFit(root, { recipe }))).rejects.toThrow(message);
});

test("a training run resumes on the device that began it", async () => {
  const request = toyFit(join(root, "training"), { recipe: { epochs: 1 } });
  await fitEpochs(request);
  const elsewhere = { ...request, step: { ...request.step, program: { device: "cuda:1" as const } } };
  await expect(fitEpochs(elsewhere)).rejects.toThrow(
    /^this training run is computed on cpu; cuda was requested/,
  );
});

test("rejects empty training or validation data, and an empty epoch", async () => {
  await expect(fitEpochs(toyFit(root, { training: toyExamples(0, 1) }))).rejects.toThrow(
    "there are no examples to train on",
  );
  const { validation } = toyFit(root);
  const unseen = { validation: { ...validation, data: toyExamples(0, 1) } };
  await expect(fitEpochs(toyFit(root, unseen))).rejects.toThrow("there are no examples to validate on");
  const rows = (epoch: number) => Int32Array.from({ length: epoch === 0 ? 4 : 0 }, (_, i) => i);
  const recipe = { order: { kind: "chosen", rows } } as const;
  const { examples } = toyFit(root).training;
  await expect(fitEpochs(toyFit(root, { recipe }))).rejects.toThrow(
    `epoch 1, counted from 0, sees none of the ${examples} training examples`,
  );
});

test("removes the temporary file of a run killed while writing its state", async () => {
  const left = [".state.safetensors.4321.0123abcd.tmp", ".best.safetensors.4321.0123abcd.tmp"];
  for (const name of left) await writeFile(join(root, name), "half a file");
  await fitEpochs(toyFit(root));
  expect((await readdir(root)).sort()).toEqual(["best.safetensors", "state.safetensors", "train.log"]);
});
