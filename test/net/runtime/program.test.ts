import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { anonymousMemory } from "../../../src/base/process.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import * as g from "../../../src/net/graph/build.ts";
import {
  candidates,
  deviceKind,
  parseDevice,
  providerStates,
  trainingDevice,
  vulkanLoaders,
} from "../../../src/net/runtime/device.ts";
import { bundledProviders } from "../../../src/net/runtime/onnx-runtime.ts";
import { openProgram, type StoredParameter } from "../../../src/net/runtime/program.ts";

const folder = mkdtempSync(join(tmpdir(), "dart-eval-program-"));
afterAll(() => rmSync(folder, { recursive: true }));

const row = (...values: number[]) => ({
  dtype: "float32" as const,
  shape: [1, values.length],
  data: Float32Array.from(values),
});

test("maps weights in place, through a link into another folder, from two files", async () => {
  const blobs = join(folder, "blobs");
  const snapshot = join(folder, "snapshots", "1a2b");
  const float32 = (shape: number[], data: Float32Array) => ({ dtype: "float32" as const, shape, data });
  await writeSafetensors(join(blobs, "aa"), [
    { name: "w", ...float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)) },
  ]);
  await writeSafetensors(join(blobs, "nested", "bb"), [
    { name: "bias", ...float32([2], Float32Array.of(10, 20)) },
  ]);
  await writeSafetensors(join(snapshot, "placeholder.safetensors"), []);
  const index = { weight_map: { w: "one.safetensors", bias: "two.safetensors" } };
  writeFileSync(join(snapshot, "model.safetensors.index.json"), JSON.stringify(index));
  symlinkSync(join(blobs, "aa"), join(snapshot, "one.safetensors"));
  symlinkSync(join(blobs, "nested", "bb"), join(snapshot, "two.safetensors"));
  await using checkpoint = await openCheckpoint(snapshot);
  const x = g.input("x", "float32", ["b", 3]);
  const y = g.gemm(x, g.parameter("w", [2, 3]), g.parameter("bias", [2]), { transB: true });
  const program = await openProgram({ y }, checkpoint.arrays);
  const { y: result } = await program.run({ x: row(1, 0, -1) });
  expect([...(result.data as Float32Array)]).toEqual([8, 18]);
  await program.close();
});

test("a loop may return its inputs, a result twice, and tensors from outside", async () => {
  const x = g.input("x", "float32", ["t", 2]);
  const outside = g.add(g.slice(x, 0, 0, 1), 100);
  const { states, emitted } = g.scan([g.fill([1, 2], 0)], [x], ([h], [e]) => {
    const next = g.add(h, e);
    return { states: [next], emit: [e, next, next, outside, h] };
  });
  const program = await openProgram(Object.fromEntries([...states, ...emitted].map((y, i) => [`y${i}`, y])));
  const feed = { dtype: "float32" as const, shape: [2, 2], data: Float32Array.of(1, 2, 3, 5) };
  const results = await program.run({ x: feed });
  await program.close();
  const values = Object.values(results).map(({ data }) => [...(data as Float32Array)]);
  expect(values).toEqual([
    [4, 7],
    [1, 2, 3, 5],
    [1, 2, 4, 7],
    [1, 2, 4, 7],
    [101, 102, 101, 102],
    [0, 0, 1, 2],
  ]);
});

test("opening and running a program over a large file does not bring the file into JavaScript's memory", async () => {
  const [rows, width] = [1 << 20, 64];
  const file = join(folder, "large.safetensors");
  const data = async () => new Float32Array(rows * width).fill(0.5); // 256 MiB
  await writeSafetensors(file, [{ name: "table", dtype: "float32", shape: [rows, width], data }]);
  await using checkpoint = await openCheckpoint(file);
  const before = process.memoryUsage();
  const ids = g.input("ids", "int32", ["n"]);
  const program = await openProgram(
    { y: g.reduceSum(g.gather(g.parameter("table", [rows, width]), ids), [1]) },
    checkpoint.arrays,
  );
  const { y } = await program.run({ ids: { dtype: "int32", shape: [2], data: Int32Array.of(0, rows - 1) } });
  const after = process.memoryUsage();
  expect([...(y.data as Float32Array)]).toEqual([32, 32]);
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(16e6);
  await program.close();
});

