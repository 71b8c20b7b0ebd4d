import { FormatError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";
import { openRegular } from "./regular-file.ts";

/** An index of a genome, the largest of these files, has some megabytes. */
const LARGEST = 2 ** 30;

/**
 * All bytes of a small regular file; undefined when there is no such file.
 *
 * @param most  bytes: a file that is larger, or grows beyond it while it is read, is refused
 * @throws {InputError} when it may not be read
 * @throws {FormatError} when it is too large
 */
export async function bytesIfPresent(path: string, most = LARGEST): Promise<Uint8Array | undefined> {
  try {
    await using file = await openRegular(path);
    const { size } = await file.stat();
    if (size > most) {
      throw new FormatError({ file: path }, `the file has ${size} bytes; at most ${most} are read`);
    }
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of file.createReadStream({ highWaterMark: 2 ** 18 })) {
      bytes += (piece as Uint8Array).length;
      if (bytes > most) {
        throw new FormatError({ file: path }, `the file has more than ${most} bytes`);
      }
      pieces.push(piece as Uint8Array);
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileTrouble(path, error);
  }
}
