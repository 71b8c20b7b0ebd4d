import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { FormatError, InputError } from "../../../src/base/errors.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import { needsCopy } from "../../../src/net/arrays/stored-array.ts";
import { text } from "../../base/zip-bytes.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const golden = (name: string) => fileURLToPath(new URL(`../../golden/torch/${name}`, import.meta.url));

const counting = (length: number) => Float32Array.from({ length }, (_, i) => i);
const array = (name: string, shape: number[]) => ({
  name,
  dtype: "float32" as const,
  shape,
  data: counting(shape.reduce((count, length) => count * length, 1)),
});

async function problem(path: string): Promise<InputError> {
  const error = await openCheckpoint(path).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputError);
  return error as InputError;
}

describe("accepted paths", () => {
  test("a folder's model.safetensors before its pytorch_model.bin", async () => {
    const folder = temporaryFolder();
    await writeSafetensors(join(folder, "model.safetensors"), [array("a", [2])]);
    writeFileSync(join(folder, "pytorch_model.bin"), "not looked at");
    await using checkpoint = await openCheckpoint(folder);
    expect([...checkpoint.arrays.keys()]).toEqual(["a"]);
  });

  test("opens the only safetensors file of a folder, whatever its name, but not one of two", async () => {
    const folder = temporaryFolder();
    await writeSafetensors(join(folder, "head.safetensors"), [array("a", [2])]);
    await using checkpoint = await openCheckpoint(folder);
    expect([...checkpoint.arrays.keys()]).toEqual(["a"]);
    await writeSafetensors(join(folder, "tail.safetensors"), [array("a", [2])]);
    expect((await problem(folder)).describe()).toMatch(
      /2 safetensors files.*\n.*head.safetensors, tail.safetensors/,
    );
  });

  test("recognises the format by the first bytes, not by the name", async () => {
    const path = join(temporaryFolder(), "pytorch_model.bin");
    await writeSafetensors(path, [array("a", [2])], { format: "pt" });
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.metadata.get("format")).toBe("pt");
  });

  test("follows a link to the real file, as hub caches need", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "blobs"));
    mkdirSync(join(folder, "snapshots"));
    await writeSafetensors(join(folder, "blobs", "0a1b"), [array("a", [2])]);
    symlinkSync("../blobs/0a1b", join(folder, "snapshots", "model.safetensors"));
    await using checkpoint = await openCheckpoint(join(folder, "snapshots"));
    expect(checkpoint.files).toEqual([join(folder, "blobs", "0a1b")]);
    expect(checkpoint.arrays.get("a")!.file).toBe(checkpoint.files[0]);
  });
});

describe("names the format of other files", () => {
  const cases: [what: string, bytes: Uint8Array | string, message: RegExp][] = [
    ["empty", "", /the file is empty\n/],
    ["text", "hello", /neither a safetensors file nor a PyTorch checkpoint/],
    [
      "Git LFS",
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
      /a Git LFS pointer.*\n.*git lfs pull/,
    ],
    ["a page", "<!DOCTYPE html><html></html>", /this is a web page/],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0), /compressed with gzip/],
    ["HDF5", text("\u0089HDF\r\n\u001a\n").slice(1), /an HDF5 file/],
    ["a bare pickle", Uint8Array.of(0x80, 4, 0x4e, 0x2e), /a bare pickle/],
    [
      "PyTorch before 0.1.10",
      text(`${"\0".repeat(257)}ustar\0`),
      /a tar archive, PyTorch's format from before/,
    ],
  ];
  test.each(cases)("%s", async (_, bytes, message) => {
    const path = join(temporaryFolder(), "model.safetensors");
    writeFileSync(path, bytes);
    expect((await problem(path)).describe()).toMatch(message);
  });

  test("PyTorch before 1.6", async () => {
    const path = golden("before-1.6.bin");
    expect((await problem(path)).describe()).toMatch(
      /format from before version 1.6\n.*torch.save\(torch.load/,
    );
  });

  test("an empty folder, and nothing at all", async () => {
    const folder = temporaryFolder();
    expect((await problem(folder)).describe()).toMatch(
      /this folder has no checkpoint\n.*model.safetensors, /,
    );
    expect((await problem(join(folder, "none"))).describe()).toMatch(/none: no such file or folder/);
  });
});

