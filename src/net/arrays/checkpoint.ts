import { basename, join } from "node:path";
import { cachedDigest, sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { type OpenFile, openFile } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import type { NdArray } from "./array.ts";
import { readSafetensors } from "./safetensors.ts";
import { readShardIndex } from "./shards.ts";
import { placeOfRows, type Rows, readStored, readWidened, type StoredArray } from "./stored-array.ts";
import { readTorchCheckpoint } from "./torch/checkpoint.ts";

/** Options of `Checkpoint.read`. */
export interface ReadOptions {
  /** Only these rows, [start, end), along the first axis longer than 1; the others are not read. */
  readonly rows?: Rows;
  /** Keep the stored element type; by default floats of any precision become float32. */
  readonly asStored?: boolean;
}

/** Named arrays in one or several files, of which only the table of contents has been read. */
export interface Checkpoint extends AsyncDisposable {
  /** Path as given by the caller. */
  readonly path: string;
  /** Real paths of the files that hold the data, links resolved. */
  readonly files: readonly string[];
  readonly arrays: ReadonlyMap<string, StoredArray>;
  /** Free text by name, added by the writer; empty for PyTorch files. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Reads one array, row-major: floats as float32 (float64 rounded, other types exactly), integers and bool
   * as stored.
   *
   * @throws {InputError} when there is no array of this name, or no such rows
   */
  read(name: string, options?: ReadOptions): Promise<NdArray>;
  /**
   * SHA-256 of the contents: of the file, or, for several files, of the lines `digest  name` in order of
   * their names. Cached between runs as long as the files do not change.
   */
  digest(): Promise<string>;
  /** Closes the files. */
  close(): Promise<void>;
}

/** Names of the checkpoint in a folder, in order of preference. */
const NAMES = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
] as const;

/**
 * Opens a checkpoint: a `.safetensors` file, a `pytorch_model.bin` (zip format, PyTorch 1.6 and later), an
 * index of shards of either, or a folder with one of them, as downloaded from a hub. The format is recognised
 * by the first bytes. No data is read, and nothing in a PyTorch file is executed.
 *
 * @throws {FormatError} when a file is damaged, or of another format, which the message names
 * @throws {InputError} when nothing is there, or a shard is missing
 */
export async function openCheckpoint(folderOrFile: string): Promise<Checkpoint> {
  const path = await checkpointPath(folderOrFile);
  const handles: OpenFile[] = [];
  try {
    return path.endsWith(".index.json")
      ? await openShards(folderOrFile, path, handles)
      : await openSingle(folderOrFile, path, handles);
  } catch (error) {
    await closeAll(handles);
    throw error;
  }
}

/**
 * Path of a checkpoint: the given file, or in a folder the weights or the index of their shards.
 *
 * @throws {InputError} when a folder has none, or several
 */
export async function checkpointPath(folderOrFile: string): Promise<string> {
  if ((await kindOfPath(folderOrFile)) !== "folder") return folderOrFile;
  const names = await namesInFolder(folderOrFile);
  const known = NAMES.find((name) => names.includes(name));
  if (known !== undefined) return join(folderOrFile, known);
  const others = names.filter((name) => name.endsWith(".safetensors"));
  if (others.length === 1) return join(folderOrFile, others[0]);
  throw new InputError(
    others.length === 0
      ? "this folder has no checkpoint"
      : `this folder has ${others.length} safetensors files`,
    {
      place: { file: folderOrFile },
      hint:
        others.length === 0
          ? `expected ${NAMES.join(", ")}`
          : `give the path of one of them: ${others.join(", ")}`,
    },
  );
}

async function openSingle(given: string, path: string, handles: OpenFile[]): Promise<Checkpoint> {
  const { handle, arrays, metadata } = await openShard(path, handles);
  const digest = () => cachedDigest(handle.realPath);
  return checkpoint(given, handles, new Map(arrays.map((array) => [array.name, array])), metadata, digest);
}

async function openShards(given: string, path: string, handles: OpenFile[]): Promise<Checkpoint> {
  const { shards, shardOf } = await readShardIndex(path);
  const arrays = new Map<string, StoredArray>();
  const metadata = new Map<string, string>();
  for (const shard of shards) {
    const part = await openShard(shard, handles);
    for (const [key, value] of part.metadata) metadata.set(key, value);
    for (const array of part.arrays) {
      if (arrays.has(array.name))
        throw new FormatError({ file: shard, tensor: array.name }, "is in two shards");
      arrays.set(array.name, array);
    }
  }
  for (const [name, shard] of shardOf) {
    if (!arrays.has(name)) {
      throw new FormatError(
        { file: shard, tensor: name },
        `is missing from this shard, where ${basename(path)} places it`,
        "are the index and the shards of the same revision?",
      );
    }
  }
  const digest = async () => {
    const lines: string[] = [];
    for (const shard of shards) lines.push(`${await cachedDigest(shard)}  ${basename(shard)}\n`);
    return sha256Hex(lines.join(""));
  };
  return checkpoint(given, handles, arrays, metadata, digest);
}

