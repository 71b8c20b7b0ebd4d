import { expect, test } from "vitest";
import { NETWORKS } from "../../../src/models/baselines/networks.ts";
import { input } from "../../../src/net/graph/build.ts";

test.each(NETWORKS)("$name can be built for its shortest length, but not below", (model) => {
  const { shortest, build } = model.network;
  const logitsOf = (length: number) =>
    build({ length, outputs: 2 }).logits(input("x", "float32", ["b", length, 4]));
  expect(logitsOf(shortest).shape).toEqual(["b", 2]);
  expect(() => logitsOf(shortest - 1)).toThrow();
});
