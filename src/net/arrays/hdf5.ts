import { createContext, Script } from "node:vm";
import type { File } from "h5wasm/node";
import { FormatError, InputError } from "../../base/errors.ts";
import { type OpenFile, openFile } from "../../base/read-file.ts";
import { bytesPerElement, type DType, elementCount, type NdArray, ndArray, viewAs } from "./array.ts";
import { type Hdf5Bytes, readHdf5Header } from "./hdf5-header.ts";

/** An array in an HDF5 file. Its shape and type are known; its data are read on request. */
export interface Hdf5Array {
  /** From the root: "seq/emb_0_512". */
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Rows along the first axis that lie in the same chunks, so that one is unpacked with the others; 1 without chunks. */
  readonly rowsPerChunk: number;
  /**
   * Rows [start, end) along the first axis; without them the whole array, which may be a scalar.
   * @throws {FormatError} when they are outside the array, or the file is damaged there
   */
  read(rows?: readonly [start: number, end: number]): NdArray;
}

/** An HDF5 file opened for reading, by the HDF5 library itself compiled to WebAssembly. */
export interface Hdf5File extends AsyncDisposable {
  readonly path: string;
  /** Names in a group ("" is the root), in the library's order, which is that of text; none where there is no such group. */
  names(group: string): readonly string[];
  /**
   * Undefined where there is nothing of this name, or a group.
   * @throws {FormatError} when its type is not a standard number, or its data are in another file
   */
  array(path: string): Hdf5Array | undefined;
  /** An attribute that is text, of a group or an array; "" is the root. Undefined where there is none. */
  attribute(path: string, name: string): string | undefined;
  close(): Promise<void>;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Opens an HDF5 file. Nothing is read from any other file: links to other files, virtual datasets and external storage are
 * refused where they are met.
 *
 * @param seconds  time limit of one call of the library, data excepted
 * @throws {FormatError} when it is not an HDF5 file, or a damaged one
 * @throws {InputError} when there is no such file
 */
export async function openHdf5(path: string, seconds = 30): Promise<Hdf5File> {
  const handle = await openFile(path);
  try {
    return await openChecked(path, handle, seconds);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openChecked(path: string, handle: OpenFile, seconds: number): Promise<Hdf5File> {
  const bytes = await findSuperblock(handle);
  const { default: h5wasm } = await import("h5wasm/node");
  const library = await h5wasm.ready;
  const limited = timeLimit();
  const reading = <T>(what: string, step: () => T, bytes = 0): T => {
    try {
      return limited(step, seconds + bytes / LEAST_BYTES_PER_SECOND);
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw new FormatError({ file: path }, `${what} cannot be read`, "was it copied completely?", cause);
    }
  };
  const file = reading("the file", () => {
    // Errors of the library are thrown and not printed.
    library.activate_throwing_error_handler();
    // A filter that is not built in would be looked up in a folder of the machine.
    for (const _ of library.get_plugin_search_paths()) library.remove_plugin_search_path(0);
    return new h5wasm.File(handle.realPath, "r");
  });
  const close = async () => {
    await handle.close();
    try {
      file.close();
    } catch (error) {
      // A damaged file that made the library stumble cannot be given back to it; what went wrong was said while reading.
      if (!(error instanceof Error && error.name === "RuntimeError")) throw error;
    }
  };
  const tree = new Tree(path, file, library);
  return {
    path,
    names: (group) => reading(group, () => [...tree.namesIn(tree.find(group))]),
    array: (name) =>
      reading(name, () => {
        const found = tree.find(name);
        if (found?.kind !== "dataset") return undefined;
        return new StoredDataset(path, name, found.path, file, library, bytes, reading);
      }),
    attribute: (place, name) =>
      reading(`the attribute ${name}`, () => {
        const found = tree.find(place);
        const owner = found && file.get(found.path);
        const value = owner && "attrs" in owner ? owner.attrs[name]?.value : undefined;
        return typeof value === "string" ? value : undefined;
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Slowest reading of data that is not taken for a hang. */
const LEAST_BYTES_PER_SECOND = 1e6;

/**
 * Runs a synchronous step and ends it by an error when it takes longer than its limit: damaged files can make the library
 * loop forever, and `node:vm` is what interrupts WebAssembly without another thread.
 */
function timeLimit() {
  const context = createContext({ step: undefined });
  const script = new Script("step()");
  return <T>(step: () => T, seconds: number): T => {
    let result: { readonly value: T } | undefined;
    context.step = () => {
      result = { value: step() };
    };
    try {
      script.runInContext(context, { timeout: Math.ceil(1000 * seconds) });
    } catch (error) {
      // An error of the context is no Error of ours.
      if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new Error(`HDF5 did not finish within ${seconds} s`);
    }
    return result!.value;
  };
}

async function findSuperblock(file: OpenFile): Promise<Hdf5Bytes> {
  // A user's block of 512, 1024, … bytes may come before the signature.
  for (let base = 0; base + 16 <= file.size; base = base === 0 ? 512 : 2 * base) {
    const start = await file.read(base, 16);
    if (!SIGNATURE.every((byte, i) => start[i] === byte)) continue;
    const sizesAt = start[8] < 2 ? 13 : 9;
    return { file, base, offsetBytes: start[sizesAt], lengthBytes: start[sizesAt + 1] };
  }
  throw new FormatError({ file: file.path }, "this is no HDF5 file", "was it downloaded completely?");
}

type Library = Awaited<typeof import("h5wasm/node")["ready"]>;

/** A group or a dataset, by the path to it that leads through no link. */
interface Found {
  readonly kind: "group" | "dataset";
  readonly path: string;
}

/** More soft links one after another are a circle. */
const MOST_LINKS = 16;

/** Groups and datasets by their paths. Soft links are followed here: the library would follow them to other files. */
class Tree {
  readonly #path: string;
  readonly #file: File;
  readonly #library: Library;
  readonly #names = new Map<string, ReadonlySet<string>>();

  constructor(path: string, file: File, library: Library) {
    this.#path = path;
    this.#file = file;
    this.#library = library;
  }

  /** Names in a group, listed once: the library reads all of them for every call. */
  namesIn(group: Found | undefined): ReadonlySet<string> {
    if (group?.kind !== "group") return new Set();
    const known = this.#names.get(group.path);
    if (known !== undefined) return known;
    const names = new Set(this.#library.get_names(this.#file.file_id, group.path, false));
    this.#names.set(group.path, names);
    return names;
  }

  /** @throws {FormatError} when a link on the way leads to another file, or in a circle */
  find(path: string): Found | undefined {
    const parts = path.split("/").filter((part) => part !== "");
    let at: Found = { kind: "group", path: "/" };
    let links = 0;
    while (parts.length > 0) {
      const part = parts.shift()!;
      if (part === ".") continue;
      if (!this.namesIn(at).has(part)) return undefined;
      const next = `${at.path === "/" ? "" : at.path}/${part}`;
      const target = this.#softLink(next);
      if (target !== undefined) {
        if (++links > MOST_LINKS) throw this.#refuse(next, "is a link that leads in a circle");
        parts.unshift(...target.split("/").filter((each) => each !== ""));
        if (target.startsWith("/")) at = { kind: "group", path: "/" };
        continue;
      }
      const type = this.#library.get_type(this.#file.file_id, next);
      if (type !== this.#library.H5G_GROUP && type !== this.#library.H5G_DATASET) return undefined;
      at = { kind: type === this.#library.H5G_GROUP ? "group" : "dataset", path: next };
    }
    return at;
  }

  #softLink(path: string): string | undefined {
    const { file_id } = this.#file;
    const { filename } = this.#library.get_external_link(file_id, path);
    if (filename !== undefined) {
      throw this.#refuse(path, `is a link to another file, ${JSON.stringify(filename.slice(0, 200))}`);
    }
    return this.#library.get_symbolic_link(file_id, path) ?? undefined;
  }

  #refuse(path: string, message: string): FormatError {
    return new FormatError({ file: this.#path, tensor: path.slice(1) }, message, COPY);
  }
}

const COPY = "only data in the file itself are read; copy them into one file with h5repack or h5py";

/** Filters by their numbers: those that the library decodes, and names of some that it does not. */
const DECODED = [1, 2, 3, 4, 5, 6];
const FILTERS: Readonly<Record<number, string>> = {
  307: "bzip2",
  32000: "LZF",
  32001: "Blosc",
  32004: "LZ4",
  32008: "bitshuffle",
  32013: "ZFP",
  32015: "Zstandard",
};

class StoredDataset implements Hdf5Array {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly rowsPerChunk: number;

  constructor(
    private readonly filePath: string,
    readonly path: string,
    private readonly place: string,
    private readonly file: File,
    private readonly library: Library,
    bytes: Hdf5Bytes,
    private readonly reading: <T>(what: string, step: () => T, bytes?: number) => T,
  ) {
    // The address of an object is what a reference to it holds.
    const [...address] = library.create_object_reference(file.file_id, place);
    const header = readHdf5Header(
      bytes,
      address.reduceRight((sum, byte) => 256 * sum + byte, 0),
      path,
    );
    if (header.elsewhere !== undefined) {
      throw this.refuse(`is ${header.elsewhere}: its data are in other files`, COPY);
    }
    if (header.dtype === undefined) {
      throw this.refuse(
        `has the type ${header.typeText}`,
        "expected are integers of 8, 16, 32 or 64 bits and floats of 16, 32 or 64",
      );
    }
    const filter = library.get_dataset_filters(file.file_id, place).find(({ id }) => !DECODED.includes(id));
    if (filter !== undefined) {
      throw this.refuse(
        `is compressed with ${FILTERS[filter.id] ?? `filter ${filter.id}`}, which is not supported`,
        "compress it with gzip: h5repack -f GZIP=4 IN.h5 OUT.h5, where the filter's plugin is installed",
      );
    }
    const { shape, chunks } = library.get_dataset_metadata(file.file_id, place);
    if (shape === null) throw this.refuse("is empty: it has a type, and no elements");
    this.shape = shape;
    this.dtype = header.dtype;
    this.rowsPerChunk = chunks?.[0] ?? 1;
  }

  read(rows?: readonly [start: number, end: number]): NdArray {
    const { shape, dtype } = this;
    if (rows === undefined) return ndArray(dtype, shape, this.elements(shape));
    if (shape.length === 0) throw this.refuse("is a single number: it has no rows");
    const [start, end] = rows;
    const inside = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end;
    if (!inside || end > shape[0]) {
      throw this.refuse(`rows [${start}, ${end}) are not in it: it has ${shape[0]}`);
    }
    const part = [end - start, ...shape.slice(1)];
    return ndArray(dtype, part, this.elements(part, start));
  }

  /** A block as long as `count` on each axis, from the given row on. */
  private elements(count: readonly number[], row = 0): NdArray["data"] {
    const { library, dtype } = this;
    const length = elementCount(count) * bytesPerElement(dtype);
    const whole = count.length === 0;
    return this.reading(
      this.path,
      () => {
        if (length > library.MAXIMUM_MEMORY)
          throw this.refuse(`takes ${length} bytes at once, more than fit`);
        if (length === 0) return viewAs(dtype, new Uint8Array());
        const pointer = library._malloc(length);
        if (pointer === 0) throw this.refuse(`takes ${length} bytes at once, more than fit`);
        try {
          library.get_dataset_data(
            this.file.file_id,
            this.place,
            whole ? null : count.map(BigInt),
            whole ? null : count.map((_, axis) => BigInt(axis === 0 ? row : 0)),
            whole ? null : count.map(() => 1n),
            BigInt(pointer),
          );
          return viewAs(dtype, library.HEAPU8.slice(pointer, pointer + length));
        } finally {
          library._free(pointer);
        }
      },
      length,
    );
  }

  private refuse(message: string, hint?: string): FormatError {
    return new FormatError({ file: this.filePath, tensor: this.path }, message, hint);
  }
}
