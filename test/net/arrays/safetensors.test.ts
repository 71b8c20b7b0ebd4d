import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, InternalError } from "../../../src/base/errors.ts";
import { openFile } from "../../../src/base/read-file.ts";
import type { DataOf, DType } from "../../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import {
  readSafetensors,
  type SafetensorsContents,
  writeSafetensors,
} from "../../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { bytesOf, safetensorsBytes } from "./safetensors-bytes.ts";

async function read(bytes: Uint8Array, folder = temporaryFolder()): Promise<SafetensorsContents> {
  const path = join(folder, "a.safetensors");
  writeFileSync(path, bytes);
  await using file = await openFile(path);
  return await readSafetensors(file);
}

const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});
const refusal = async (bytes: Uint8Array) => {
  const error = await read(bytes).then(
    () => undefined,
    (error) => error,
  );
  expect(error).toBeInstanceOf(FormatError);
  return (error as FormatError).describe().replace(/^.*a\.safetensors: /, "");
};

test("locates the arrays, in the order of the header, and the metadata", async () => {
  const header = {
    __metadata__: { format: "pt" },
    b: { dtype: "BF16", shape: [2], data_offsets: [24, 28] },
    a: f32([2, 3], 0, 24),
    none: { dtype: "I64", shape: [0, 4], data_offsets: [28, 28] },
    one: { dtype: "BOOL", shape: [], data_offsets: [28, 29] },
  };
  const { arrays, metadata } = await read(safetensorsBytes(header, new Uint8Array(29)));
  const start = 8 + JSON.stringify(header).length;
  expect([...metadata]).toEqual([["format", "pt"]]);
  expect(
    arrays.map(({ name, dtype, shape, offset, length }) => [name, dtype, shape, offset - start, length]),
  ).toEqual([
    ["b", "bfloat16", [2], 24, 4],
    ["a", "float32", [2, 3], 0, 24],
    ["none", "int64", [0, 4], 28, 0],
    ["one", "bool", [], 28, 1],
  ]);
});

test("allows padding spaces after the header", async () => {
  expect((await read(safetensorsBytes("{}   "))).arrays).toEqual([]);
});

describe("rejects a damaged file with the reason", () => {
  const data = new Uint8Array(16);
  const none = new Uint8Array(0);
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ["empty", none, /has 0 bytes, fewer than the smallest/],
    [
      "header longer than the file",
      safetensorsBytes("{}", none, { headerLength: 900n }),
      /should have 900 bytes.*only 2/,
    ],
    [
      "header longer than any file",
      safetensorsBytes("{}", none, { headerLength: 2n ** 64n - 1n }),
      /18446744073709551615/,
    ],
    ["header not an object", safetensorsBytes("[1]"), /does not begin with \{/],
    ["header not JSON", safetensorsBytes('{"a": '), /the header is not JSON/],
    ["header not UTF-8", safetensorsBytes("{}", none).with(9, 0xff), /not UTF-8/],
    ["nested too deep", safetensorsBytes(`{"a":${"[".repeat(5000)}`), /nested more than 8 deep/],
    [
      "duplicate name",
      safetensorsBytes('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}, "\\u0061" : 1}'),
      /the name "a" twice/,
    ],
    ["metadata not text", safetensorsBytes({ __metadata__: { a: 1 } }), /"__metadata__" is not a list/],
    ["entry not an object", safetensorsBytes({ a: [1] }), /tensor "a": the header's entry is not an object/],
    [
      "unknown type",
      safetensorsBytes({ a: { ...f32([4], 0, 16), dtype: "F8_E8M0" } }, data),
      /tensor "a": has the type "F8_E8M0"; expected one of/,
    ],
    [
      "type not text",
      safetensorsBytes({ a: { ...f32([4], 0, 16), dtype: null } }, data),
      /has the type null/,
    ],
    [
      "type that cannot be made text",
      safetensorsBytes({ a: { ...f32([4], 0, 16), dtype: { toString: 1 } } }, data),
      /has the type \{"toString":1\}/,
    ],
    [
      "type in a list",
      safetensorsBytes({ a: { ...f32([4], 0, 16), dtype: ["F32"] } }, data),
      /has the type \["F32"\]/,
    ],
    [
      "endless shape",
      safetensorsBytes({ a: { ...f32([4], 0, 16), shape: "9".repeat(5000) } }, data),
      /has the shape "9{79}…; expected/,
    ],
    ["negative length", safetensorsBytes({ a: f32([-4], 0, 16) }, data), /has the shape \[-4\]/],
    ["fraction", safetensorsBytes({ a: f32([1.5], 0, 16) }, data), /has the shape \[1.5\]/],
    ["impossible size", safetensorsBytes({ a: f32([1e9, 1e9, 1e9], 0, 16) }, data), /impossibly large shape/],
    [
      "overflow to a small size",
      safetensorsBytes({ a: f32([2 ** 32, 2 ** 32], 0, 0) }),
      /impossibly large shape/,
    ],
    [
      "size not of the shape",
      safetensorsBytes({ a: f32([3], 0, 16) }, data),
      /has 16 bytes, but its shape \[3\] in float32 takes 12/,
    ],
    [
      "three offsets",
      safetensorsBytes({ a: { ...f32([4], 0, 16), data_offsets: [0, 8, 16] } }, data),
      /expected \[begin, end\]/,
    ],
    ["backwards", safetensorsBytes({ a: f32([4], 16, 0) }, data), /run backwards/],
    [
      "beyond the end",
      safetensorsBytes({ a: f32([5], 0, 20) }, data),
      /ends at byte 20 of the data, but the file has only 16/,
    ],
    ["hole at the start", safetensorsBytes({ a: f32([3], 4, 16) }, data), /byte 4 follows a gap/],
    [
      "hole between",
      safetensorsBytes({ a: f32([1], 0, 4), b: f32([2], 8, 16) }, data),
      /tensor "b": its data at byte 8 follows a gap/,
    ],
    [
      "overlap",
      safetensorsBytes({ a: f32([3], 0, 12), b: f32([2], 8, 16) }, data),
      /tensor "b": its data at byte 8 overlaps/,
    ],
    [
      "bytes left over",
      safetensorsBytes({ a: f32([3], 0, 12) }, data),
      /4 bytes at the end belong to no tensor/,
    ],
  ];
  test.each(cases)("%s", async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });
});

test("rejects any corruption, or returns locations inside the file", async () => {
  const header = { __metadata__: { format: "pt" }, "a.weight": f32([2, 3], 0, 24), b: f32([], 24, 28) };
  const sound = safetensorsBytes(header, bytesOf(new Float32Array(7).map((_, i) => i)));
  const folder = temporaryFolder();
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(sound.length),
      fc.boolean(),
      async (flips, cut, doCut) => {
        const bytes = sound.slice(0, doCut ? cut : sound.length);
        for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
        try {
          for (const { offset, length } of (await read(bytes, folder)).arrays) {
            expect(offset + length).toBeLessThanOrEqual(bytes.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          refused++;
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(refused).toBeGreaterThan(100);
});

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

test("rejects a name given twice, and that of the metadata", async () => {
  const path = join(temporaryFolder(), "a.safetensors");
  const array = { name: "a", dtype: "float32" as const, shape: [0], data: new Float32Array(0) };
  await expect(writeSafetensors(path, [array, array])).rejects.toThrow("the name is used twice or reserved");
  await expect(writeSafetensors(path, [{ ...array, name: "__metadata__" }])).rejects.toThrow(
    "the name is used twice or reserved",
  );
});
