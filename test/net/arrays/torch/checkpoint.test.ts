import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../../../src/net/arrays/checkpoint.ts";

// scripts/golden/torch_checkpoint.py wrote these files and what PyTorch reads from them.
const golden = (name: string) => fileURLToPath(new URL(`../../../golden/torch/${name}`, import.meta.url));

interface Expected {
  dtype: string;
  shape: number[];
  contiguous: boolean;
  values: number[];
}
const { files } = JSON.parse(readFileSync(golden("expected.json"), "utf8")) as {
  files: Record<string, Record<string, Expected>>;
};

describe.each(Object.entries(files))("%s is read as PyTorch reads it", (name, tensors) => {
  test("the same names, types, shapes and orders", async () => {
    await using checkpoint = await openCheckpoint(golden(name));
    expect([...checkpoint.arrays.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [tensor, { dtype, shape, contiguous }] of Object.entries(tensors)) {
      const stored = checkpoint.arrays.get(tensor)!;
      expect([tensor, stored.dtype, stored.shape]).toEqual([tensor, dtype, shape]);
      expect([tensor, stored.strides === undefined]).toEqual([tensor, contiguous]);
    }
  });

  test.each(Object.entries(tensors))("%s", async (tensor, { values, shape }) => {
    await using checkpoint = await openCheckpoint(golden(name));
    const array = await checkpoint.read(tensor);
    expect(array.shape).toEqual(shape);
    expect(Array.from(array.data, Number)).toEqual(values);
  });
});