describe("shards", () => {
  async function sharded(weightMap: Record<string, string>): Promise<string> {
    const folder = temporaryFolder();
    await writeSafetensors(join(folder, "1.safetensors"), [array("a", [2]), array("b", [3])]);
    await writeSafetensors(join(folder, "2.safetensors"), [array("c", [4])]);
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
    return folder;
  }
  const sound = { a: "1.safetensors", b: "1.safetensors", c: "2.safetensors" };

  test("form one checkpoint", async () => {
    const folder = await sharded(sound);
    await using checkpoint = await openCheckpoint(folder);
    expect(checkpoint.files).toEqual([join(folder, "1.safetensors"), join(folder, "2.safetensors")]);
    expect((await checkpoint.read("c")).data).toEqual(counting(4));
    expect((await checkpoint.read("b")).data).toEqual(counting(3));
    const lines = ["1.safetensors", "2.safetensors"].map(
      (name) => `${sha256Hex(readFileSync(join(folder, name)))}  ${name}\n`,
    );
    expect(await checkpoint.digest()).toBe(sha256Hex(lines.join("")));
  });

  test.each([
    [
      "a missing one",
      { ...sound, c: "3.safetensors" },
      /3.safetensors: this shard is missing: model.safetensors.index.json names 2 shards/,
    ],
    [
      "one outside",
      { ...sound, c: "../2.safetensors" },
      /tensor "c": is placed in "..\/2.safetensors", which is not a plain file name/,
    ],
    ["an absolute one", { ...sound, c: "/etc/passwd" }, /not a plain file name/],
    ["the folder itself", { ...sound, c: ".." }, /not a plain file name/],
    ["the wrong one", { ...sound, c: "1.safetensors" }, /tensor "c": is missing from this shard, where/],
    ["none", {}, /lists no shards/],
  ])("rejects %s", async (_, weightMap, message) => {
    expect((await problem(await sharded(weightMap))).describe()).toMatch(message);
  });

  test("rejects a tensor in two shards", async () => {
    const folder = await sharded(sound);
    await writeSafetensors(join(folder, "2.safetensors"), [array("c", [4]), array("a", [2])]);
    expect((await problem(folder)).describe()).toMatch(/2.safetensors: tensor "a": is in two shards/);
  });

  test.each([
    ["not JSON", "{", /the index is not JSON/],
    ["a list", "[]", /no "weight_map"/],
    ["names twice", '{"weight_map": {"a": "1", "a": "2"}}', /gives the name "a" twice/],
    ["not text", Uint8Array.of(0xff), /not UTF-8/],
  ])("rejects an index that is %s", async (_, bytes, message) => {
    const path = join(temporaryFolder(), "model.safetensors.index.json");
    writeFileSync(path, bytes);
    const error = await problem(path);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.describe()).toMatch(message);
  });
});

