import { fileTrouble } from "./file-trouble.ts";
import { openRegular } from "./regular-file.ts";

/** The bytes of a regular file, piece by piece. @throws {InputError} when it cannot be read */
export async function* filePieces(path: string): AsyncGenerator<Buffer> {
  try {
    const file = await openRegular(path);
    for await (const piece of file.createReadStream({ highWaterMark: 2 ** 20 })) yield piece as Buffer;
  } catch (error) {
    throw fileTrouble(path, error);
  }
}
