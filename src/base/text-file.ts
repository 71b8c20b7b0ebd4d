import { bytesIfPresent } from "./whole-file.ts";

/** More is no text that somebody wrote into one file, and could not be held as one. */
const LONGEST_TEXT = 2 ** 28;

/**
 * A text file's content, UTF-8; undefined when there is no such file.
 * @throws {InputError} when it may not be read
 * @throws {FormatError} when it is larger than 256 MiB
 */
export async function textIfPresent(path: string): Promise<string | undefined> {
  const bytes = await bytesIfPresent(path, LONGEST_TEXT);
  return bytes && Buffer.from(bytes).toString("utf8");
}
