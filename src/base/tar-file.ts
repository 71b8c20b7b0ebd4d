import { on } from "node:events";
import { Readable } from "node:stream";
import { Header, type HeaderData, Parser, Pax, type ReadEntry } from "tar";
import { FormatError, InputError } from "./errors.ts";
import { fileChunks } from "./read-file.ts";
import { writeFileAtomic } from "./write-file.ts";

/** One file to add to an archive. */
export interface TarEntry {
  /** Path in the archive, separated by `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Contents, exactly `bytes` bytes. */
  readonly contents: Uint8Array | AsyncIterable<Uint8Array>;
}

/** One entry of an archive. Its contents must be read before the next entry is requested. */
export interface TarFileEntry {
  readonly path: string;
  /** "file", or the type of another entry, such as "Directory" or "SymbolicLink". */
  readonly kind: string;
  readonly bytes: number;
  readonly contents: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;

/**
 * Writes a tar archive atomically (POSIX.1-2001: ustar, with pax headers for long names). Owners and times
 * are omitted, so equal files give equal bytes.
 */
export async function writeTar(path: string, entries: AsyncIterable<TarEntry>): Promise<void> {
  await writeFileAtomic(path, archive(entries));
}

async function* archive(entries: AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array> {
  for await (const { path, bytes, contents } of entries) {
    const form: HeaderData = { path, size: bytes, mode: 0o644, type: "File", mtime: new Date(0) };
    const header = new Header(form);
    const block = Buffer.alloc(BLOCK);
    if (header.encode(block, 0)) yield new Pax({ path, size: bytes }).encode();
    yield block;
    if (contents instanceof Uint8Array) yield contents;
    else yield* contents;
    const over = bytes % BLOCK;
    if (over > 0) yield new Uint8Array(BLOCK - over);
  }
  yield new Uint8Array(2 * BLOCK);
}

/**
 * Entries of a tar archive in order, with streamed contents.
 *
 * @throws {FormatError} when the file is not a tar archive, damaged or truncated
 * @throws {InputError} when it cannot be read
 */
export async function* readTar(path: string): AsyncGenerator<TarFileEntry> {
  const parser = new Parser({ strict: true });
  const source = Readable.from(fileChunks(path));
  let failure: unknown;
  parser.on("error", (error) => {
    failure ??= error instanceof InputError ? error : damaged(path, error);
  });
  source.on("error", (error) => parser.emit("error", error));
  // The parser emits an entry when the one before it was read.
  const entries = on(parser, "entry", { close: ["end"] });
  source.pipe(parser);
  try {
    for await (const [emitted] of entries) {
      const entry: ReadEntry = emitted;
      yield {
        path: entry.path,
        kind: entry.type === "File" || entry.type === "OldFile" ? "file" : entry.type,
        bytes: entry.size,
        contents: contentsOf(entry, path, () => failure),
      };
      // Skips contents that were not read.
      entry.resume();
    }
  } catch (error) {
    throw failure ?? error;
  } finally {
    source.destroy();
  }
}

const damaged = (file: string, error: unknown) =>
  new FormatError(
    { file },
    `the file is not a tar archive, or ${isTruncation(error) ? "its end is missing" : "damaged"}`,
    "is the file complete, and not compressed?",
    error,
  );

const isTruncation = (error: unknown) => error instanceof Error && error.message.includes("Truncated input");

async function* contentsOf(
  entry: ReadEntry,
  file: string,
  failure: () => unknown,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of entry) {
    bytes += piece.length;
    yield piece;
  }
  if (bytes !== entry.size) throw failure() ?? new FormatError({ file }, "the archive is truncated");
}
