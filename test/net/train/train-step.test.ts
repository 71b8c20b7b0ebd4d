import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { meanSquaredError } from "../../../src/net/nn/losses.ts";
import { openTrainStep, type TrainStep } from "../../../src/net/train/train-step.ts";

interface Golden {
  readonly cases: readonly {
    readonly optimizer: "Adam" | "AdamW";
    readonly options: { lr: number; weight_decay?: number; betas?: [number, number]; eps?: number };
    readonly x: number[][];
    readonly t: number[];
    readonly steps: { loss: number; parameter: number[] }[];
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../../golden/train/adam.json", import.meta.url), "utf8"),
) as Golden;

const array = (shape: number[], values: readonly number[]): NdArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});
const start = new Map([["p", array([3, 1], [0.5, -1.25, 2])]]);
const x = g.input("x", "float32", ["b", 3]);
const t = g.input("t", "float32", ["b"]);
const weight = g.input("weight", "float32", []);
const prediction = g.tanh(g.squeeze(g.matMul(x, g.parameter("p", [3, 1])), 1));
const loss = g.mul(meanSquaredError(prediction, t), weight);

test.each(golden.cases)(
  "$optimizer $options takes PyTorch's steps",
  async ({ options, x: rows, t: targets, steps }) => {
    const { lr, weight_decay: weightDecay = 0, betas = [0.9, 0.999], eps: epsilon = 1e-8 } = options;
    const optimizer = { learningRate: lr, weightDecay, betas, epsilon };
    const train = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer });
    for (const [i, step] of steps.entries()) {
      const results = await train.run({
        x: array([5, 3], rows.flat()),
        t: array([5], targets),
        weight: array([], [1 + 0.1 * i]),
      });
      expect(Number(results.loss.data[0])).toBeCloseTo(step.loss, 5);
      const parameter = (await train.state()).arrays.get("parameter p")!.data;
      step.parameter.forEach((value, at) => {
        expect(Math.abs(Number(parameter[at]) - value)).toBeLessThan(2e-6);
      });
    }
    await train.close();
  },
);

const batch = (seed: number) => ({
  x: array([2, 3], [seed, 1, -1, 0.5, seed / 2, 2]),
  t: array([2], [0.3, -0.2]),
  weight: array([], [1]),
});
const optimizer = { learningRate: 0.01, weightDecay: 0.01 };
const parameterOf = async (train: Pick<TrainStep, "state">) => [
  ...((await train.state()).arrays.get("parameter p")!.data as Float32Array),
];

test("accumulates two half batches to one batch", async () => {
  const whole = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer });
  const halves = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer, accumulate: 2 });
  for (const seed of [1, 2, 3]) {
    const { x: rows, t: targets, weight: one } = batch(seed);
    await whole.run({ x: rows, t: targets, weight: one });
    for (const at of [0, 1]) {
      await halves.run({
        x: array([1, 3], [...(rows.data as Float32Array).slice(3 * at, 3 * at + 3)]),
        t: array([1], [(targets.data as Float32Array)[at]]),
        weight: one,
      });
    }
  }
  expect((await halves.state()).step).toBe(3);
  const halvesValues = await parameterOf(halves);
  (await parameterOf(whole)).forEach((value, i) => {
    expect(halvesValues[i]).toBeCloseTo(value, 6);
  });
  await whole.close();
  await halves.close();
});

test("a batch in parts equals the whole batch, and a failed part changes nothing", async () => {
  const whole = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer, accumulate: 2 });
  const parted = await openTrainStep({
    loss,
    trained: start,
    frozen: new Map(),
    optimizer,
    accumulate: 2,
    inParts: true,
  });
  const parts = ({ x: rows, t: targets }: ReturnType<typeof batch>) =>
    [0, 1].map((at) => async () => ({
      x: array([1, 3], [...(rows.data as Float32Array).slice(3 * at, 3 * at + 3)]),
      t: array([1], [(targets.data as Float32Array)[at]]),
      weight: array([], [0.5]),
    }));
  for (const seed of [1, 2, 3]) {
    const expected = Number((await whole.run(batch(seed))).loss.data[0]);
    expect(await parted.runParts(parts(batch(seed)))).toBeCloseTo(expected, 6);
    expect(await parted.state()).toMatchObject({ step: seed >> 1, pending: seed % 2 });
  }
  const before = await parted.state();
  const [good, other] = parts(batch(4));
  const wrong = async () => ({ ...(await other()), t: array([1], [Number.NaN]) });
  await expect(parted.runParts([good, wrong])).rejects.toThrow(/the loss of this batch is NaN/);
  expect(await parted.state()).toEqual(before);
  await Promise.all([whole.finishAccumulation(), parted.finishAccumulation()]);
  expect(await parted.state()).toMatchObject({ step: 2, pending: 0 });
  const partedValues = await parameterOf(parted);
  (await parameterOf(whole)).forEach((value, i) => {
    expect(partedValues[i]).toBeCloseTo(value, 6);
  });
  await whole.close();
  await parted.close();
});

