import { constants, readSync, type Stats } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { errorCode, FormatError, fileError, InputError } from "./errors.ts";

/** Node reads at most 2^31 - 1 bytes at once. */
const LARGEST_READ = 2 ** 30;

/** A local file opened for reads at any position. Close it with `close()` or `await using`. */
export interface OpenFile extends AsyncDisposable {
  /** As the caller named it, for messages. */
  readonly path: string;
  /** With every link resolved. */
  readonly realPath: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /**
   * Bytes [offset, offset + length).
   * @throws {FormatError} when they are not inside the file, before anything is allocated
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** `read` without a promise, for a few bytes within synchronous code. */
  readSync(offset: number, length: number): Uint8Array;
  close(): Promise<void>;
}

/** @throws {InputError} when the file is not there, is not a regular file or may not be read */
export async function openFile(path: string): Promise<OpenFile> {
  const trouble = (error: unknown) => fileError(path, error);
  const realPath = await realpath(path).catch((error) => Promise.reject(trouble(error)));
  const handle = await openRegular(realPath, path).catch((error) => Promise.reject(trouble(error)));
  const stat = await handle.stat();

  function room(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= stat.size)) {
      throw new FormatError(
        { file: path },
        `bytes ${offset} to ${offset + length} were asked for, but the file has ${stat.size}`,
        "is the file cut off? Compare its size with the source's",
      );
    }
    return allocate(path, length);
  }
  const checkRead = (bytesRead: number) => {
    if (bytesRead > 0) return;
    throw new FormatError(
      { file: path },
      `the file became shorter than ${stat.size} bytes while it was read`,
    );
  };

  async function read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = room(offset, length);
    let filled = 0;
    while (filled < length) {
      const piece = Math.min(length - filled, LARGEST_READ);
      const { bytesRead } = await handle.read(bytes, filled, piece, offset + filled);
      checkRead(bytesRead);
      filled += bytesRead;
    }
    return bytes;
  }

  function readNow(offset: number, length: number): Uint8Array {
    const bytes = room(offset, length);
    for (let filled = 0; filled < length; ) {
      const bytesRead = readSync(handle.fd, bytes, filled, length - filled, offset + filled);
      checkRead(bytesRead);
      filled += bytesRead;
    }
    return bytes;
  }

  const close = () => handle.close();
  return { path, realPath, size: stat.size, read, readSync: readNow, close, [Symbol.asyncDispose]: close };
}

function allocate(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new InputError(`${length} bytes do not fit into memory at once`, { place: { file: path }, cause });
  }
}

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
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

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

/** The bytes of a regular file, piece by piece. @throws {InputError} when it cannot be read */
export async function* filePieces(path: string): AsyncGenerator<Buffer> {
  try {
    const file = await openRegular(path);
    for await (const piece of file.createReadStream({ highWaterMark: 2 ** 20 })) yield piece as Buffer;
  } catch (error) {
    throw fileError(path, error);
  }
}

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
 * @throws {Error} of the system when it cannot be opened, for `fileError`
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
