import { expect, test } from "vitest";
import * as g from "../../../src/net/graph/build.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import { crossEntropy, crossEntropyPerRow, logCountError } from "../../../src/net/nn/losses.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { evaluate } from "../graph/reference.ts";

const values = (shape: readonly number[], data: readonly number[]) => ({
  shape,
  data: Float64Array.from(data),
});
const a = g.input("a", "float32", ["b", 2]);
const feeds = { a: values([3, 2], [0.5, 2, -1, 0.25, 3, 3]) };
const softplus = (x: number) => Math.log1p(Math.exp(x));

test("cross-entropy is the mean over rows of −log softmax(logits)[label]", () => {
  const labels = g.input("labels", "int32", ["b"]);
  const all = { ...feeds, labels: values([3], [1, 0, 0]) };
  const [each, mean] = evaluate([crossEntropyPerRow(a, labels), crossEntropy(a, labels)], all);
  expect([...each.data]).toEqual(
    [softplus(-1.5), softplus(1.25), Math.log(2)].map((x) => expect.closeTo(x, 12)),
  );
  expect(mean.data[0]).toBeCloseTo([...each.data].reduce((x, y) => x + y) / 3, 12);
});

test("the gradient of cross-entropy is softmax less the one-hot label, over the batch", async () => {
  const labels = g.input("labels", "int32", ["b"]);
  const [gradient] = gradientsOf(crossEntropy(a, labels), [a]);
  const program = await openProgram({ gradient });
  const results = await program.run({
    a: { dtype: "float32", shape: [3, 2], data: Float32Array.from(feeds.a.data) },
    labels: { dtype: "int32", shape: [3], data: Int32Array.of(1, 0, 0) },
  });
  await program.close();
  const p = 1 / (1 + Math.exp(0.5 - 2));
  expect(results.gradient.data[1]).toBeCloseTo((p - 1) / 3, 6);
  expect(results.gradient.data[5]).toBeCloseTo(0.5 / 3, 6);
});

test("the error of counts is computed from ln(1 + reads)", () => {
  const predicted = g.input("predicted", "float32", ["b"]);
  const counts = g.input("counts", "float32", ["b"]);
  const [error] = evaluate([logCountError(predicted, counts)], {
    predicted: values([2], [1, 4]),
    counts: values([2], [0, 99]),
  });
  expect(error.data[0]).toBeCloseTo((1 + (4 - Math.log(100)) ** 2) / 2, 12);
});
