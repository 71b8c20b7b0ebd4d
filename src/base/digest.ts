import { createHash, type Hash, hash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { z } from "zod";
import { fileError, InputError } from "./errors.ts";
import { cacheFolder } from "./folder.ts";
import { tryParseJson } from "./json.ts";
import { fileChunks } from "./read-file.ts";
import { writeCacheFile } from "./write-file.ts";

/** SHA-256 as 64 lower-case hex digits; a string is encoded as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

/**
 * SHA-256 of a file's bytes, read once in constant memory.
 * @throws {InputError} when the file cannot be read
 */
export async function digestFile(path: string): Promise<string> {
  return digestAfter(createHash("sha256"), path);
}

/** Expected size and digests of a file. A missing field is not checked. */
export interface ExpectedFile {
  readonly bytes?: number;
  /** 64 hex digits. */
  readonly sha256?: string;
  /** Git blob id, 40 hex digits: SHA-1 of `blob LENGTH\0` and the contents. */
  readonly gitBlob?: string;
  /** 32 hex digits: detects a damaged download, not a forged one. */
  readonly md5?: string;
}

/**
 * Describes how a file differs from the expectation, as a predicate ("has 12 bytes; expected 14"); undefined
 * when it matches.
 * @throws {InputError} when the file cannot be read
 */
export async function mismatch(path: string, expected: ExpectedFile): Promise<string | undefined> {
  if (expected.bytes !== undefined) {
    const { size } = await stat(path).catch((error) => Promise.reject(fileError(path, error)));
    if (size !== expected.bytes) return `has ${size} bytes; expected ${expected.bytes}`;
  }
  if (expected.sha256 !== undefined) {
    const found = await digestFile(path);
    if (found !== expected.sha256) return `has the SHA-256 ${found}; expected ${expected.sha256}`;
  }
  if (expected.gitBlob !== undefined) {
    const found = await gitBlobId(path);
    if (found !== expected.gitBlob) return `has the Git object id ${found}; expected ${expected.gitBlob}`;
  }
  if (expected.md5 !== undefined) {
    const found = await digestAfter(createHash("md5"), path);
    if (found !== expected.md5) return `has the MD5 ${found}; expected ${expected.md5}`;
  }
  return undefined;
}

async function gitBlobId(path: string): Promise<string> {
  const { size } = await stat(path).catch((error) => Promise.reject(fileError(path, error)));
  return digestAfter(createHash("sha1").update(`blob ${size}\0`), path);
}

/** Digest of the bytes already fed to `digest`, followed by the file. */
async function digestAfter(digest: Hash, path: string): Promise<string> {
  for await (const piece of fileChunks(path)) digest.update(piece);
  return digest.digest("hex");
}

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
