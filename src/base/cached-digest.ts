import { readFile, realpath, stat } from "node:fs/promises";
import { z } from "zod";
import { digestFile, sha256Hex } from "./digest.ts";
import { fileError, InputError } from "./errors.ts";
import { cacheFolder } from "./folder.ts";
import { writeCacheFile } from "./write-file.ts";

const remembered = z.object({ state: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** A file that changed this recently may change again without its time of change showing it. */
const SETTLED_MS = 2000;

/**
 * SHA-256 of a file, as `digestFile`, but hashed only once: the digest is kept in the cache folder with the file's
 * inode, size, and times of change to the nanosecond, and hashed again when any of them differs.
 *
 * @throws {InputError} when the file cannot be read, or changes while it is read
 */
export function cachedDigest(path: string, folder = cacheFolder("digests")): Promise<string> {
  return cachedDigestOf("bytes", path, digestFile, folder);
}

/**
 * The same for a digest of what a file holds, whatever way it is written.
 *
 * @param what     what is digested, and which version of the rule: digests of different things are kept apart
 * @param compute  reads the file and gives the digest, 64 hex digits
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
  const known = await recall(record);
  if (known?.state === state.text) return known.sha256;

  const sha256 = await compute(path);
  if ((await stateOf(realPath)).text !== state.text) {
    throw new InputError("the file changed while it was read", { place: { file: path } });
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

async function recall(record: string): Promise<z.infer<typeof remembered> | undefined> {
  try {
    return remembered.safeParse(JSON.parse(await readFile(record, "utf8"))).data;
  } catch {
    return undefined; // Not there, or damaged: the file is hashed and the record written anew.
  }
}