test("leaves a parameter that no batch of a step used unchanged, and counts its own steps", async () => {
  const two = new Map([...start, ["q", array([3, 1], [1, 2, 3])]]);
  const some = g.input("some", "float32", []);
  const came = g.greater(some, 0);
  const other = g.reduceSum(g.mul(g.matMul(x, g.parameter("q", [3, 1])), some), [0, 1]);
  const train = await openTrainStep({
    loss: g.add(loss, other),
    trained: two,
    frozen: new Map(),
    optimizer,
    accumulate: 2,
    reached: new Map([["q", came]]),
  });
  const alone = await openTrainStep({
    loss: other,
    trained: new Map([["q", two.get("q")!]]),
    frozen: new Map(),
    optimizer,
    accumulate: 2,
  });
  const arrays = async (step: typeof train, kind: string) => [
    ...((await step.state()).arrays.get(`${kind} q`)!.data as Float32Array),
  ];
  const value = (of: number) => ({ some: array([], [of]) });
  // neither batch uses q
  for (const seed of [1, 2]) await train.run({ ...batch(seed), ...value(0) });
  expect((await train.state()).step).toBe(1);
  expect(await parameterOf(train)).not.toEqual([0.5, -1.25, 2]);
  expect(await arrays(train, "parameter")).toEqual([1, 2, 3]);
  expect(await arrays(train, "m")).toEqual([0, 0, 0]);
  // one of two, then the second of two: its first and second step
  for (const [seed, of] of [
    [3, 0.5],
    [4, 0],
    [5, 0],
    [6, 2],
  ] as const) {
    await train.run({ ...batch(seed), ...value(of) });
    await alone.run({ x: batch(seed).x, ...value(of) });
  }
  expect(await arrays(train, "steps")).toEqual([2]);
  expect((await train.state()).step).toBe(3);
  const trained = await arrays(train, "parameter");
  (await arrays(alone, "parameter")).forEach((expected, i) => {
    expect(trained[i]).toBeCloseTo(expected, 6);
  });
  // left over: a batch that uses it, and one that does not
  await train.run({ ...batch(7), ...value(0) });
  const before = await arrays(train, "parameter");
  await train.finishAccumulation();
  expect(await arrays(train, "parameter")).toEqual(before);
  await train.run({ ...batch(8), ...value(1) });
  await train.finishAccumulation();
  expect(await arrays(train, "parameter")).not.toEqual(before);
  expect(await arrays(train, "steps")).toEqual([3]);
  await train.close();
  await alone.close();
});

test("left-over batches at the end of an epoch are one more step, scaled like a full one", async () => {
  const train = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer, accumulate: 4 });
  await train.finishAccumulation();
  expect(await train.state()).toMatchObject({ step: 0, pending: 0 });
  await train.run(batch(1));
  expect(await train.state()).toMatchObject({ step: 0, pending: 1 });
  expect(await parameterOf(train)).toEqual([0.5, -1.25, 2]);
  await train.finishAccumulation();
  expect(await train.state()).toMatchObject({ step: 1, pending: 0 });
  const quarter = await openTrainStep({
    loss: g.mul(loss, 0.25),
    trained: start,
    frozen: new Map(),
    optimizer,
  });
  await quarter.run(batch(1));
  const trainValues = await parameterOf(train);
  (await parameterOf(quarter)).forEach((value, i) => {
    expect(trainValues[i]).toBeCloseTo(value, 6);
  });
  await train.close();
  await quarter.close();
});

test("a restored state resumes bit-identically", async () => {
  const train = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer, accumulate: 2 });
  await train.run(batch(1));
  await train.run(batch(2));
  await train.run(batch(3));
  const kept = await train.state();
  await train.run(batch(4));
  const other = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer, accumulate: 2 });
  other.restore(kept);
  await other.run(batch(4));
  expect(await parameterOf(other)).toEqual(await parameterOf(train));
  await train.close();
  await other.close();
});

test("rejects a loss that is not finite and keeps the state", async () => {
  const train = await openTrainStep({ loss, trained: start, frozen: new Map(), optimizer });
  await train.run(batch(1));
  const before = await parameterOf(train);
  await expect(train.run({ ...batch(1), weight: array([], [Number.NaN]) })).rejects.toThrow(InputError);
  expect(await parameterOf(train)).toEqual(before);
  await train.close();
});

test("rejects a parameter that the loss does not use", async () => {
  const trained = new Map([["q", array([1], [0])]]);
  await expect(openTrainStep({ loss, trained, frozen: start, optimizer })).rejects.toThrow(
    /does not depend on .* q/,
  );
});
