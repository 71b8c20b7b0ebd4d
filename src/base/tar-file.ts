import { Readable } from "node:stream";
import { Header, type HeaderData, Parser, Pax, type ReadEntry } from "tar";
import { FormatError } from "./errors.ts";
import { filePieces } from "./read-file.ts";
import { writeFileAtomic } from "./write-file.ts";

/** One file of an archive that is to be written. */
export interface TarEntry {
  /** Its name in the archive, parts separated by `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Its contents; exactly so many bytes. */
  readonly contents: Uint8Array | AsyncIterable<Uint8Array>;
}

/** One entry of an archive that is read. Its contents must be read before the next entry is asked for. */
export interface TarFileEntry {
  readonly path: string;
  /** "file", or what else it is: "Directory", "SymbolicLink". */
  readonly kind: string;
  readonly bytes: number;
  readonly contents: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;

/**
 * Writes an archive in the tar format (POSIX.1-2001: ustar with pax headers where names are long), whole or not at all.
 * Owners and times are left out, so equal files give equal bytes.
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
 * The entries of a tar archive, one by one, with their contents as they come.
 *
 * @throws {FormatError} when the file is no tar archive, damaged or cut off
 * @throws {InputError} when it cannot be read
 */
export async function* readTar(path: string): AsyncGenerator<TarFileEntry> {
  const found: ReadEntry[] = [];
  const parser = new Parser({ strict: true, onReadEntry: (entry) => void found.push(entry) });
  let failure: unknown;
  let ended = false;
  const wake = signalOf();
  parser.on("error", (error: unknown) => {
    failure ??= new FormatError(
      { file: path },
      `the archive is damaged, or no tar archive: ${error instanceof Error ? error.message : String(error)}`,
      undefined,
      error,
    );
    wake.call();
  });
  parser.on("end", () => {
    ended = true;
    wake.call();
  });
  const source = Readable.from(filePieces(path));
  source.on("error", (error) => {
    failure ??= error;
    wake.call();
  });
  parser.on("drain", () => source.resume());
  source.on("data", (piece) => {
    if (!parser.write(piece as Buffer)) source.pause();
    wake.call();
  });
  source.on("end", () => parser.end());
  try {
    for (;;) {
      if (failure !== undefined) throw failure;
      const entry = found.shift();
      if (entry === undefined) {
        if (ended) return;
        await wake.next();
        continue;
      }
      yield {
        path: entry.path,
        kind: entry.type === "File" || entry.type === "OldFile" ? "file" : entry.type,
        bytes: entry.size,
        contents: contentsOf(entry, path, () => failure),
      };
      // What was not read is passed over.
      entry.resume();
    }
  } finally {
    source.destroy();
  }
}

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
  if (bytes !== entry.size) throw failure() ?? new FormatError({ file }, "the archive is cut off");
}

/** Something to wait for that may happen before anybody waits. */
function signalOf() {
  let happened = false;
  let waiting: (() => void) | undefined;
  return {
    call() {
      happened = true;
      waiting?.();
    },
    async next() {
      if (!happened) await new Promise<void>((resolve) => (waiting = resolve));
      happened = false;
      waiting = undefined;
    },
  };
}
