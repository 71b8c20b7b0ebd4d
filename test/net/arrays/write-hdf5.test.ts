import { join } from "node:path";
import { expect, test } from "vitest";
import { openHdf5 } from "../../../src/net/arrays/hdf5.ts";
import { writeHdf5 } from "../../../src/net/arrays/write-hdf5.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

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

test("reports the name of a file that cannot be written", async () => {
  const path = join(temporaryFolder(), "file.h5");
  await writeHdf5(path, {});
  await expect(writeHdf5(join(path, "below.h5"), {})).rejects.toMatchObject({
    place: { file: expect.stringContaining("file.h5") },
  });
});
