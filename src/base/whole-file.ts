import { readFile } from "node:fs/promises";
import { fileTrouble } from "./file-trouble.ts";

/**
 * All bytes of a small file; undefined when there is no such file.
 * @throws {InputError} when it may not be read
 */
export async function bytesIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileTrouble(path, error);
  }
}
