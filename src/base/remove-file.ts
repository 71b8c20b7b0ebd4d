import { rm } from "node:fs/promises";
import { fileTrouble } from "./file-trouble.ts";

/** Removes a file; nothing happens when there is none. @throws {InputError} when it may not be removed */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error) => Promise.reject(fileTrouble(path, error)));
}
