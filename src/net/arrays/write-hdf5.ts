import { dirname } from "node:path";
import type { Group } from "h5wasm/node";
import { makeFolder } from "../../base/folder.ts";
import { bytesIfPresent } from "../../base/read-file.ts";
import { removeFile, temporaryPath, writeFileAtomic } from "../../base/write-file.ts";
import type { NdArray } from "./array.ts";

/** Contents of a group to write. */
export interface Hdf5Group {
  /** Texts or lists of texts; an empty list becomes an empty array of numbers, as h5py writes it. */
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  readonly groups?: Readonly<Record<string, Hdf5Group>>;
  readonly arrays?: Readonly<Record<string, NdArray<"float32">>>;
}

/**
 * Writes an HDF5 file atomically, with the HDF5 library. Equal contents give equal bytes: all times in the
 * file are 1 January 1970.
 *
 * @throws {InputError} when it cannot be written
 */
export async function writeHdf5(path: string, root: Hdf5Group): Promise<void> {
  const { default: h5wasm } = await import("h5wasm/node");
  const library = await h5wasm.ready;
  library.activate_throwing_error_handler();
  await makeFolder(dirname(path));
  const draft = temporaryPath(path);
  try {
    withClockAt(0, () => {
      const file = new h5wasm.File(draft, "w");
      try {
        fill(file, root);
      } finally {
        file.close();
      }
    });
    await writeFileAtomic(path, (await bytesIfPresent(draft))!);
  } finally {
    await removeFile(draft);
  }
}

/**
 * Runs a synchronous function with a constant clock. The HDF5 library stores the time in the header of each
 * object, and its JavaScript interface does not have the option that turns this off. It reads `Date.now`.
 */
function withClockAt(milliseconds: number, write: () => void): void {
  const { now } = Date;
  Date.now = () => milliseconds;
  try {
    write();
  } finally {
    Date.now = now;
  }
}

/** Variable-length text, the only type for texts above a few kilobytes. */
const TEXT = "S";

function fill(group: Group, { attributes = {}, groups = {}, arrays = {} }: Hdf5Group): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") group.create_attribute(name, value, [], TEXT);
    else if (value.length === 0) group.create_attribute(name, new Float64Array(0), [0]);
    else group.create_attribute(name, [...value], [value.length], TEXT);
  }
  for (const [name, inner] of Object.entries(groups)) fill(group.create_group(name), inner);
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    group.create_dataset({ name, data, shape: [...shape], dtype: "<f" });
  }
}
