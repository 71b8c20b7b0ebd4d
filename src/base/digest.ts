import { createHash, hash } from "node:crypto";
import { filePieces } from "./file-pieces.ts";

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
