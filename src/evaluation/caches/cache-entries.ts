import { join } from "node:path";
import { kindOfPath, namesInFolder, sizeBelow } from "../../base/folder.ts";
import { isBeingRemoved, isMarksFolder, lastUse, usersOf } from "../../base/in-use.ts";
import { describeEmbeddings } from "../embeddings/about.ts";

/** Something that was kept to save time and can be made again. */
export interface CacheEntry {
  readonly kind: "embeddings" | "weights" | "digests" | "left over" | "unknown";
  readonly path: string;
  /** What it is, in words. */
  readonly what: string;
  readonly bytes: number;
  readonly files: number;
  /** When it was last used or written. */
  readonly lastUsed: Date;
  /** Processes that use it, or may: those on other machines cannot be seen. */
  readonly users: readonly { readonly pid: number; readonly host: string }[];
}

/** Folders of one model's embeddings have such names. */
const EMBEDDINGS = /^[0-9a-f]{16}$/;
const PROTOCOLS = ["corrected", "paper"];

/**
 * What lies in the caches: the program's own folder, and embeddings in folders of runs or in those that runs share.
 * Nothing is changed but marks of dead processes.
 *
 * @param own      the program's cache folder
 * @param folders  of runs (`--out`), or given to runs as `--embeddings`
 */
export async function cacheEntries(own: string, folders: readonly string[]): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const name of await namesIn(own)) {
    const path = join(own, name);
    if (name === "digests") {
      entries.push(await entryOf("digests", path, "SHA-256 of files that were hashed before"));
    } else if (name === "float32") {
      for (const file of await namesIn(path)) {
        const copy = join(path, file);
        if (isBeingRemoved(file)) entries.push(await leftOver(copy));
        else if (file.endsWith(".safetensors")) {
          entries.push(await entryOf("weights", copy, "a checkpoint's weights as float32"));
        }
      }
    } else entries.push(await entryOf("unknown", path, "not made by this version: left alone"));
  }
  for (const folder of folders) {
    for (const place of embeddingFolders(folder)) {
      for (const name of await namesIn(place)) {
        const path = join(place, name);
        if (isBeingRemoved(name)) entries.push(await leftOver(path));
        else if (EMBEDDINGS.test(name)) {
          entries.push(await entryOf("embeddings", path, await describeEmbeddings(path)));
        }
      }
    }
  }
  return entries;
}

/** A run's embeddings lie in the run, or in the runs of both protocols below it; or the folder holds them itself. */
function embeddingFolders(folder: string): readonly string[] {
  return [
    folder,
    join(folder, "embeddings"),
    ...PROTOCOLS.map((protocol) => join(folder, protocol, "embeddings")),
  ];
}

async function namesIn(folder: string): Promise<readonly string[]> {
  if ((await kindOfPath(folder)) !== "folder") return [];
  return (await namesInFolder(folder)).filter((name) => !isMarksFolder(name) && !name.startsWith("."));
}

const leftOver = (path: string) => entryOf("left over", path, "what a stopped process was removing");

async function entryOf(kind: CacheEntry["kind"], path: string, what: string): Promise<CacheEntry> {
  const { bytes, files, newest } = await sizeBelow(path);
  const used = await lastUse(path);
  return {
    kind,
    path,
    what,
    bytes,
    files,
    lastUsed: used !== undefined && used > newest ? used : newest,
    users: (await usersOf(path)).map(({ pid, host }) => ({ pid, host })),
  };
}
