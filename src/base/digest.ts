import { createHash, type Hash, hash } from "node:crypto";
import { stat } from "node:fs/promises";
import { fileError } from "./errors.ts";
import { fileChunks } from "./read-file.ts";

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
