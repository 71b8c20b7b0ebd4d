import { createReadStream } from "node:fs";
import { fileTrouble } from "./file-trouble.ts";

/** The bytes of a file, piece by piece. @throws {InputError} when it cannot be read */
export async function* filePieces(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(path)) yield piece as Uint8Array;
  } catch (error) {
    throw fileTrouble(path, error);
  }
}
