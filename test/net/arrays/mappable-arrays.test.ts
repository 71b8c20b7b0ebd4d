import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Checkpoint, openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { mappableArrays } from "../../../src/net/arrays/mappable-arrays.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import { needsCopy } from "../../../src/net/arrays/stored-array.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const golden = (name: string) => fileURLToPath(new URL(`../../golden/torch/${name}`, import.meta.url));
const views = golden("views.bin");

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv("DART_EVAL_CACHE", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Values seen by a program that maps the arrays in place. */
function mapped(file: string, offset: number, length: number): number[] {
  return [...new Float32Array(new Uint8Array(readFileSync(file).subarray(offset, offset + length)).buffer)];
}

test.each([
  ["shared.bin", undefined],
  ["element-types.bin", ["bfloat16", "float16", "float32", "int64"]],
])("uses row-major floats of 32 and 16 bits of %s in place", async (name, names) => {
  await using checkpoint = await openCheckpoint(golden(name));
  const wanted = names ?? [...checkpoint.arrays.keys()];
  const arrays = await mappableArrays(checkpoint, wanted);
  expect([...arrays]).toEqual(wanted.map((each) => [each, checkpoint.arrays.get(each)]));
  expect(readdirSync(folder)).toEqual([]);
});

test("copies views, float64, 16-bit and plain arrays together, with the values of `read`", async () => {
  for (const name of ["views.bin", "element-types.bin"]) {
    await using checkpoint = await openCheckpoint(golden(name));
    const floats = [...checkpoint.arrays.values()].filter(({ dtype }) => /float/.test(dtype));
    const arrays = await mappableArrays(
      checkpoint,
      floats.map(({ name }) => name),
    );
    expect([...arrays.keys()].sort()).toEqual(floats.map(({ name }) => name).sort());
    for (const stored of arrays.values()) {
      expect(needsCopy(stored)).toBeUndefined();
      const { shape, data } = await checkpoint.read(stored.name);
      expect([stored.name, stored.dtype, stored.shape]).toEqual([stored.name, "float32", shape]);
      expect(mapped(stored.file, stored.offset, stored.length)).toEqual([...(data as Float32Array)]);
    }
  }
});

test("keeps the type of integers in a copy", async () => {
  await using checkpoint = await openCheckpoint(golden("element-types.bin"));
  const arrays = await mappableArrays(checkpoint, ["float64", "float16", "int64", "bool"]);
  expect([...arrays.values()].map(({ name, dtype }) => [name, dtype]).sort()).toEqual([
    ["bool", "bool"],
    ["float16", "float32"],
    ["float64", "float32"],
    ["int64", "int64"],
  ]);
});

async function copyOf(checkpoint: Checkpoint, names = ["transposed", "column"]) {
  const [first] = (
    await mappableArrays(
      checkpoint,
      names.filter((name) => checkpoint.arrays.has(name)),
    )
  ).values();
  return first.file;
}

test("writes a copy once per set of names, and rewrites a damaged one", async () => {
  await using checkpoint = await openCheckpoint(views);
  const path = await copyOf(checkpoint);
  const { mtimeNs } = statSync(path, { bigint: true });
  expect(await copyOf(checkpoint)).toBe(path);
  expect(statSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs);
  expect(await copyOf(checkpoint, ["transposed_half"])).not.toBe(path);

  const sound = readFileSync(path);
  const damaged = Uint8Array.from(sound);
  damaged[damaged.length - 1] ^= 1;
  writeFileSync(path, damaged);
  expect(await copyOf(checkpoint)).toBe(path);
  expect(readFileSync(path).equals(sound)).toBe(true);

  writeFileSync(`${path}.sha256`, "");
  expect(await copyOf(checkpoint)).toBe(path);
  expect(readFileSync(`${path}.sha256`, "utf8")).toMatch(/^[0-9a-f]{64} {2}[0-9a-f]{32}\.safetensors\n$/);
});

test("copies arrays of two folders into one, since a session maps one folder", async () => {
  const home = temporaryFolder();
  const weight = (name: string) => ({
    name,
    dtype: "float32" as const,
    shape: [1],
    data: Float32Array.of(1),
  });
  for (const name of ["a", "b"]) {
    mkdirSync(join(home, name));
    await writeSafetensors(join(home, name, `${name}.safetensors`), [weight(name)]);
    symlinkSync(join(home, name, `${name}.safetensors`), join(home, `${name}.safetensors`));
  }
  const index = { weight_map: { a: "a.safetensors", b: "b.safetensors" } };
  writeFileSync(join(home, "model.safetensors.index.json"), JSON.stringify(index));
  await using checkpoint = await openCheckpoint(home);
  const arrays = await mappableArrays(checkpoint, ["a", "b"]);
  expect(new Set([...arrays.values()].map(({ file }) => dirname(file))).size).toBe(1);
});

test("a copy that the disk has no room for is refused before it is written", async () => {
  await using opened = await openCheckpoint(views);
  const huge = { ...opened.arrays.get("transposed")!, shape: [2 ** 22, 2 ** 22] };
  const checkpoint = { ...opened, arrays: new Map([["transposed", huge]]) };
  await expect(mappableArrays(checkpoint, ["transposed"])).rejects.toThrow(
    /a copy of these weights as float32 takes 65536.0 GiB, and [\d.]+ GiB are free in .*float32/,
  );
  expect(readdirSync(join(folder, "float32")).filter((name) => name.endsWith(".safetensors"))).toEqual([]);
});

test("rejects an unknown name before anything is written", async () => {
  await using checkpoint = await openCheckpoint(views);
  await expect(mappableArrays(checkpoint, ["transposed", "none"])).rejects.toThrow(
    "is not in the checkpoint",
  );
  expect(existsSync(join(folder, "float32"))).toBe(false);
});
