import { FormatError } from "../../../base/errors.ts";
import type { OpenFile } from "../../../base/read-file.ts";
import { dataOffset, readZipDirectory, type ZipEntry } from "../../../base/zip.ts";
import { bytesPerElement, elementCount, formatShape } from "../array.ts";
import { isRowMajor, type StoredArray, spanOf } from "../stored-array.ts";
import {
  isTensor,
  storageBytes,
  type TorchStorage,
  type TorchTensor,
  torchGlobals,
  torchStorage,
} from "./globals.ts";
import { readPickle } from "./pickle.ts";

/** Keys under which training programs store the weights, next to the optimiser's state. */
const WRAPPERS = ["state_dict", "model_state_dict", "model"];
const REPACKED =
  "PyTorch does not compress weights: was the file repacked? Load it and save it with torch.save";
const MAX_NESTING = 16;
const MAX_NAMES = 1_000_000;

/**
 * Locations of the tensors in a file of `torch.save` (zip format, PyTorch 1.6 and later). Reads the archive's
 * directory and its pickle, without executing the latter; the data is not read.
 *
 * Names are those of the state dict; nested dicts are joined with a dot. Where the file has no tensor at its
 * top level, but a dict named `state_dict`, `model_state_dict` or `model`, that dict is used. Values other
 * than tensors are skipped. Tensors that share a storage overlap. A view that is not row-major has `strides`.
 *
 * @throws {FormatError} when the archive, its pickle or the location of a tensor is invalid, or the pickle
 *                       calls a function
 * @see torch/serialization.py, `_save`, for the layout: `<archive>/data.pkl`, `<archive>/data/<key>`,
 *      `<archive>/byteorder`
 */
export async function readTorchCheckpoint(file: OpenFile): Promise<readonly StoredArray[]> {
  const entries = await readZipDirectory(file);
  const { root, data } = archiveRoot(file, entries);
  await checkByteOrder(file, entries.get(`${root}byteorder`));

  const pickle = await readEntry(file, data);
  const value = readPickle(pickle, {
    file: file.path,
    globals: torchGlobals(file.path),
    persistent: (id) => torchStorage(file.path, id),
  });

  const storages = new StorageOffsets(file, entries, root);
  const arrays: StoredArray[] = [];
  for (const [name, tensor] of namedTensors(file.path, stateDict(file.path, value))) {
    arrays.push(await placeOf(file, name, tensor, storages));
  }
  return arrays;
}

/** Folder of all entries, with its slash, which PyTorch names after the file; and the pickle in it. */
function archiveRoot(file: OpenFile, entries: ReadonlyMap<string, ZipEntry>) {
  const pickles = [...entries].filter(([name]) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new FormatError(
      { file: file.path },
      "this zip archive is not a PyTorch checkpoint: it has no data.pkl in a folder",
      "was it repacked?",
    );
  }
  const [[name, data]] = pickles;
  const root = name.replace("data.pkl", "");
  if (entries.has(`${root}constants.pkl`)) {
    throw new FormatError(
      { file: file.path },
      "this is a TorchScript program, not a checkpoint of weights",
      "save its weights with PyTorch: torch.save(torch.jit.load(path).state_dict(), path)",
    );
  }
  return { root, data };
}

async function checkByteOrder(file: OpenFile, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return; // PyTorch before 2.1 wrote none, and only little-endian files.
  const order = new TextDecoder().decode(await readEntry(file, entry)).trim();
  if (order === "little") return;
  throw new FormatError(
    { file: file.path },
    `its numbers are stored in the byte order ${JSON.stringify(order)}; only "little" is read`,
    "load it and save it again on a little-endian machine",
  );
}

async function readEntry(file: OpenFile, entry: ZipEntry): Promise<Uint8Array> {
  return await file.read(await dataOffset(file, entry, REPACKED), entry.size);
}

function stateDict(file: string, value: unknown): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) {
    throw new FormatError(
      { file },
      "the pickle is not a state dict (names and tensors)",
      "save the weights with torch.save(model.state_dict(), path)",
    );
  }
  if ([...value.values()].some(isTensor)) return value;
  for (const key of WRAPPERS) {
    const inner = value.get(key);
    if (inner instanceof Map) return inner;
  }
  return value;
}

function namedTensors(file: string, dict: ReadonlyMap<unknown, unknown>): ReadonlyMap<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let visited = 0;
  const visit = (inner: ReadonlyMap<unknown, unknown>, prefix: string, depth: number) => {
    if (depth > MAX_NESTING)
      throw new FormatError({ file }, `its dicts are nested more than ${MAX_NESTING} deep`);
    for (const [key, value] of inner) {
      if (++visited > MAX_NAMES) throw new FormatError({ file }, `it has more than ${MAX_NAMES} names`);
      if (value instanceof Map) visit(value, `${prefix}${nameOf(key, file)}.`, depth + 1);
      if (!isTensor(value)) continue;
      const name = `${prefix}${nameOf(key, file)}`;
      if (tensors.has(name)) throw new FormatError({ file, tensor: name }, "is in the file twice");
      tensors.set(name, value);
    }
  };
  visit(dict, "", 1);
  return tensors;
}

function nameOf(key: unknown, file: string): string {
  if (typeof key === "string" || typeof key === "number") return String(key);
  throw new FormatError({ file }, "a name in its state dict is neither text nor a number");
}

/** Offsets of the storages in the file, each determined once. */
class StorageOffsets {
  readonly #file: OpenFile;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  readonly #root: string;
  readonly #offsets = new Map<string, number>();

  constructor(file: OpenFile, entries: ReadonlyMap<string, ZipEntry>, root: string) {
    this.#file = file;
    this.#entries = entries;
    this.#root = root;
  }

  async find(name: string, storage: TorchStorage): Promise<number> {
    const place = { file: this.#file.path, tensor: name };
    const entry = this.#entries.get(`${this.#root}data/${storage.key}`);
    if (entry === undefined) {
      throw new FormatError(place, `its storage ${JSON.stringify(storage.key)} is not in the archive`);
    }
    if (entry.size !== storageBytes(storage)) {
      throw new FormatError(
        place,
        `its storage has ${entry.size} bytes in the archive, but ${storageBytes(storage)} by the pickle`,
      );
    }
    let offset = this.#offsets.get(storage.key);
    if (offset === undefined) {
      offset = await dataOffset(this.#file, entry, REPACKED);
      this.#offsets.set(storage.key, offset);
    }
    return offset;
  }
}

async function placeOf(
  file: OpenFile,
  name: string,
  { storage, dtype, offset, shape, strides }: TorchTensor,
  storages: StorageOffsets,
): Promise<StoredArray> {
  const place = { file: file.path, tensor: name };
  const size = bytesPerElement(dtype);
  const span = spanOf(shape, strides);
  if (!Number.isSafeInteger(elementCount(shape) * size)) {
    throw new FormatError(place, `has an impossibly large shape ${formatShape(shape)}`);
  }
  if (span > 0 && (offset + span) * size > storageBytes(storage)) {
    throw new FormatError(
      place,
      `needs elements up to ${offset + span} of a storage that has ${storageBytes(storage) / size}`,
    );
  }
  const start = await storages.find(name, storage);
  return {
    name,
    dtype,
    shape,
    file: file.realPath,
    offset: span > 0 ? start + offset * size : start,
    length: span * size,
    ...(isRowMajor(shape, strides) ? {} : { strides }),
  };
}
