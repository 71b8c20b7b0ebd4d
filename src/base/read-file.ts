import { constants, readSync, type Stats } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { errorCode, FormatError, fileError, InputError } from "./errors.ts";

/** Bytes per read call; Node allows at most 2^31 - 1. */
const MAX_READ_BYTES = 2 ** 30;

/** A local file opened for random access. Close it with `close()` or `await using`. */
export interface OpenFile extends AsyncDisposable {
  /** Path given by the caller, for messages. */
  readonly path: string;
  /** Path with all links resolved. */
  readonly realPath: string;
  /** Size in bytes when the file was opened. */
  readonly size: number;
  /**
   * Bytes [offset, offset + length).
   * @throws {FormatError} when the range is outside the file, before anything is allocated
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** `read` for a few bytes in synchronous code. */
  readSync(offset: number, length: number): Uint8Array;
  close(): Promise<void>;
}

/** Opens a regular file. @throws {InputError} when it is missing, not a regular file, or not readable */
export async function openFile(path: string): Promise<OpenFile> {
  const refuse = (error: unknown) => Promise.reject(fileError(path, error));
  const realPath = await realpath(path).catch(refuse);
  const handle = await openRegular(realPath, path).catch(refuse);
  const stat = await handle.stat();

  function bufferFor(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= stat.size)) {
      throw new FormatError(
        { file: path },
        `bytes ${offset} to ${offset + length} are outside the file, which has ${stat.size}`,
        "is the file truncated? Compare its size with that of the source",
      );
    }
    return allocate(path, length);
  }
  const checkRead = (bytesRead: number) => {
    if (bytesRead > 0) return;
    throw new FormatError({ file: path }, `the file shrank below ${stat.size} bytes during the read`);
  };

  async function read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = bufferFor(offset, length);
    let filled = 0;
    while (filled < length) {
      const piece = Math.min(length - filled, MAX_READ_BYTES);
      const { bytesRead } = await handle.read(bytes, filled, piece, offset + filled);
      checkRead(bytesRead);
      filled += bytesRead;
    }
    return bytes;
  }

  function readNow(offset: number, length: number): Uint8Array {
    const bytes = bufferFor(offset, length);
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
    throw new InputError(`${length} bytes do not fit into memory`, { place: { file: path }, cause });
  }
}

/** Default size limit of files read at once; the largest ones, genome indexes, have a few megabytes. */
const MAX_FILE_BYTES = 2 ** 30;

/**
 * All bytes of a regular file; undefined if it does not exist.
 *
 * @param maxBytes  size limit, also for a file that grows during the read
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when it exceeds the limit
 */
export async function bytesIfPresent(
  path: string,
  maxBytes = MAX_FILE_BYTES,
): Promise<Uint8Array | undefined> {
  try {
    await using file = await openRegular(path);
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new FormatError({ file: path }, `the file has ${size} bytes; the limit is ${maxBytes}`);
    }
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for (let ended = false; !ended; ) {
      // The size, and a page for what a growing file has more, or one of /proc, which states no size.
      const room = Buffer.allocUnsafeSlow(Math.min(Math.max(size - bytes, 0) + 2 ** 12, 2 ** 18));
      let filled = 0;
      while (!ended && filled < room.length) {
        const { bytesRead } = await file.read(room, filled, room.length - filled, null);
        filled += bytesRead;
        bytes += bytesRead;
        ended = bytesRead === 0;
        if (bytes > maxBytes) {
          throw new FormatError({ file: path }, `the file has more than ${maxBytes} bytes`);
        }
      }
      pieces.push(room.subarray(0, filled));
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

/** Size limit of text files; a JavaScript string cannot exceed 2^29 characters. */
const MAX_TEXT_BYTES = 2 ** 28;

/**
 * Text of a UTF-8 file; undefined if it does not exist.
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when it is larger than 256 MiB
 */
export async function textIfPresent(path: string): Promise<string | undefined> {
  const bytes = await bytesIfPresent(path, MAX_TEXT_BYTES);
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

/** Bytes of a regular file in chunks. @throws {InputError} when it cannot be read */
export async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  try {
    const file = await openRegular(path);
    const { size } = await file.stat();
    // Each read allocates this much.
    const highWaterMark = Math.min(Math.max(size, 2 ** 12), 2 ** 20);
    const chunks: AsyncIterable<Buffer> = file.createReadStream({ highWaterMark });
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Non-blocking, so that opening a FIFO returns at once. Windows has neither the flag nor FIFOs. */
const READ_NONBLOCK = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Describes a path that is not a regular file; undefined for a regular file. */
function irregularity(stat: Stats): string | undefined {
  if (stat.isFile()) return undefined;
  if (stat.isDirectory()) return "this is a folder; expected a file";
  if (stat.isFIFO()) return "this is a FIFO; expected a regular file";
  return `this is a ${stat.isSocket() ? "socket" : "device"}; expected a regular file`;
}

/**
 * Opens a regular file for reading. Other kinds are refused without blocking: a FIFO may have no writer and a
 * device no end.
 *
 * @param named  path given by the caller, for messages
 * @throws {InputError} when the path is not a regular file
 * @throws {Error} the system error when it cannot be opened; callers convert it with `fileError`
 */
export async function openRegular(path: string, named = path): Promise<FileHandle> {
  const handle = await open(path, READ_NONBLOCK);
  try {
    const problem = irregularity(await handle.stat());
    if (problem !== undefined) throw new InputError(problem, { place: { file: named } });
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
