import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../src/base/errors.ts";
import { openFile } from "../../../src/base/read-file.ts";
import { readSafetensors, type SafetensorsContents } from "../../../src/net/arrays/safetensors.ts";
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
      /tensor "a": has the type "F8_E8M0"; known are/,
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
