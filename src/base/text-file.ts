import { readFile } from "node:fs/promises";
import { fileTrouble } from "./file-trouble.ts";

/**
 * A text file's content, UTF-8; undefined when there is no such file.
 * @throws {InputError} when it may not be read
 */
export async function textIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileTrouble(path, error);
  }
}
