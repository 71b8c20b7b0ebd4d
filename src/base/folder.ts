import { readdir, stat } from "node:fs/promises";
import { fileTrouble } from "./file-trouble.ts";

/** What lies at a path, links followed; undefined when nothing does. */
export async function kindOfPath(path: string): Promise<"file" | "folder" | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? "folder" : "file";
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR"].includes(String(error.code))) {
      return undefined;
    }
    throw fileTrouble(path, error);
  }
}

/** Names of the files and folders in a folder, sorted. @throws {InputError} when it cannot be listed */
export async function namesInFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw fileTrouble(path, error);
  }
}
