import { readdir, stat } from "node:fs/promises";
import { InputError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";

/** What lies at a path, links followed: a regular file, a folder, or another thing; undefined when nothing does. */
export async function kindOfPath(path: string): Promise<"file" | "folder" | "other" | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return "file";
    return found.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR"].includes(String(error.code))) {
      return undefined;
    }
    throw fileTrouble(path, error);
  }
}

/** @throws {InputError} unless there is a regular file at the path */
export async function checkIsFile(path: string): Promise<void> {
  const kind = await kindOfPath(path);
  if (kind === undefined) throw new InputError(`there is no file ${path}`);
  if (kind !== "file") throw new InputError("this is not a regular file", { place: { file: path } });
}

/** Names of the files and folders in a folder, sorted. @throws {InputError} when it cannot be listed */
export async function namesInFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw fileTrouble(path, error);
  }
}
