import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import h5wasm from "h5wasm/node";
import { expect, onTestFinished, test, vi } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { isFloat } from "../../../src/net/arrays/array.ts";
import { widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";
import { openHdf5 } from "../../../src/net/arrays/hdf5.ts";
import { openKeras } from "../../../src/net/arrays/keras.ts";
import { writeHdf5 } from "../../../src/net/arrays/write-hdf5.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

interface Expected {
  readonly type: "group" | "dataset";
  readonly keys_in_library_order?: readonly string[];
  readonly shape?: readonly number[];
  readonly dtype?: string;
  readonly sha256_little_endian?: string;
}

const expectedOf = (name: string): Readonly<Record<string, Expected>> =>
  JSON.parse(readFileSync(sharedData("formats/expected.json")!, "utf8")).hdf5[name];

const sha256 = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  createHash("sha256")
    .update(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength))
    .digest("hex");

testWithSharedData(
  "names, shapes, types and every byte agree with h5py, compressed or not",
  "formats/hdf5/dart_layout.h5",
  async (path) => {
    await using file = await openHdf5(path);
    let compared = 0;
    for (const [place, expected] of Object.entries(expectedOf("hdf5/dart_layout.h5"))) {
      const name = place.slice(1);
      if (expected.type === "group") {
        if (name !== "") expect(file.names(name), place).toEqual(expected.keys_in_library_order);
        expect(file.array(name)).toBeUndefined();
        continue;
      }
      const array = file.array(name)!;
      expect([array.shape, array.dtype], place).toEqual([expected.shape, expected.dtype]);
      expect(sha256(array.read().data), place).toBe(expected.sha256_little_endian);
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
    expect(file.names("nothing")).toEqual([]);
    expect(file.array("seq/nothing")).toBeUndefined();
  },
);

testWithSharedData("rows equal those of the whole array", "formats/hdf5/dart_layout.h5", async (path) => {
  await using file = await openHdf5(path);
  const array = file.array("seq/emb_32_64")!;
  const whole = array.read().data as Int8Array;
  const some = array.read([15, 18]);
  expect(some.shape).toEqual([3, 350, 4]);
  expect(some.data).toEqual(whole.slice(15 * 1400, 18 * 1400));
  expect(array.read([4, 4]).data).toHaveLength(0);
  expect(() => array.read([30, 33])).toThrow(/rows \[30, 33\) are out of range: it has 32/);
});

testWithSharedData("rejects a damaged file with its name", "formats/hdf5/dart_layout.h5", async (path) => {
  const bytes = readFileSync(path);
  const copy = join(temporaryFolder(), "cut.h5");
  writeFileSync(copy, bytes.subarray(0, 3000));
  await expect(openHdf5(copy)).rejects.toThrow(/the file cannot be read/);
});

test("rejects a file of another format", async () => {
  const path = join(temporaryFolder(), "text.h5");
  writeFileSync(path, "x".repeat(3000));
  await expect(openHdf5(path)).rejects.toThrow(/this is not an HDF5 file/);
});

const golden = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "golden", "hdf5");
const numbersOf = (expected: number | readonly number[]) => [expected].flat();

test.each(["types-v1.h5", "types-v2.h5"])(
  "%s: numbers of every standard type, in either byte order, are those that h5py reads",
  async (name) => {
    await using file = await openHdf5(join(golden, name));
    const expected = JSON.parse(readFileSync(join(golden, "expected.json"), "utf8"));
    expect(Object.keys(expected).length).toBeGreaterThan(25);
    for (const [path, numbers] of Object.entries<number | readonly number[]>(expected)) {
      const { dtype, data, shape } = file.array(path)!.read();
      const wide = isFloat(dtype) ? widenToFloat32(dtype, data) : (data as Int32Array);
      expect(Array.from(wide, Number), path).toEqual(numbersOf(numbers));
      expect(shape, path).toEqual(typeof numbers === "number" ? [] : [3]);
    }
    expect(file.array("little/f2")!.dtype).toBe("float16");
    expect(file.array("big/u1_be")!.dtype).toBe("uint8");
    expect(() => file.array("one")!.read([0, 1])).toThrow("is a single number: it has no rows");
  },
);