describe("weights in 16 bits", () => {
  const [width, layers] = [256, 3];
  const weights = Array.from({ length: layers }, (_, i) => ({
    name: `${i}`,
    shape: [width, width],
    bits: Uint16Array.from(
      { length: width * width },
      (_, j) => 0x3c00 + ((j * 7919 + i) % 127) + (j % 2) * 0x8000,
    ),
  }));
  const x = g.input("x", "float32", ["b", width]);
  const y = weights.reduce((rows, { name, shape }) => g.tanh(g.gemm(rows, g.parameter(name, shape))), x);
  const feed = { dtype: "float32", shape: [2, width], data: new Float32Array(2 * width).fill(0.25) } as const;

  async function scores(
    dtype: "bfloat16" | "float16" | "float32",
    of: "bfloat16" | "float16",
    perUse: boolean,
  ) {
    const file = join(folder, `${dtype}-${of}.safetensors`);
    const arrays = weights.map(({ name, shape, bits }) => ({
      name,
      shape,
      dtype,
      data: dtype === "float32" ? widenToFloat32(of, bits) : bits,
    }));
    await writeSafetensors(file, arrays);
    await using checkpoint = await openCheckpoint(file);
    const sources = [...checkpoint.arrays].map(([name, stored]) => [name, { ...stored, perUse }] as const);
    const program = await openProgram({ y }, new Map(sources), { threads: 1 });
    const { y: result } = await program.run({ x: feed });
    await program.close();
    return [...(result.data as Float32Array)];
  }

  test.each(["bfloat16", "float16"] as const)("%s gives the bits of its float32 copy", async (dtype) => {
    const held = await scores(dtype, dtype, false);
    expect(held).toEqual(await scores("float32", dtype, false));
    const loaded = await scores(dtype, dtype, true);
    expect(loaded).toEqual(await scores("float32", dtype, true));
    // Products of held weights add in another order.
    loaded.forEach((value, i) => {
      expect(value).toBeCloseTo(held[i], 5);
    });
  });

  test("are loaded from behind 4 GiB of a file for each use, one at a time", async () => {
    const [size, count] = [2048, 12];
    const file = join(folder, "sparse");
    const start = 2 ** 32 + 4096;
    await using handle = await open(file, "w");
    await handle.truncate(start + count * 2 * size * size);
    const sources = new Map<string, StoredParameter>();
    const input = g.input("x", "float32", ["b", size]);
    let rows = input;
    for (let i = 0; i < count; i++) {
      const offset = start + i * 2 * size * size;
      await handle.write(Uint8Array.of(0x80, 0x3f), 0, 2, offset); // 1 in the first row and column
      const shape = [size, size];
      const place = {
        name: `${i}`,
        dtype: "bfloat16",
        shape,
        file,
        offset,
        length: 2 * size * size,
      } as const;
      sources.set(`${i}`, { ...place, perUse: true });
      rows = g.gemm(rows, g.parameter(`${i}`, shape));
    }
    const before = await anonymousMemory();
    const program = await openProgram({ y: rows }, sources, { threads: 1 });
    const data = new Float32Array(size).fill(3);
    const { y: result } = await program.run({ x: { dtype: "float32", shape: [1, size], data } });
    // All of them take 201 MB as float32, one takes 17 MB.
    expect((await anonymousMemory()) - before).toBeLessThan(80e6);
    expect([...(result.data as Float32Array).subarray(0, 2)]).toEqual([3, 0]);
    await program.close();
  });
});

describe("rejects what does not match the graph", () => {
  const x = g.input("x", "float32", ["b", 3]);
  const y = g.input("y", "float32", ["b", 3]);

  test("a parameter of another shape, or without values", async () => {
    const z = g.mul(x, g.parameter("w", [3]));
    await expect(openProgram({ z })).rejects.toThrow(/parameter w has no values/);
    await expect(openProgram({ z }, new Map([["w", row(1, 2)]]))).rejects.toThrow(
      /parameter w is \[1, 2\]; expected \[3\]/,
    );
  });

  test("an input of another shape, a missing one, two sizes for one axis", async () => {
    const program = await openProgram({ z: g.add(x, y) });
    await expect(program.run({ x: row(1, 2, 3) })).rejects.toThrow(/the input y is not given/);
    await expect(program.run({ x: row(1, 2), y: row(1, 2) })).rejects.toThrow(/the input x is \[1, 2\]/);
    const two = { dtype: "float32" as const, shape: [2, 3], data: new Float32Array(6) };
    await expect(program.run({ x: row(1, 2, 3), y: two })).rejects.toThrow(/the input y is \[2, 3\]/);
    await program.close();
  });
});

describe("devices", () => {
  test("the CPU is always present, and every device has installation advice", async () => {
    const here = providerStates(await bundledProviders());
    expect(here.find(({ device }) => device === "cpu")!.present).toBe(true);
    for (const { advice } of here) expect(advice.length).toBeGreaterThan(10);
  });

  test("rejects a device whose provider is not installed, with advice", () => {
    const bundled = new Set(["cpu", "webgpu"]);
    expect(() => candidates("cuda", bundled)).toThrow(/the device cuda is not available: .* cpu, webgpu/);
    const cuda = providerStates(bundled).find(({ device }) => device === "cuda")!;
    expect(cuda.advice).toContain("`dart-eval install cuda`");
    expect(candidates("auto", bundled)).toEqual(["webgpu", "cpu"]);
    expect(candidates("cpu", bundled)).toEqual(["cpu"]);
  });

  test("a GPU has a number, and devices that do not train leave training to the CPU", () => {
    expect(["webgpu", "auto", "cuda:1", "cuda:01", "cuda:-1", "cuda:", "tpu"].map(parseDevice)).toEqual([
      ...["webgpu", "auto", "cuda:1", "cuda:1"],
      ...[undefined, undefined, undefined],
    ]);
    expect(candidates("cuda:1", new Set(["cuda"]))).toEqual(["cuda:1"]);
    expect(() => candidates("cuda:1", new Set(["cpu"]))).toThrow(/cuda:1 is not available/);
    expect(deviceKind("cuda:1")).toBe("cuda");
    const devices = ["cpu", "webgpu", "cuda:1", "coreml", "dml", "auto"] as const;
    expect(devices.map(trainingDevice)).toEqual(["cpu", "webgpu", "cuda:1", "cpu", "cpu", "cpu"]);
  });

  test("looks for WebGPU only where there is a Vulkan loader", () => {
    expect(vulkanLoaders("darwin", undefined)).toEqual([]);
    expect(vulkanLoaders("linux", "/opt/a:/opt/b").slice(0, 2)).toEqual([
      "/opt/a/libvulkan.so.1",
      "/opt/b/libvulkan.so.1",
    ]);
    expect(vulkanLoaders("linux", undefined)).toContain("/usr/lib/x86_64-linux-gnu/libvulkan.so.1");
  });

  test("auto falls back to the CPU", async () => {
    const x = g.input("x", "float32", ["b", 3]);
    const program = await openProgram({ y: g.neg(x) }, new Map(), { device: "auto" });
    const { y } = await program.run({ x: row(1, 2, 3) });
    expect([...(y.data as Float32Array)]).toEqual([-1, -2, -3]);
    await program.close();
  });
});
