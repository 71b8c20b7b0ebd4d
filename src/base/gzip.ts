import { createHash } from "node:crypto";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { ExpectedFile } from "./digest.ts";
import { errorCode, FormatError, fileError, InputError } from "./errors.ts";
import { fileChunks, openRegular } from "./read-file.ts";
import { writeFileAtomic } from "./write-file.ts";

/**
 * Bytes of a file, decompressed if it is gzip or bgzip (recognised by its first bytes, not its name).
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the compressed data is damaged or truncated
 */
export async function* unpackedBytes(path: string): AsyncGenerator<Uint8Array> {
  let compressed = false;
  try {
    const file = await openRegular(path);
    const source = await (async () => {
      const { buffer, bytesRead } = await file.read(new Uint8Array(2), 0, 2, 0);
      compressed = isGzip(buffer.subarray(0, bytesRead));
      return file.createReadStream({ start: 0, highWaterMark: 2 ** 20 });
    })().catch(async (error) => {
      await file.close();
      throw error;
    });
    yield* compressed ? gunzipped(source) : source;
  } catch (error) {
    throw compressed ? readError(path, error) : fileError(path, error);
  }
}

/** True for the first bytes of a gzip stream, bgzip included. */
export const isGzip = (start: Uint8Array): boolean => start[0] === 0x1f && start[1] === 0x8b;

function gunzipped(source: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: 2 ** 18 });
  // A failure on either side destroys both; the reader of `gunzip` receives the error.
  pipeline(source, gunzip, () => {});
  return gunzip;
}

function readError(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (!code.startsWith("Z_")) return fileError(path, error);
  const message =
    code === "Z_BUF_ERROR" ? "the compressed data is truncated" : "the compressed data is damaged";
  return new FormatError({ file: path }, message, "is the download complete? Run gzip -t", error);
}

/** Stops decompression beyond the expected size, before a wrong file fills the disk. */
class TooLarge extends Error {}

export interface UnpackOptions {
  /** Size and SHA-256 to check after decompression. */
  readonly expected?: Pick<ExpectedFile, "bytes" | "sha256"> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decompresses a gzip file to another file atomically.
 *
 * @throws {FormatError} when the file is not gzip, damaged or truncated
 * @throws {InputError} when the contents differ from the expectation, or a file cannot be read or written
 */
export async function unpackGzip(
  from: string,
  to: string,
  { expected = {}, signal }: UnpackOptions = {},
): Promise<void> {
  const digest = createHash("sha256");
  let bytes = 0;
  const pieces: AsyncIterable<Uint8Array> = pipeline(fileChunks(from), createGunzip(), () => {});
  async function* checked() {
    try {
      for await (const piece of pieces) {
        signal?.throwIfAborted();
        digest.update(piece);
        bytes += piece.length;
        if (bytes > (expected.bytes ?? Number.POSITIVE_INFINITY)) throw new TooLarge();
        yield piece;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TooLarge) throw mismatchError(`more than ${expected.bytes} bytes`);
      throw unpackError(from, error);
    }
    const sha256 = digest.digest("hex");
    const right =
      (expected.bytes ?? bytes) === bytes && (expected.sha256 === undefined || expected.sha256 === sha256);
    if (right) return;
    throw mismatchError(
      `${bytes} bytes and the SHA-256 ${sha256}; expected ${[expected.bytes, expected.sha256].filter((one) => one !== undefined).join(" and ")}`,
    );
  }
  const mismatchError = (found: string) =>
    new InputError(`the decompressed file has ${found}`, {
      place: { file: from },
      hint: "the file at the source has changed; nothing was kept",
    });
  await writeFileAtomic(to, checked());
}

function unpackError(file: string, error: unknown): unknown {
  const damaged = error instanceof Error && errorCode(error).startsWith("Z_");
  if (!damaged) return fileError(file, error);
  return new FormatError({ file }, `the file is not gzip, or damaged: ${error.message}`, undefined, error);
}
