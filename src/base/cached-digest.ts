import { readFile, realpath, stat } from "node:fs/promises";
import { z } from "zod";
import { digestFile, sha256Hex } from "./digest.ts";
import { fileError, InputError } from "./errors.ts";
import { cacheFolder } from "./folder.ts";
import { tryParseJson } from "./json.ts";
import { writeCacheFile } from "./write-file.ts";

const recordSchema = z.object({ state: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** A file modified this recently may change again within the resolution of its timestamps. */
const SETTLED_MS = 2000;

/**
 * SHA-256 of a file, cached. The record in the cache folder holds the file's inode, size and modification
 * times in nanoseconds; the file is hashed again when any of them differs.
 *
 * @throws {InputError} when the file cannot be read or changes during the read
 */
export function cachedDigest(path: string, folder = cacheFolder("digests")): Promise<string> {
  return cachedDigestOf("bytes", path, digestFile, folder);
}

/**
 * Cached digest of the contents of a file, independent of its encoding.
 *
 * @param what     kind of digest and version of its definition: part of the cache key
 * @param compute  computes the digest of the file, 64 hex digits
 */
export async function cachedDigestOf(
  what: string,
  path: string,
  compute: (path: string) => Promise<string>,
  folder = cacheFolder("digests"),
): Promise<string> {
  const realPath = await realpath(path).catch((error) => Promise.reject(fileError(path, error)));
  const record = `${folder}/${sha256Hex(`${what}\n${realPath}`)}.json`;
  const state = await stateOf(realPath);
  const known = await readRecord(record);
  if (known?.state === state.text) return known.sha256;

  const sha256 = await compute(path);
  if ((await stateOf(realPath)).text !== state.text) {
    throw new InputError("the file changed during the read", { place: { file: path } });
  }
  if (Date.now() - state.changedMs > SETTLED_MS) {
    await writeCacheFile(record, JSON.stringify({ state: state.text, sha256 }));
  }
  return sha256;
}

async function stateOf(path: string): Promise<{ text: string; changedMs: number }> {
  const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = await stat(path, { bigint: true });
  const changedMs = Math.max(Number(mtimeMs), Number(ctimeMs));
  return { text: [dev, ino, size, mtimeNs, ctimeNs].join(" "), changedMs };
}

async function readRecord(record: string): Promise<z.infer<typeof recordSchema> | undefined> {
  // A missing or damaged record is replaced after the file has been hashed again.
  const text = await readFile(record, "utf8").catch(() => "");
  return recordSchema.safeParse(tryParseJson(text)).data;
}
