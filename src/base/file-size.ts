import { stat } from "node:fs/promises";
import { fileTrouble } from "./file-trouble.ts";

/** Bytes of a file, links followed. @throws {InputError} when it is not there or may not be looked at */
export async function fileSize(path: string): Promise<number> {
  const { size } = await stat(path).catch((error) => Promise.reject(fileTrouble(path, error)));
  return size;
}
