import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InternalError } from "../../../src/base/errors.ts";
import type { DataOf, DType } from "../../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

test("writes the bytes of the reference implementation", async () => {
  // scripts/golden/torch_checkpoint.py wrote the file with safetensors 0.8.0.
  const reference = fileURLToPath(new URL("../../golden/torch/rust.safetensors", import.meta.url));
  await using checkpoint = await openCheckpoint(reference);
  const arrays = await Promise.all(
    [...checkpoint.arrays.values()].map(async ({ name, dtype, shape }) => {
      const { data } = await checkpoint.read(name, { asStored: true });
      return { name, dtype, shape, data };
    }),
  );
  const written = join(temporaryFolder(), "written.safetensors");
  await writeSafetensors(written, arrays.toReversed(), Object.fromEntries(checkpoint.metadata));
  expect(arrays.length).toBe(3);
  expect(readFileSync(written).equals(readFileSync(reference))).toBe(true);
});

const anyArray = fc
  .tuple(
    fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
    fc.constantFrom<[DType, (values: number[]) => DataOf][]>(
      ["float32", (values) => Float32Array.from(values)],
      ["float64", (values) => Float64Array.from(values)],
      ["bfloat16", (values) => Uint16Array.from(values)],
      ["int64", (values) => BigInt64Array.from(values, BigInt)],
      ["bool", (values) => Uint8Array.from(values, (value) => value % 2)],
    ),
    fc.array(fc.nat(4), { maxLength: 3 }),
    fc.infiniteStream(fc.nat(60000)),
  )
  .map(([name, [dtype, make], shape, stream]) => {
    const count = shape.reduce((product, length) => product * length, 1);
    return { name, dtype, shape, data: make([...stream.take(count)]) };
  });

test("reads back what it wrote", async () => {
  const path = join(temporaryFolder(), "any.safetensors");
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anyArray, { selector: ({ name }) => name, maxLength: 6 }),
      async (arrays) => {
        await writeSafetensors(path, arrays, { made: "by a test" });
        await using checkpoint = await openCheckpoint(path);
        expect([...checkpoint.metadata]).toEqual([["made", "by a test"]]);
        expect(checkpoint.arrays.size).toBe(arrays.length);
        for (const { name, ...array } of arrays) {
          expect(await checkpoint.read(name, { asStored: true })).toEqual(array);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("requests arrays one at a time, and leaves nothing when one fails", async () => {
  const folder = temporaryFolder();
  const asked: string[] = [];
  const array = (name: string, data: () => Promise<Float32Array>) => ({
    name,
    dtype: "float32" as const,
    shape: [2],
    data: () => {
      asked.push(name);
      return data();
    },
  });
  const sound = async () => new Float32Array(2);
  await writeSafetensors(join(folder, "a.safetensors"), [array("b", sound), array("a", sound)]);
  expect(asked).toEqual(["a", "b"]);

  const short = writeSafetensors(join(folder, "b.safetensors"), [
    array("a", sound),
    array("b", async () => new Float32Array(1)),
  ]);
  await expect(short).rejects.toThrow(InternalError);
  const broken = writeSafetensors(join(folder, "c.safetensors"), [
    array("a", () => Promise.reject(new Error("gone"))),
  ]);
  await expect(broken).rejects.toThrow("gone");
  expect(readdirSync(folder)).toEqual(["a.safetensors"]);
});

test("a name given twice, or the metadata's own, is refused", async () => {
  const path = join(temporaryFolder(), "a.safetensors");
  const array = { name: "a", dtype: "float32" as const, shape: [0], data: new Float32Array(0) };
  await expect(writeSafetensors(path, [array, array])).rejects.toThrow("the name is used twice or reserved");
  await expect(writeSafetensors(path, [{ ...array, name: "__metadata__" }])).rejects.toThrow(
    "the name is used twice or reserved",
  );
});
