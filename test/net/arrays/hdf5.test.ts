import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHdf5 } from "../../../src/net/arrays/hdf5.ts";
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

testWithSharedData("rows are those of the whole", "formats/hdf5/dart_layout.h5", async (path) => {
  await using file = await openHdf5(path);
  const array = file.array("seq/emb_32_64")!;
  const whole = array.read().data as Int8Array;
  const some = array.read([15, 18]);
  expect(some.shape).toEqual([3, 350, 4]);
  expect(some.data).toEqual(whole.slice(15 * 1400, 18 * 1400));
  expect(array.read([4, 4]).data).toHaveLength(0);
  expect(() => array.read([30, 33])).toThrow(/rows \[30, 33\) were asked for, of 32/);
});

testWithSharedData("a damaged file is refused with its name", "formats/hdf5/dart_layout.h5", async (path) => {
  const bytes = readFileSync(path);
  const copy = join(temporaryFolder(), "cut.h5");
  writeFileSync(copy, bytes.subarray(0, 3000));
  await expect(openHdf5(copy)).rejects.toThrow(/the file cannot be read/);
});

test("a file that is something else is refused", async () => {
  const path = join(temporaryFolder(), "text.h5");
  writeFileSync(path, "x".repeat(3000));
  await expect(openHdf5(path)).rejects.toThrow(/this is no HDF5 file/);
});
