import { createContext, Script } from "node:vm";
import type { File } from "h5wasm/node";
import { FormatError, InputError } from "../../base/errors.ts";
import { type OpenFile, openFile } from "../../base/read-file.ts";
import { bytesPerElement, type DType, elementCount, type NdArray, ndArray, viewAs } from "./array.ts";
import { type Hdf5Bytes, readHdf5Header } from "./hdf5-header.ts";

/** An array in an HDF5 file: shape and type are known, data is read on request. */
export interface Hdf5Array {
  /** Path from the root: "seq/emb_0_512". */
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Rows along the first axis per chunk, which are decompressed together; 1 without chunks. */
  readonly rowsPerChunk: number;
  /**
   * Reads rows [start, end) along the first axis, or the whole array, which may be a scalar.
   *
   * @throws {FormatError} when they are out of range, or the file is damaged there
   */
  read(rows?: readonly [start: number, end: number]): NdArray;
}

/** An HDF5 file opened for reading by the HDF5 library compiled to WebAssembly. */
export interface Hdf5File extends AsyncDisposable {
  readonly path: string;
  /** Names in a group ("" is the root), sorted as text by the library; empty where there is no such group. */
  names(group: string): readonly string[];
  /**
   * The array of this path; undefined for a group, or where there is nothing.
   *
   * @throws {FormatError} when its type is not a standard number, or its data are in another file
   */
  array(path: string): Hdf5Array | undefined;
  /** A text attribute of a group or an array; "" is the root. Undefined where there is none. */
  attribute(path: string, name: string): string | undefined;
  close(): Promise<void>;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Opens an HDF5 file. No other file is read: links to other files, virtual datasets and external storage are
 * rejected.
 *
 * @param seconds  time limit of one call of the library, data excepted
 * @throws {FormatError} when it is not an HDF5 file, or is damaged
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
      return limited(step, seconds + bytes / MIN_BYTES_PER_SECOND);
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw new FormatError({ file: path }, `${what} cannot be read`, "was it copied completely?", cause);
    }
  };
  const file = reading("the file", () => {
    // Throw the errors of the library instead of printing them.
    library.activate_throwing_error_handler();
    // Unknown filters would be loaded from a plugin folder of the machine.
    for (const _ of library.get_plugin_search_paths()) library.remove_plugin_search_path(0);
    return new h5wasm.File(handle.realPath, "r");
  });
  const close = async () => {
    await handle.close();
    try {
      file.close();
    } catch (error) {
      // After a crash of the library on a damaged file, closing fails too; reading has already reported the
      // error.
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

/** Data read more slowly than this counts as a hang. */
const MIN_BYTES_PER_SECOND = 1e6;

/**
 * Runs a synchronous step and throws when it exceeds its time limit: damaged files can make the library loop
 * forever, and `node:vm` interrupts WebAssembly without another thread.
 */
function timeLimit() {
  const context = createContext({ step: undefined });
  const script = new Script("step()");
  return <T>(step: () => T, seconds: number): T => {
    context.step = step;
    try {
      return script.runInContext(context, { timeout: Math.ceil(1000 * seconds) });
    } catch (error) {
      // Errors of another context are no instance of this context's Error.
      const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
      if (code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new Error(`HDF5 did not finish within ${seconds} s`);
    }
  };
}

async function findSuperblock(file: OpenFile): Promise<Hdf5Bytes> {
  // A user block of 512, 1024, … bytes may precede the signature.
  for (let base = 0; base + 16 <= file.size; base = base === 0 ? 512 : 2 * base) {
    const start = await file.read(base, 16);
    if (!SIGNATURE.every((byte, i) => start[i] === byte)) continue;
    const sizesAt = start[8] < 2 ? 13 : 9;
    return { file, base, offsetBytes: start[sizesAt], lengthBytes: start[sizesAt + 1] };
  }
  throw new FormatError({ file: file.path }, "this is not an HDF5 file", "was it downloaded completely?");
}

type Library = Awaited<typeof import("h5wasm/node")["ready"]>;

/** A group or a dataset, by a path without links. */
interface Found {
  readonly kind: "group" | "dataset";
  readonly path: string;
}

/** An entry of a group: a group, a dataset, or a soft link to a path. */
type Entry = Found | { readonly target: string };

/** Longest chain of soft links; a longer one is circular. */
const MAX_LINKS = 16;

/**
 * Groups and datasets by path. Follows soft links itself, since the library would follow them into other
 * files.
 */
class Tree {
  readonly #path: string;
  readonly #file: File;
  readonly #library: Library;
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #entries = new Map<string, Entry>();

  constructor(path: string, file: File, library: Library) {
    this.#path = path;
    this.#file = file;
    this.#library = library;
  }

  /** Names in a group, cached: the library reads all of them at every call. */
  namesIn(group: Found | undefined): ReadonlySet<string> {
    if (group?.kind !== "group") return new Set();
    const known = this.#names.get(group.path);
    if (known !== undefined) return known;
    const names = new Set(this.#library.get_names(this.#file.file_id, group.path, false));
    this.#names.set(group.path, names);
    return names;
  }

  /** @throws {FormatError} when a link on the path is circular or leads to another file */
  find(path: string): Found | undefined {
    const parts = path.split("/").filter((part) => part !== "");
    let at: Found = { kind: "group", path: "/" };
    let links = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      if (part === ".") continue;
      if (!this.namesIn(at).has(part)) return undefined;
      const next = `${at.path === "/" ? "" : at.path}/${part}`;
      const entry = this.#entryAt(next);
      if (entry === undefined) return undefined;
      if ("target" in entry) {
        const { target } = entry;
        if (++links > MAX_LINKS) throw this.#refuse(next, "is a circular link");
        parts.unshift(...target.split("/").filter((each) => each !== ""));
        if (target.startsWith("/")) at = { kind: "group", path: "/" };
        continue;
      }
      at = entry;
    }
    return at;
  }

  /** The entry of a group by its path, cached; undefined for one that is neither group, dataset nor link. */
  #entryAt(path: string): Entry | undefined {
    const known = this.#entries.get(path);
    if (known !== undefined) return known;
    const target = this.#softLink(path);
    const entry = target === undefined ? this.#found(path) : { target };
    if (entry !== undefined) this.#entries.set(path, entry);
    return entry;
  }

  #found(path: string): Found | undefined {
    const type = this.#library.get_type(this.#file.file_id, path);
    if (type !== this.#library.H5G_GROUP && type !== this.#library.H5G_DATASET) return undefined;
    return { kind: type === this.#library.H5G_GROUP ? "group" : "dataset", path };
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

/** Numbers of the filters that the library decodes, and names of some that it does not. */
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
    // A reference to an object is its address.
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
      throw this.refuse(`rows [${start}, ${end}) are out of range: it has ${shape[0]}`);
    }
    const part = [end - start, ...shape.slice(1)];
    return ndArray(dtype, part, this.elements(part, start));
  }

  /** Elements of a block with these lengths per axis, from the given row on. */
  private elements(count: readonly number[], row = 0): NdArray["data"] {
    const { library, dtype } = this;
    const length = elementCount(count) * bytesPerElement(dtype);
    const whole = count.length === 0;
    return this.reading(
      this.path,
      () => {
        if (length > library.MAXIMUM_MEMORY)
          throw this.refuse(`needs ${length} bytes at once, more than fit into memory`);
        if (length === 0) return viewAs(dtype, new Uint8Array());
        const pointer = library._malloc(length);
        if (pointer === 0) throw this.refuse(`needs ${length} bytes at once, more than fit into memory`);
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
