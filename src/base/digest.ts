import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { fileTrouble } from "./file-trouble.ts";

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
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digest.update(chunk);
  } catch (error) {
    throw fileTrouble(path, error);
  }
  return digest.digest("hex");
}
