import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { JsonError, parseUniqueJson } from "../../base/json.ts";
import { openFile } from "../../base/read-file.ts";

const MAX_INDEX_BYTES = 100_000_000;

const schema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** A checkpoint in several files, as listed by its `….index.json`. */
export interface ShardIndex {
  readonly path: string;
  /** Paths of the shards, sorted by name. All of them exist. */
  readonly shards: readonly string[];
  /** Name of an array → path of the shard that holds it. */
  readonly shardOf: ReadonlyMap<string, string>;
}

/**
 * Reads `model.safetensors.index.json` or `pytorch_model.bin.index.json`: { weight_map: { array: shard } }.
 *
 * Shards must be plain file names in the folder of the index: in an untrusted index, a name with a folder
 * could point anywhere.
 *
 * @throws {FormatError} when the file is not such an index
 * @throws {InputError} when a shard is missing
 */
export async function readShardIndex(path: string): Promise<ShardIndex> {
  const weightMap = await readWeightMap(path);
  const folder = dirname(path);
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (!isPlainFileName(shard)) {
      throw new FormatError(
        { file: path, tensor: name },
        `is placed in ${JSON.stringify(shard)}, which is not a plain file name`,
      );
    }
    shardOf.set(name, join(folder, shard));
  }
  const shards = [...new Set(shardOf.values())].sort();
  if (shards.length === 0) throw new FormatError({ file: path }, "the index lists no shards");
  for (const shard of shards) {
    if ((await kindOfPath(shard)) !== "file") {
      throw new InputError(`this shard is missing: ${basename(path)} names ${shards.length} shards`, {
        place: { file: shard },
        hint: "download all shards of the checkpoint into one folder",
      });
    }
  }
  return { path, shards, shardOf };
}

async function readWeightMap(path: string): Promise<Record<string, string>> {
  await using file = await openFile(path);
  if (file.size > MAX_INDEX_BYTES)
    throw new FormatError(
      { file: path },
      `the index has ${file.size} bytes; at most ${MAX_INDEX_BYTES} are read`,
    );
  let json: unknown;
  try {
    json = parseUniqueJson(new TextDecoder("utf-8", { fatal: true }).decode(await file.read(0, file.size)));
  } catch (cause) {
    const what = cause instanceof JsonError ? cause.message : "is not UTF-8 text";
    throw new FormatError({ file: path }, `the index ${what}`, undefined, cause);
  }
  const index = schema.safeParse(json);
  if (index.success) return index.data.weight_map;
  throw new FormatError(
    { file: path },
    'the index has no "weight_map" of array names to file names',
    undefined,
    index.error,
  );
}

const isPlainFileName = (name: string) =>
  name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
