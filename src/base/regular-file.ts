import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { InputError } from "./errors.ts";

/** Windows has no such flag, and no FIFOs among its files. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What a path leads to, if not to a regular file. */
function kindOf(stat: Stats): string | undefined {
  if (stat.isFile()) return undefined;
  if (stat.isDirectory()) return "this is a folder; a file was expected";
  if (stat.isFIFO()) return "this is a FIFO; a regular file was expected";
  return `this is a ${stat.isSocket() ? "socket" : "device"}; a regular file was expected`;
}

/**
 * Opens a regular file for reading. Anything else is refused at once: a FIFO may never be written, a device never end.
 *
 * @param named  the path as the caller named it, for messages
 * @throws {InputError} when it is not a regular file
 * @throws {Error} of the system when it cannot be opened, for `fileTrouble`
 */
export async function openRegular(path: string, named = path): Promise<FileHandle> {
  const handle = await open(path, AT_ONCE);
  try {
    const kind = kindOf(await handle.stat());
    if (kind !== undefined) throw new InputError(kind, { place: { file: named } });
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
