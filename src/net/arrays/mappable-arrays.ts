import { basename, dirname, join } from "node:path";
import { cachedDigest, sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { cacheFolder, freeSpace, kindOfPath } from "../../base/folder.ts";
import { markInUse } from "../../base/in-use.ts";
import { stableStringify } from "../../base/json.ts";
import { gibibytes } from "../../base/message-text.ts";
import { openFile } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { elementCount, isFloat } from "./array.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";
import { needsCopy, type StoredArray } from "./stored-array.ts";

/** Part of the name of a copy: increment when the copy of the same checkpoint changes. */
const VERSION = 1;

/**
 * Arrays of a checkpoint in one folder and in forms that programs read (`needsCopy`), so that ONNX Runtime
 * can map them from disk.
 *
 * Where the checkpoint already stores them so, as almost all do, the result refers to it. Otherwise all of
 * them are written once as row-major float32 to a safetensors file in the cache, one array in memory at a
 * time, with a digest file next to it. The copy is reused as long as the contents of the checkpoint and the
 * names are the same, and rewritten when it is damaged. Integers and bool keep their type.
 *
 * @param names   of the checkpoint's arrays; the result has the same names
 * @param folder  of the copies
 * @throws {InputError} when a name is unknown, the disk has no room for the copy, or it cannot be written
 */
export async function mappableArrays(
  checkpoint: Checkpoint,
  names: Iterable<string>,
  folder: string = cacheFolder("float32"),
): Promise<ReadonlyMap<string, StoredArray>> {
  const wanted = new Map<string, StoredArray>();
  for (const name of names) {
    const stored = checkpoint.arrays.get(name);
    if (stored === undefined)
      throw new InputError("is not in the checkpoint", { place: { file: checkpoint.path, tensor: name } });
    wanted.set(name, stored);
  }
  const folders = new Set([...wanted.values()].map(({ file }) => dirname(file)));
  if (folders.size <= 1 && [...wanted.values()].every((stored) => needsCopy(stored) === undefined))
    return wanted;

  const key = stableStringify({
    version: VERSION,
    of: await checkpoint.digest(),
    names: [...wanted.keys()].sort(),
  });
  const path = join(folder, `${sha256Hex(key).slice(0, 32)}.safetensors`);
  const digestPath = `${path}.sha256`;
  // Open programs map the copy, so the mark stays until the process ends.
  await markInUse(path);
  if (!(await isIntact(path, digestPath))) {
    await checkSpace(path, checkpoint, wanted);
    await writeCopy(path, checkpoint, wanted);
    // In the format of `sha256sum --check`.
    await writeFileAtomic(digestPath, `${await cachedDigest(path)}  ${basename(path)}\n`);
  }
  return await placesIn(path);
}

async function isIntact(path: string, digestPath: string): Promise<boolean> {
  if ((await kindOfPath(path)) !== "file" || (await kindOfPath(digestPath)) !== "file") return false;
  await using noted = await openFile(digestPath);
  const line = new TextDecoder().decode(await noted.read(0, noted.size));
  return line === `${await cachedDigest(path)}  ${basename(path)}\n`;
}

/** @throws {InputError} when the disk has too little room for a copy */
async function checkSpace(
  path: string,
  checkpoint: Checkpoint,
  wanted: ReadonlyMap<string, StoredArray>,
): Promise<void> {
  const needed = [...wanted.values()].reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const free = await freeSpace(dirname(path));
  if (needed <= free) return;
  const [first] = [...wanted.values()].flatMap((stored) => needsCopy(stored) ?? []);
  const why = first ?? "its files are in several folders";
  throw new InputError(
    `a copy of these weights as float32 takes ${gibibytes(needed)}, and ${gibibytes(free)} are free in ${dirname(path)}`,
    {
      place: { file: checkpoint.path },
      hint: `the copy is needed because ${why}; free some disk, or set DART_EVAL_CACHE to a folder with more`,
    },
  );
}

async function writeCopy(path: string, checkpoint: Checkpoint, wanted: ReadonlyMap<string, StoredArray>) {
  const arrays = [...wanted].map(([name, { dtype, shape }]) => ({
    name,
    dtype: isFloat(dtype) ? ("float32" as const) : dtype,
    shape,
    data: async () => (await checkpoint.read(name)).data,
  }));
  await writeSafetensors(path, arrays, { source: await checkpoint.digest() });
}

async function placesIn(path: string): Promise<ReadonlyMap<string, StoredArray>> {
  await using file = await openFile(path);
  const { arrays } = await readSafetensors(file);
  return new Map(arrays.map((array) => [array.name, array]));
}