const REFUSED = {
  precision_17: "integer of 17 bits in 4 bytes",
  offset_8: "integer of 16 bits in 4 bytes",
  big_precision_12: "integer of 12 bits in 2 bytes",
  three_bytes: "integer of 24 bits in 3 bytes",
  bfloat16: "float of 16 bits in 2 bytes, not IEEE 754",
  bias: "float of 32 bits in 4 bytes, not IEEE 754",
  nbit: "integer of 17 bits in 4 bytes",
  text: "list of 16 bytes",
  boolean: "enumeration of 1 byte",
  pair: "compound of 8 bytes",
  complex: "compound of 16 bytes",
  nothing: "is empty: it has a type, and no elements",
  lzf: "is compressed with LZF, which is not supported",
};

test.each(["types-v1.h5", "types-v2.h5"])(
  "%s: rejects numbers of reduced precision, with an offset or of a custom layout, naming the type",
  async (name) => {
    await using file = await openHdf5(join(golden, name));
    expect(file.names("refused")).toEqual(Object.keys(REFUSED).toSorted());
    for (const [array, message] of Object.entries(REFUSED)) {
      expect(() => file.array(`refused/${array}`), array).toThrow(message);
    }
  },
);

test.each([
  ["external-storage.h5", "is external storage: its data are in other files"],
  ["virtual.h5", "is a virtual dataset: its data are in other files"],
  ["external-link.h5", 'is a link to another file, "other.h5"'],
])("%s: data of another file are never read", async (name, message) => {
  await using file = await openHdf5(join(golden, name));
  for (const array of ["seq/emb_0_2", "test/seqs", "model_weights/dense/dense/kernel:0"]) {
    expect(() => file.array(array), array).toThrow(message);
  }
  await using keras = await openKeras(join(golden, name));
  expect(() => keras.weight(["dense"], "kernel", [2, 3])).toThrow(message);
});

test("follows soft links within the file, not out of it nor in a circle", async () => {
  await using file = await openHdf5(join(golden, "links.h5"));
  for (const path of [
    "here/array",
    "soft",
    "here/relative",
    "group/array",
    "group/relative",
    "/here//./array",
  ]) {
    expect([...(file.array(path)!.read().data as Float32Array)], path).toEqual([1, -2, 100]);
  }
  expect(file.names("group")).toEqual(["array", "relative"]);
  expect(file.array("dangling")).toBeUndefined();
  expect(file.array("soft/deeper")).toBeUndefined();
  expect(() => file.array("loop")).toThrow("is a circular link");
  for (const path of ["out", "out/emb_0_2", "soft_out"]) {
    expect(() => file.array(path), path).toThrow('is a link to another file, "other.h5"');
    expect(() => file.names(path), path).toThrow("is a link to another file");
    expect(() => file.attribute(path, "a"), path).toThrow("is a link to another file");
  }
});

test("reads weights of 16 bits", async () => {
  await using keras = await openKeras(join(golden, "half.h5"));
  expect([...keras.weight(["dense"], "kernel", [1, 3]).data]).toEqual([0.5, -1.25, 2]);
});

test("rejects a NaN weight with its name", async () => {
  const path = join(temporaryFolder(), "nan.h5");
  const kernel = { dtype: "float32", shape: [1, 3], data: Float32Array.of(1, 2, Number.NaN) } as const;
  const layer = { class_name: "Dense", name: "dense", config: { name: "dense" }, inbound_nodes: [] };
  const config = { layers: [layer], output_layers: [["dense", 0, 0]] };
  await writeHdf5(path, {
    attributes: { model_config: JSON.stringify({ class_name: "Functional", config }) },
    groups: { model_weights: { groups: { dense: { arrays: { "kernel:0": kernel } } } } },
  });
  await using keras = await openKeras(path);
  expect(() => keras.weight(["dense"], "kernel", [1, 3])).toThrow(
    "element 2 is NaN: every weight must be a finite number",
  );
});

