import { expect, test } from "vitest";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import {
  crossEntropy,
  crossEntropyPerRow,
  logCountError,
  pairedCrossEntropy,
} from "../../../src/net/nn/losses.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { evaluate } from "../graph/reference.ts";

const values = (shape: readonly number[], data: readonly number[]) => ({
  shape,
  data: Float64Array.from(data),
});
const a = g.input("a", "float32", ["b", 2]);
const c = g.input("c", "float32", ["b", 2]);
const feeds = {
  a: values([3, 2], [0.5, 2, -1, 0.25, 3, 3]),
  c: values([3, 2], [1, -1, 0, 0, -2, 4]),
};
const softplus = (x: number) => Math.log1p(Math.exp(x));

test("the paired loss is the mean of each side, the element class 1 and the control class 0", () => {
  const [loss] = evaluate([pairedCrossEntropy(a, c)], feeds);
  const element = [0.5 - 2, -1 - 0.25, 0].map(softplus);
  const control = [-2, 0, 6].map(softplus);
  const expected = [...element, ...control].reduce((sum, each) => sum + each, 0) / 3;
  expect(loss!.data[0]).toBeCloseTo(expected, 12);
});

test("its gradient is softmax less the class, over the batch", async () => {
  const [dElement, dControl] = gradientsOf(pairedCrossEntropy(a, c), [a, c]);
  const program = await openProgram({ dElement: dElement!, dControl: dControl! });
  expect(graphOf({ dElement: dElement! }).inputs).toHaveLength(1);
  const float = (name: "a" | "c") => ({
    dtype: "float32" as const,
    shape: [3, 2],
    data: Float32Array.from(feeds[name].data),
  });
  const results = await program.run({ a: float("a"), c: float("c") });
  await program.close();
  const p = 1 / (1 + Math.exp(0.5 - 2));
  expect(results.dElement!.data[1]).toBeCloseTo((p - 1) / 3, 6);
  expect(results.dControl!.data[5]).toBeCloseTo(1 / (1 + Math.exp(-6)) / 3, 6);
});

test("cross-entropy is the mean of the rows' own", () => {
  const labels = g.input("labels", "int32", ["b"]);
  const all = { ...feeds, labels: values([3], [1, 0, 0]) };
  const [each, mean] = evaluate([crossEntropyPerRow(a, labels), crossEntropy(a, labels)], all);
  expect([...each!.data]).toEqual(
    [softplus(-1.5), softplus(1.25), Math.log(2)].map((x) => expect.closeTo(x, 12)),
  );
  expect(mean!.data[0]).toBeCloseTo([...each!.data].reduce((x, y) => x + y) / 3, 12);
});

test("the error of counts is taken after ln(1 + reads)", () => {
  const predicted = g.input("predicted", "float32", ["b"]);
  const counts = g.input("counts", "float32", ["b"]);
  const [error] = evaluate([logCountError(predicted, counts)], {
    predicted: values([2], [1, 4]),
    counts: values([2], [0, 99]),
  });
  expect(error!.data[0]).toBeCloseTo((1 + (4 - Math.log(100)) ** 2) / 2, 12);
});
