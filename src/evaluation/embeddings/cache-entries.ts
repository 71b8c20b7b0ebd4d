import { join } from "node:path";
import { kindOfPath, namesInFolder, sizeBelow } from "../../base/folder.ts";
import { isBeingRemoved, isMarksFolder, lastUse, removeUnlessUsed, usersOf } from "../../base/in-use.ts";
import { removeFile } from "../../base/write-file.ts";
import { describeEmbeddings } from "./embedding-store.ts";

/** A cache entry, which can be computed or downloaded again. */
export interface CacheEntry {
  readonly kind: "embeddings" | "weights" | "untrained" | "digests" | "left over" | "unknown";
  readonly path: string;
  /** Description. */
  readonly what: string;
  readonly bytes: number;
  readonly files: number;
  /** Time of the last use or write. */
  readonly lastUsed: Date;
  /** Processes that use it, or may use it: processes on other machines cannot be checked. */
  readonly users: readonly { readonly pid: number; readonly host: string }[];
}

/** Names of folders with one model's embeddings. */
const EMBEDDINGS = /^[0-9a-f]{16}$/;
const PROTOCOLS = ["corrected", "paper"];

/**
 * Entries of the program's cache folder, and embeddings in folders of runs or shared by runs. Removes only
 * marks of dead processes.
 *
 * @param own      the program's cache folder
 * @param folders  folders of runs (`--out`) or of shared embeddings (`--embeddings`)
 */
export async function cacheEntries(own: string, folders: readonly string[]): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const name of await namesIn(own)) entries.push(...(await ownEntries(name, join(own, name))));
  for (const folder of folders.flatMap(embeddingFolders)) {
    entries.push(
      ...(await entriesIn(folder, async (name, path) =>
        EMBEDDINGS.test(name) ? entryOf("embeddings", path, await describeEmbeddings(path)) : undefined,
      )),
    );
  }
  return entries;
}

/** Entries of one name in the program's cache folder. */
async function ownEntries(name: string, path: string): Promise<readonly CacheEntry[]> {
  switch (name) {
    case "digests":
      return [await entryOf("digests", path, "SHA-256 of files")];
    case "float32":
      return entriesIn(path, async (file, copy) =>
        file.endsWith(".safetensors")
          ? entryOf("weights", copy, "a checkpoint's weights as float32")
          : undefined,
      );
    case "untrained":
      return entriesIn(path, (_, twin) =>
        entryOf("untrained", twin, "an untrained checkpoint, as a control"),
      );
    default:
      return [await entryOf("unknown", path, "not made by this version: not removed")];
  }
}

/** Entries in a folder, and what is left of interrupted removals. */
async function entriesIn(
  folder: string,
  entryNamed: (name: string, path: string) => Promise<CacheEntry | undefined>,
): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const entry = await (isBeingRemoved(name) ? leftOver(path) : entryNamed(name, path));
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Folders that may contain embeddings: the folder itself, a run, or the runs of both protocols in it. */
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

const leftOver = (path: string) => entryOf("left over", path, "remains of an interrupted removal");

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

export interface PrunedEntry {
  readonly entry: CacheEntry;
  /** Reason why it is kept; undefined if it is, or would be, removed. */
  readonly kept?: "in use" | "used lately" | "unknown";
}

const DAY = 86_400_000;

/**
 * Removes entries that were not used for some days. Entries in use and unknown ones are never removed.
 *
 * @param days  0: all entries that are not in use
 * @param dry   only reports what would be removed
 */
export async function pruneCaches(
  entries: readonly CacheEntry[],
  {
    days,
    dry = false,
    now = new Date(),
  }: { readonly days: number; readonly dry?: boolean; readonly now?: Date },
): Promise<readonly PrunedEntry[]> {
  const pruned: PrunedEntry[] = [];
  for (const entry of entries) {
    const kept = reasonToKeep(entry, days, now);
    if (kept !== undefined) pruned.push({ entry, kept });
    else if (dry) pruned.push({ entry });
    else {
      const removed = await removeUnlessUsed(entry.path);
      // A copy of weights has a file with its digest.
      if (removed && entry.kind === "weights") await removeFile(`${entry.path}.sha256`);
      pruned.push(removed ? { entry } : { entry, kept: "in use" });
    }
  }
  return pruned;
}

function reasonToKeep({ kind, users, lastUsed }: CacheEntry, days: number, now: Date): PrunedEntry["kept"] {
  if (kind === "unknown") return "unknown";
  if (users.length > 0) return "in use";
  if (kind === "left over") return undefined;
  return now.getTime() - lastUsed.getTime() < days * DAY ? "used lately" : undefined;
}