describe("reading", () => {
  async function opened() {
    const path = join(temporaryFolder(), "model.safetensors");
    await writeSafetensors(path, [
      array("embedding", [5, 2]),
      array("padded", [1, 1, 3, 2]),
      array("bias", [4]),
      array("ones", [1, 1]),
      { name: "scalar", dtype: "float32", shape: [], data: Float32Array.of(7) },
      { name: "half", dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0xc000) },
      { name: "ids", dtype: "int64", shape: [2], data: BigInt64Array.of(1n, -1n) },
    ]);
    return await openCheckpoint(path);
  }

  test("rows run along the first axis longer than one", async () => {
    await using checkpoint = await opened();
    const rows = async (name: string, start: number, end: number) => {
      const { shape, data } = await checkpoint.read(name, { rows: [start, end] });
      return [shape, ...Array.from(data, Number)];
    };
    expect(await rows("embedding", 1, 3)).toEqual([[2, 2], 2, 3, 4, 5]);
    expect(await rows("embedding", 2, 2)).toEqual([[0, 2]]);
    expect(await rows("padded", 2, 3)).toEqual([[1, 1, 1, 2], 4, 5]);
    expect(await rows("bias", 0, 2)).toEqual([[2], 0, 1]);
    expect(await rows("ones", 0, 1)).toEqual([[1, 1], 0]);
    expect(await rows("half", 1, 2)).toEqual([[1], -2]);
  });

  test("widens floats unless `asStored`, and keeps integers", async () => {
    await using checkpoint = await opened();
    expect(await checkpoint.read("half")).toEqual({
      dtype: "float32",
      shape: [2],
      data: Float32Array.of(1, -2),
    });
    expect((await checkpoint.read("half", { asStored: true })).data).toEqual(Uint16Array.of(0x3c00, 0xc000));
    expect((await checkpoint.read("ids")).data).toEqual(BigInt64Array.of(1n, -1n));
  });

  test.each([
    ["embedding", [3, 6], 'tensor "embedding": rows [3, 6) are out of range; the shape [5, 2] has 5'],
    ["embedding", [-1, 2], "rows [-1, 2) are out of range"],
    ["embedding", [2, 1], "rows [2, 1) are out of range"],
    ["embedding", [0.5, 1], "rows [0.5, 1) are out of range"],
    ["scalar", [0, 1], "a single number has no rows"],
  ] as const)("rejects rows of %s %j", async (name, rows, message) => {
    await using checkpoint = await opened();
    const error = await checkpoint.read(name, { rows }).catch((error: unknown) => error);
    expect((error as InputError).describe()).toContain(message);
  });

  test("rejects an unknown name, listing some known ones", async () => {
    await using checkpoint = await opened();
    const error = await checkpoint.read("weight").catch((error: unknown) => error);
    expect((error as InputError).describe()).toMatch(
      /there is no tensor "weight"\n {2}it has 7 tensors, such as /,
    );
  });

  test("reads rows of a strided view", async () => {
    const path = golden("views.bin");
    await using checkpoint = await openCheckpoint(path);
    for (const [name, { shape }] of checkpoint.arrays) {
      const whole = await checkpoint.read(name);
      const width = whole.data.length / shape[0];
      for (let row = 0; row < shape[0]; row++) {
        const { data } = await checkpoint.read(name, { rows: [row, row + 1] });
        expect([name, ...data]).toEqual([name, ...whole.data.slice(row * width, (row + 1) * width)]);
      }
    }
  });
});

test("states why an array cannot be used in place", async () => {
  const header = {
    a: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
    b: { dtype: "F32", shape: [1], data_offsets: [1, 5] },
  };
  const path = join(temporaryFolder(), "odd.safetensors");
  writeFileSync(path, safetensorsBytes(JSON.stringify(header).padEnd(120), new Uint8Array(5)));
  await using odd = await openCheckpoint(path);
  expect(needsCopy(odd.arrays.get("a")!)).toBeUndefined();
  expect(needsCopy(odd.arrays.get("b")!)).toMatch(
    /^its data starts at byte \d+, which is not a multiple of 4$/,
  );

  await using types = await openCheckpoint(golden("element-types.bin"));
  await using views = await openCheckpoint(golden("views.bin"));
  expect(needsCopy(views.arrays.get("middle_rows")!)).toBeUndefined();
  expect(needsCopy(types.arrays.get("bfloat16")!)).toBeUndefined();
  expect(needsCopy(types.arrays.get("float64")!)).toBe("its type is float64, not float32, bfloat16, float16");
  expect(needsCopy(views.arrays.get("transposed")!)).toBe("its elements are not in row-major order");
});

test("the digest is the file's SHA-256", async () => {
  const folder = temporaryFolder();
  vi.stubEnv("DART_EVAL_CACHE", join(folder, "cache"));
  const path = join(folder, "model.safetensors");
  await writeSafetensors(path, [array("a", [2])]);
  await using checkpoint = await openCheckpoint(path);
  expect(await checkpoint.digest()).toBe(sha256Hex(readFileSync(path)));
});

const countsReads = process.platform === "linux";
const bytesRead = () => Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

test.skipIf(!countsReads)(
  "opening 200 MB reads the header and nothing of the data [needs Linux]",
  async () => {
    const path = join(temporaryFolder(), "model.safetensors");
    const rows = 50_000;
    const header = { weight: { dtype: "F32", shape: [rows, 1000], data_offsets: [0, rows * 4000] } };
    const start = safetensorsBytes(header);
    writeFileSync(path, start);
    truncateSync(path, start.length + rows * 4000);

    const readBefore = bytesRead();
    const heldBefore = process.memoryUsage().arrayBuffers;
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.arrays.get("weight")!.length).toBe(200_000_000);
    expect(bytesRead() - readBefore).toBeLessThan(100_000);
    expect(process.memoryUsage().arrayBuffers - heldBefore).toBeLessThan(1_000_000);

    const { data } = await checkpoint.read("weight", { rows: [49_990, 50_000] });
    expect(data.length).toBe(10_000);
    expect(bytesRead() - readBefore).toBeLessThan(200_000);
  },
);
