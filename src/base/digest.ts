import { createHash, type Hash, hash } from "node:crypto";
import { stat } from "node:fs/promises";
import { fileError } from "./errors.ts";
import { filePieces } from "./read-file.ts";

/** SHA-256 as 64 lower-case hex digits; a string is taken as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

/**
 * SHA-256 of a file's bytes, read once from front to end in constant memory.
 * @throws {InputError} when the file cannot be read
 */
export async function digestFile(path: string): Promise<string> {
  const digest = createHash("sha256");
  for await (const piece of filePieces(path)) digest.update(piece);
  return digest.digest("hex");
}

/** What a file is expected to be. Nothing given expects nothing. */
export interface ExpectedFile {
  readonly bytes?: number;
  /** 64 hex digits. */
  readonly sha256?: string;
  /** Git's name of the contents, 40 hex digits: SHA-1 of "blob", the length, a zero byte and the contents. */
  readonly gitBlob?: string;
  /** 32 hex digits: enough against a damaged download, not against a forged one. */
  readonly md5?: string;
}

/**
 * What is wrong with a file, as the end of a sentence that begins with its name; undefined when it is as expected.
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

/** The digest of what it was given already and then the file. */
async function digestAfter(digest: Hash, path: string): Promise<string> {
  for await (const piece of filePieces(path)) digest.update(piece);
  return digest.digest("hex");
}