test("rejects a header that is truncated or circular, with the array's name", async () => {
  const whole = readFileSync(join(golden, "types-v2.h5"));
  const folder = temporaryFolder();
  let refused = 0;
  for (let at = whole.indexOf("OHDR"); at !== -1; at = whole.indexOf("OHDR", at + 1)) {
    const bytes = Buffer.from(whole);
    bytes.fill(0xff, at + 6, at + 16);
    const path = join(folder, `${at}.h5`);
    writeFileSync(path, bytes);
    const file = await openHdf5(path).catch((error) => error);
    if (file instanceof InputError) continue;
    for (const name of ["little/i4", "one", "gzip"]) {
      try {
        file.array(name)?.read();
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        refused++;
      }
    }
    await file.close();
  }
  expect(refused).toBeGreaterThan(3);
});

test("rejects a damaged file on which the library loops forever", async () => {
  const path = join(temporaryFolder(), "loop.h5");
  await writeHdf5(path, { attributes: { name: "a text of variable length" } });
  const bytes = readFileSync(path);
  // The first object of the global heap, which holds the text, becomes free space of 0 bytes.
  const object = bytes.indexOf("GCOL") + 16;
  bytes.fill(0, object, object + 16);
  writeFileSync(path, bytes);
  await using file = await openHdf5(path, 0.5);
  expect(() => file.attribute("", "name")).toThrow("the attribute name cannot be read");
  expect(file.names("")).toEqual([]);
});

test("lists a group once, however many members are looked up", async () => {
  const path = join(temporaryFolder(), "many.h5");
  const groups = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`g${i}`, {}]));
  await writeHdf5(path, { groups });
  await using file = await openHdf5(path);
  const listing = vi.spyOn(await h5wasm.ready, "get_names");
  onTestFinished(() => listing.mockRestore());
  for (let i = 0; i < 300; i++) expect(file.array(`g${i}/x`)).toBeUndefined();
  expect(file.names("")).toHaveLength(300);
  const roots = listing.mock.calls.filter(([, place]) => place === "/");
  expect(roots).toHaveLength(1);
});

test("loads no filter plugins from the machine", async () => {
  const path = join(temporaryFolder(), "a.h5");
  await writeHdf5(path, { attributes: { name: "a" } });
  await using file = await openHdf5(path);
  expect(file.attribute("", "name")).toBe("a");
  expect((await h5wasm.ready).get_plugin_search_paths()).toEqual([]);
});

test("reads back groups, arrays and attributes, including long text", async () => {
  const path = join(temporaryFolder(), "file.h5");
  const long = `{"é": "${"x".repeat(100_000)}"}`;
  const array = { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, -4, 0.5, 1e30) } as const;
  await writeHdf5(path, {
    attributes: { long, short: "", names: ["a", "bc"], none: [] },
    groups: { outer: { attributes: { of: "outer" }, groups: { inner: { arrays: { "kernel:0": array } } } } },
  });
  await using file = await openHdf5(path);
  expect(file.attribute("", "long")).toBe(long);
  expect(file.attribute("", "short")).toBe("");
  expect(file.attribute("outer", "of")).toBe("outer");
  // Lists are not text, and missing attributes are undefined.
  expect(file.attribute("", "names")).toBeUndefined();
  expect(file.attribute("", "absent")).toBeUndefined();
  expect(file.attribute("nowhere", "of")).toBeUndefined();
  expect(file.names("outer/inner")).toEqual(["kernel:0"]);
  expect(file.array("outer/inner/kernel:0")!.read()).toEqual(array);
});

test("writes equal bytes at any time", async () => {
  const folder = temporaryFolder();
  const array = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) } as const;
  const write = async (name: string) => {
    const path = join(folder, name);
    await writeHdf5(path, { attributes: { text: "é" }, groups: { inner: { arrays: { array } } } });
    return readFileSync(path);
  };
  const now = vi.spyOn(Date, "now").mockReturnValue(1.6e12);
  onTestFinished(() => now.mockRestore());
  const first = await write("first.h5");
  now.mockReturnValue(1.7e12);
  expect((await write("second.h5")).equals(first)).toBe(true);
  expect(Date.now()).toBe(1.7e12);
});

test("the error names the file that cannot be written", async () => {
  const path = join(temporaryFolder(), "file.h5");
  await writeHdf5(path, {});
  await expect(writeHdf5(join(path, "below.h5"), {})).rejects.toMatchObject({
    place: { file: expect.stringContaining("file.h5") },
  });
});
