import { expect, test } from "vitest";
import { type Parting, type PreparedRows, rowsAtOnce } from "../../../src/evaluation/settings/learner.ts";
import { labelledFeeds, learnerShards } from "../../../src/evaluation/settings/train-learner.ts";
import type { Supervision } from "../../../src/evaluation/tasks/task.ts";
import { exp, input, matMul, parameter, reduceSum, reshape } from "../../../src/net/graph/build.ts";
import type { Feeds } from "../../../src/net/train/batches.ts";

const MEMBERS = 2;
const supervision = {
  loss: "cross-entropy",
  classes: 2,
  labels: () => [1, 0],
  validate: () => ({ val_loss: 0 }),
} as Supervision;

/** Row i has the members 10i and 10i + 1. */
const kept: PreparedRows = {
  examples: Array.from({ length: 9 }, (_, row) => ({ row, facts: {}, labels: [1, 0] })),
  async feeds(indices, member) {
    const ids = [...indices].flatMap((index) =>
      member === undefined ? [10 * index, 10 * index + 1] : [10 * index + member],
    );
    return { x: { dtype: "int32", shape: [ids.length], data: Int32Array.from(ids) } };
  },
};
const valuesOf = (feeds: Feeds, name: string) => [...(feeds[name].data as Int32Array)];
const indices = Int32Array.of(8, 1, 5, 2, 7);
const whole = { indices, place: { epoch: 3, batch: 4 }, members: MEMBERS, rows: 2 };

/** Σ share · mean of some number of each sequence. */
async function summed(parts: ReturnType<typeof learnerShards>): Promise<number> {
  let sum = 0;
  for (const part of parts) {
    const feeds = await part();
    const x = valuesOf(feeds, "x");
    sum += (Number(feeds.share.data[0]) * x.reduce((a, b) => a + b, 0)) / x.length;
  }
  return sum;
}

test("parts of all members sum to the whole batch, in its order", async () => {
  const parts = learnerShards(supervision, kept, undefined, whole);
  const feeds = await Promise.all(parts.map((part) => part()));
  expect(feeds.map((each) => valuesOf(each, "x"))).toEqual([
    [80, 81, 10, 11],
    [50, 51, 20, 21],
    [70, 71],
  ]);
  expect(feeds.map((each) => valuesOf(each, "labels"))).toEqual([
    [1, 0, 1, 0],
    [1, 0, 1, 0],
    [1, 0],
  ]);
  const all = valuesOf(await labelledFeeds(supervision, kept, indices), "x");
  expect(await summed(parts)).toBeCloseTo((MEMBERS * all.reduce((a, b) => a + b, 0)) / all.length, 5);
});

test("parts of one member each give the same sum, with their positions", async () => {
  const calls: unknown[] = [];
  const parting: Parting = {
    feeds(place, rows) {
      calls.push([place, valuesOf(rows, "x").length]);
      return { mask: { dtype: "float32", shape: [], data: Float32Array.of(1) } };
    },
  };
  const parts = learnerShards(supervision, kept, parting, whole);
  expect(await summed(parts)).toBeCloseTo(
    await summed(learnerShards(supervision, kept, undefined, whole)),
    5,
  );
  const at = { epoch: 3, batch: 4 };
  expect(calls).toEqual([
    [{ ...at, member: 0, from: 0 }, 2],
    [{ ...at, member: 0, from: 2 }, 2],
    [{ ...at, member: 0, from: 4 }, 1],
    [{ ...at, member: 1, from: 0 }, 2],
    [{ ...at, member: 1, from: 2 }, 2],
    [{ ...at, member: 1, from: 4 }, 1],
  ]);
  const second = await parts[3]();
  expect([valuesOf(second, "x"), valuesOf(second, "labels"), "mask" in second]).toEqual([
    [81, 11],
    [0, 0],
    true,
  ]);
});

test("rows per forward pass fit in two gigabytes, at least one", () => {
  const learner = (width: number) => {
    const wide = exp(matMul(input("x", "float32", ["b", 1]), parameter("w", [1, width])));
    const output = matMul(reshape(reduceSum(wide, [1]), ["b", 1]), parameter("v", [1, 2]));
    // only the sizes of the graph are used
    const initial = new Map(
      [
        ["w", width],
        ["v", 2],
      ].map(([name, size]) => [
        name as string,
        { dtype: "float32" as const, shape: [1, size as number], data: new Float32Array() },
      ]),
    );
    return { output, initial };
  };
  const { training, evaluation } = rowsAtOnce(learner(10_000), supervision, MEMBERS, "cpu");
  // two members of 10,000 numbers, of which two tensors are alive, and their gradient besides in training
  expect(evaluation).toBeGreaterThan(2e9 / (4 * 2 * 10_000 * 2) / 1.1);
  expect(evaluation).toBeLessThan((2e9 / (4 * 2 * 10_000 * 2)) * 1.1);
  expect(training).toBeLessThan(evaluation);
  expect(training).toBeGreaterThan(evaluation / 3);
  expect(rowsAtOnce(learner(2e9), supervision, MEMBERS, "cpu")).toEqual({ training: 1, evaluation: 1 });
  // a GPU holds more, and a WebGPU tensor is at most 1 GiB
  expect(rowsAtOnce(learner(10_000), supervision, MEMBERS, "cuda").evaluation / evaluation).toBeCloseTo(4, 1);
  expect(rowsAtOnce(learner(10_000), supervision, MEMBERS, "webgpu").evaluation).toBe(
    Math.floor(2 ** 30 / (4 * MEMBERS * 10_000)),
  );
  const parted = { ...learner(10_000), parting: { feeds: () => ({}) } };
  expect(rowsAtOnce(parted, supervision, MEMBERS, "cpu").training / training).toBeCloseTo(2, 1);
});