async function openShard(path: string, handles: OpenFile[]) {
  const handle = await openFile(path);
  handles.push(handle);
  const format = await recogniseCheckpoint(handle);
  const contents =
    format === "safetensors"
      ? await readSafetensors(handle)
      : { arrays: await readTorchCheckpoint(handle), metadata: new Map<string, string>() };
  return { handle, ...contents };
}

function checkpoint(
  path: string,
  handles: readonly OpenFile[],
  arrays: ReadonlyMap<string, StoredArray>,
  metadata: ReadonlyMap<string, string>,
  digest: () => Promise<string>,
): Checkpoint {
  const byFile = new Map(handles.map((handle) => [handle.realPath, handle]));

  async function read(name: string, { rows, asStored = false }: ReadOptions = {}): Promise<NdArray> {
    const stored = arrays.get(name);
    if (stored === undefined) {
      throw new InputError(`there is no tensor ${JSON.stringify(name)}`, {
        place: { file: path },
        hint: `it has ${arrays.size} tensors, such as ${[...arrays.keys()].slice(0, 4).join(", ") || "none"}`,
      });
    }
    const place = rows === undefined ? stored : placeOfRows(stored, rows);
    const file = valueAt(byFile, stored.file);
    return asStored ? await readStored(file, place) : await readWidened(file, place);
  }

  const close = () => closeAll(handles);
  const files = handles.map((handle) => handle.realPath);
  return { path, files, arrays, metadata, read, digest, close, [Symbol.asyncDispose]: close };
}

async function closeAll(handles: readonly OpenFile[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.close()));
}

export type CheckpointFormat = "safetensors" | "torch";

interface Refusal {
  readonly bytes: readonly number[];
  readonly at?: number;
  readonly is: string;
  readonly hint: string;
}

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const SAVE_AGAIN =
  "save it again with PyTorch 1.6 or later: torch.save(torch.load(path, weights_only=True), path)";

/** Common files that are mistaken for checkpoints. */
const REFUSED: readonly Refusal[] = [
  { bytes: [0x80, 0x02, 0x8a, 0x0a], is: "in PyTorch's format from before version 1.6", hint: SAVE_AGAIN },
  {
    bytes: ascii("ustar"),
    at: 257,
    is: "a tar archive, PyTorch's format from before version 0.1.10",
    hint: SAVE_AGAIN,
  },
  {
    bytes: [0x80],
    is: "a bare pickle, not a PyTorch checkpoint",
    hint: "save the state dict with torch.save",
  },
  {
    bytes: [0x1f, 0x8b],
    is: "compressed with gzip",
    hint: "unpack it first: weights are mapped directly from the file",
  },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], is: "compressed with zstd", hint: "unpack it first" },
  {
    bytes: [0x89, ...ascii("HDF\r\n")],
    is: "an HDF5 file (Keras or TensorFlow)",
    hint: "convert it to safetensors, or look for model.safetensors at the same source",
  },
  {
    bytes: ascii("version https://git-lfs"),
    is: "a Git LFS pointer, not the file it points to",
    hint: "fetch the file itself with: git lfs pull",
  },
  { bytes: ascii("<!"), is: "a web page", hint: "was a page of the site saved instead of the file?" },
  { bytes: ascii("<html"), is: "a web page", hint: "was a page of the site saved instead of the file?" },
];

/**
 * Format of a checkpoint file, by its first bytes; its name does not matter.
 *
 * @throws {FormatError} with the actual format of the file, and what to do with it
 */
async function recogniseCheckpoint(file: OpenFile): Promise<CheckpointFormat> {
  const start = await file.read(0, Math.min(file.size, 512));
  const has = (bytes: readonly number[], at = 0) => bytes.every((byte, i) => start[at + i] === byte);
  if (start[8] === "{".charCodeAt(0)) return "safetensors";
  if (has(ascii("PK\x03\x04"))) return "torch";
  for (const { bytes, at, is, hint } of REFUSED) {
    if (has(bytes, at)) throw new FormatError({ file: file.path }, `this is ${is}`, hint);
  }
  const what =
    file.size === 0 ? "the file is empty" : "this is neither a safetensors file nor a PyTorch checkpoint";
  throw new FormatError({ file: file.path }, what, "was it downloaded completely?");
}
