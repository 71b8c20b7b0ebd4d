import { readSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { FormatError, InputError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";
import { openRegular } from "./regular-file.ts";

/** Node reads at most 2^31 - 1 bytes at once. */
const LARGEST_READ = 2 ** 30;

/** A local file opened for reads at any position. Close it with `close()` or `await using`. */
export interface FileHandle extends AsyncDisposable {
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
export async function openFile(path: string): Promise<FileHandle> {
  const trouble = (error: unknown) => fileTrouble(path, error);
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
