import type { Dataset, File, Group } from "h5wasm/node";
import { FormatError, InputError } from "../../base/errors.ts";
import { openFile } from "../../base/file-handle.ts";
import type { NdArray } from "./array.ts";
import type { DType } from "./dtype.ts";

/** An array in an HDF5 file. Its shape and type are known; its data are read on request. */
export interface Hdf5Array {
  /** From the root: "seq/emb_0_512". */
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Rows along the first axis that lie in the same chunks, so that one is unpacked with the others; 1 without chunks. */
  readonly rowsPerChunk: number;
  /**
   * Rows [start, end) along the first axis; all where they are left out.
   * @throws {FormatError} when they are outside the array, or the file is damaged there
   */
  read(rows?: readonly [start: number, end: number]): NdArray;
}

/** An HDF5 file opened for reading, by the HDF5 library itself compiled to WebAssembly. */
export interface Hdf5File extends AsyncDisposable {
  readonly path: string;
  /** Names in a group ("" is the root), in the library's order, which is that of text; none where there is no such group. */
  names(group: string): readonly string[];
  /** Undefined where there is nothing of this name, or a group. @throws {FormatError} when its type is none that we read */
  array(path: string): Hdf5Array | undefined;
  /** An attribute that is text, of a group or an array; "" is the root. Undefined where there is none. */
  attribute(path: string, name: string): string | undefined;
  close(): Promise<void>;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Opens an HDF5 file. Links to other files are not followed.
 *
 * @throws {FormatError} when it is none, or a damaged one
 * @throws {InputError} when there is no such file
 */
export async function openHdf5(path: string): Promise<Hdf5File> {
  const realPath = await checkSignature(path);
  const { default: h5wasm } = await import("h5wasm/node");
  const library = await h5wasm.ready;
  const reading = <T>(what: string, step: () => T): T => {
    try {
      return step();
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw new FormatError({ file: path }, `${what} cannot be read`, "was it copied completely?", cause);
    }
  };
  const file = reading("the file", () => {
    // Errors of the library are thrown and not printed.
    library.activate_throwing_error_handler();
    return new h5wasm.File(realPath, "r");
  });
  const close = async () => {
    try {
      file.close();
    } catch (error) {
      // A damaged file that made the library stumble cannot be given back to it; what went wrong was said while reading.
      if (!(error instanceof Error && error.name === "RuntimeError")) throw error;
    }
  };
  return {
    path,
    names: (group) =>
      reading(group, () => {
        const found = group === "" ? file : entityAt(file, group);
        return found !== undefined && "keys" in found ? found.keys() : [];
      }),
    array: (name) =>
      reading(name, () => {
        const found = entityAt(file, name);
        return found !== undefined && "slice" in found ? arrayOf(path, name, found, reading) : undefined;
      }),
    attribute: (place, name) =>
      reading(`the attribute ${name}`, () => {
        const owner = place === "" ? file : entityAt(file, place);
        const value = owner?.attrs[name]?.value;
        return typeof value === "string" ? value : undefined;
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function checkSignature(path: string): Promise<string> {
  await using handle = await openFile(path);
  // A user's block of 512, 1024, … bytes may come before the signature.
  for (let at = 0; at + SIGNATURE.length <= handle.size; at = at === 0 ? 512 : 2 * at) {
    const bytes = await handle.read(at, SIGNATURE.length);
    if (SIGNATURE.every((byte, i) => bytes[i] === byte)) return handle.realPath;
  }
  throw new FormatError({ file: path }, "this is no HDF5 file", "was it downloaded completely?");
}

/** A group or an array of the file itself; links that lead elsewhere are nothing. */
function entityAt(file: File, path: string): Group | Dataset | undefined {
  const parts = path.split("/");
  let at: Group = file;
  for (const [i, part] of parts.entries()) {
    if (!at.keys().includes(part)) return undefined;
    const next = at.get(part) as Group | Dataset | null;
    if (next === null || !("keys" in next || "slice" in next)) return undefined;
    if (i === parts.length - 1) return next;
    if (!("keys" in next)) return undefined;
    at = next;
  }
  return undefined;
}

/** Little-endian HDF5 types by size and kind, as h5wasm names them. */
const TYPES: Readonly<Record<string, DType>> = {
  "<b": "int8",
  "<B": "uint8",
  "<h": "int16",
  "<H": "uint16",
  "<i": "int32",
  "<I": "uint32",
  "<q": "int64",
  "<Q": "uint64",
  "<f": "float32",
  "<d": "float64",
};

function arrayOf(
  file: string,
  path: string,
  dataset: Dataset,
  reading: <T>(what: string, step: () => T) => T,
): Hdf5Array {
  const { shape, dtype } = dataset;
  const type = typeof dtype === "string" ? TYPES[dtype] : undefined;
  if (type === undefined || shape === null) {
    throw new FormatError(
      { file, tensor: path },
      `has the type ${JSON.stringify(dtype)}; known are little-endian numbers`,
    );
  }
  return {
    path,
    shape,
    dtype: type,
    rowsPerChunk: dataset.metadata.chunks?.[0] ?? 1,
    read(rows = [0, shape[0] ?? 0]) {
      const [start, end] = rows;
      const inside = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end;
      if (shape.length === 0 || !inside || end > shape[0]!) {
        throw new FormatError(
          { file, tensor: path },
          `rows [${start}, ${end}) were asked for, of ${shape[0] ?? 0}`,
        );
      }
      const ranges: ([number, number] | [])[] = shape.map(() => []);
      ranges[0] = [start, end];
      const data = reading(path, () => dataset.slice(ranges)) as NdArray["data"];
      return { dtype: type, shape: [end - start, ...shape.slice(1)], data };
    },
  };
}
