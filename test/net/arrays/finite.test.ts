import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import * as fileHandle from "../../../src/base/read-file.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { hyenadna } from "../../../src/models/language/hyenadna.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { bytesPerElement, type DType, viewAs } from "../../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { checkFinite, firstNotFinite } from "../../../src/net/arrays/finite.ts";
import { widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";
import { SAFETENSORS_TYPES } from "../../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

const CODES = new Map([...SAFETENSORS_TYPES].map(([code, dtype]) => [dtype, code]));

/** Elements of a tensor: of 4 and 8 bytes, more than the 4 MiB that are read at once. */
const countOf = (dtype: DType) => ({ float32: 1_050_000, float64: 525_000 })[dtype as string] ?? 3_000;

/** A checkpoint of a tensor "w", zero except for one element, and a tensor of integers. */
function checkpointWith(dtype: DType, element: number, bytes: readonly number[]): string {
  const path = join(temporaryFolder(), "model.safetensors");
  const count = countOf(dtype);
  const length = count * bytesPerElement(dtype);
  const header = {
    w: { dtype: CODES.get(dtype), shape: [3, count / 3], data_offsets: [0, length] },
    ids: { dtype: "I32", shape: [1], data_offsets: [length, length + 4] },
  };
  const data = new Uint8Array(length + 4).fill(0xff, length);
  data.set(bytes, element * bytesPerElement(dtype));
  writeFileSync(path, safetensorsBytes(header, data));
  return path;
}

const SPOILED: readonly (readonly [DType, readonly number[], string])[] = [
  ["float32", [0, 0, 0xc0, 0x7f], "NaN"],
  ["float32", [0, 0, 0x80, 0xff], "-Infinity"],
  ["float64", [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], "NaN"],
  // 1e300 is finite as stored, but not as float32.
  ["float64", [0x9c, 0x75, 0x00, 0x88, 0x3c, 0xe4, 0x37, 0x7e], "Infinity"],
  ["bfloat16", [0x80, 0x7f], "Infinity"],
  ["float16", [0, 0xfc], "-Infinity"],
  ["float8_e4m3fn", [0x7f], "NaN"],
  ["float8_e5m2", [0x7c], "Infinity"],
];

test.each(SPOILED)("%s %j is found, with the tensor's name and its element", async (dtype, bytes, value) => {
  const count = countOf(dtype);
  for (const element of [0, count - 321, count - 1]) {
    await using checkpoint = await openCheckpoint(checkpointWith(dtype, element, bytes));
    const folder = temporaryFolder();
    for (const _ of ["found", "recalled"]) {
      await expect(checkFinite(checkpoint, ["w", "ids"], folder)).rejects.toMatchObject({
        message: `element ${element} is ${value}: every weight must be a finite number`,
        place: { tensor: "w" },
      });
    }
    expect(readdirSync(folder)).toHaveLength(1);
    await checkFinite(checkpoint, ["ids"], folder);
  }
});

test.each(["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"] as const)(
  "every value of %s is finite or not as its float32 is",
  (dtype) => {
    const size = bytesPerElement(dtype);
    const all =
      size === 2
        ? Uint16Array.from({ length: 65536 }, (_, i) => i)
        : Uint8Array.from({ length: 256 }, (_, i) => i);
    const data = viewAs(dtype, new Uint8Array(all.buffer));
    const wide = widenToFloat32(dtype, data);
    const notFinite = [...all].filter((i) => firstNotFinite(dtype, data.subarray(i, i + 1)) === 0);
    expect(notFinite).toEqual([...all].filter((i) => !Number.isFinite(wide[i])));
    expect(notFinite.length).toBeGreaterThan(1);
  },
);

test("reads weights once: a second check uses the cached result, and a damaged one is rewritten", async () => {
  const folder = temporaryFolder();
  await using checkpoint = await openCheckpoint(checkpointWith("float32", 0, [0, 0, 0, 0]));
  await checkpoint.digest();
  const opened = vi.spyOn(fileHandle, "openFile");
  await checkFinite(checkpoint, ["w"], folder);
  const first = opened.mock.calls.length;
  await checkFinite(checkpoint, ["w"], folder);
  expect([first, opened.mock.calls.length]).toEqual([1, 1]);
  const [name] = readdirSync(folder);
  const text = readFileSync(join(folder, name), "utf8");
  truncateSync(join(folder, name), 5);
  await checkFinite(checkpoint, ["w"], folder);
  expect(opened).toHaveBeenCalledTimes(2);
  expect(readFileSync(join(folder, name), "utf8")).toBe(text);
  opened.mockRestore();
});

test("a model with a NaN weight cannot be opened", async () => {
  const folder = temporaryFolder();
  vi.stubEnv("DART_EVAL_CACHE", temporaryFolder());
  await initCheckpoint(hyenadna, { preset: "toy", seed: 0, folder });
  await (await LanguageModel.open(folder, [hyenadna])).close();
  const path = join(folder, "model.safetensors");
  const checkpoint = await openCheckpoint(path);
  const [name, { offset }] = [...checkpoint.arrays].find(([each]) => each.includes("mlp.fc1.weight"))!;
  await checkpoint.close();
  const bytes = readFileSync(path);
  bytes.writeFloatLE(Number.NaN, offset + 40);
  rmSync(path);
  writeFileSync(path, bytes);
  await expect(LanguageModel.open(folder, [hyenadna])).rejects.toMatchObject({
    message: "element 10 is NaN: every weight must be a finite number",
    place: { tensor: name },
  });
  vi.unstubAllEnvs();
});
