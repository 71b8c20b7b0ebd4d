import { readFile, stat } from "node:fs/promises";
import { FormatError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";

/** More is no text that somebody wrote into one file, and could not be held as one. */
const LONGEST_TEXT = 2 ** 28;

/**
 * A text file's content, UTF-8; undefined when there is no such file.
 * @throws {InputError} when it may not be read
 * @throws {FormatError} when it is larger than 256 MiB
 */
export async function textIfPresent(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > LONGEST_TEXT) {
      throw new FormatError({ file: path }, `the file has ${size} bytes; at most ${LONGEST_TEXT} are read`);
    }
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileTrouble(path, error);
  }
}
