import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LANGUAGE_MODELS } from "../../../src/models/language/catalogue.ts";
import * as g from "../../../src/net/graph/build.ts";
import { countOperations } from "../../../src/net/graph/operation-count.ts";

const x = g.input("x", "float32", ["b", 10]);
const weight = g.parameter("w", [10, 20]);

test("a product counts two operations per term, other arithmetic one per value", () => {
  expect(countOperations([g.matMul(x, weight)], { b: 3 })).toEqual({ products: 1200, others: 0 });
  expect(countOperations([g.exp(g.add(x, 1))], { b: 3 })).toEqual({ products: 0, others: 60 });
  expect(countOperations([g.reduceSum(x, [1])], { b: 3 })).toEqual({ products: 0, others: 30 });
});

test("data movement and tensors of parameters alone are free, a shared tensor is computed once", () => {
  const moved = g.concat([g.transpose(x, [1, 0]), g.transpose(x, [1, 0])], 0);
  expect(countOperations([moved, g.exp(weight)], { b: 3 })).toEqual({ products: 0, others: 0 });
  const shared = g.exp(x);
  expect(countOperations([g.add(shared, shared), shared], { b: 1 })).toEqual({ products: 0, others: 20 });
});

test("a loop costs its body in every step, without the tensors it reads from outside", () => {
  const rows = g.input("rows", "float32", [7, 10]);
  const outside = g.exp(g.input("scale", "float32", [10]));
  const { emitted } = g.scan([g.fill([10], 0)], [rows], ([h], [row]) => {
    const next = g.add(g.mul(h, outside), row);
    return { states: [next], emit: [g.tanh(next)] };
  });
  expect(countOperations(emitted, {})).toEqual({ products: 0, others: 10 + 7 * 30 });
});

test("rows that values select are equal parts of their tensor", () => {
  const rows = g.input("rows", "float32", [8, 10]);
  const parts = [0, 1, 2, 3].map((expert) =>
    g.matMul(g.compress(rows, g.input(`chosen ${expert}`, "bool", [8]), 0, `rows_${expert}`), weight),
  );
  expect(countOperations(parts, {}).products).toBe(2 * 8 * 10 * 20);
});

/** By torch.utils.flop_counter of PyTorch 2.15, for a row of 8 tokens: matrix products and convolutions. */
test.each([
  ["bert", 258_048],
  // without the outer product of positions and frequencies, which Transformers computes as a matrix product
  ["llama", 249_920 - 2 * 8 * 4],
  ["gpt2", 241_664],
])("the products of a tiny %s are those that PyTorch counts", (name, products) => {
  const file = new URL(`../../golden/architectures/${name}.json`, import.meta.url);
  const { config } = JSON.parse(readFileSync(file, "utf8"));
  const card = LANGUAGE_MODELS.find((each) => each.recognises(config))!;
  const { logits } = card
    .architecture(config, "config.json")
    .forward({ ids: g.input("ids", "int32", [1, 8]) }, 8);
  expect(countOperations([logits], {}).products).toBe(products);
});

test("the products of a grouped convolution are those that PyTorch counts", () => {
  const image = g.input("image", "float32", [1, 4, 20]);
  const kernel = g.parameter("kernel", [6, 2, 5]);
  const y = g.conv(image, kernel, g.parameter("bias", [6]), { group: 2, pads: [2, 2], dilation: 1 });
  expect(countOperations([y], {}).products).toBe(2400);
});
