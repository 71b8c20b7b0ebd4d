import { createHash } from "node:crypto";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { ExpectedFile } from "./digest.ts";
import { errorCode, FormatError, fileError, InputError } from "./errors.ts";
import { filePieces, openRegular } from "./read-file.ts";
import { writeFileAtomic } from "./write-file.ts";

/**
 * A file's bytes from front to end, in pieces; unpacked where the file is compressed with gzip or bgzip, which its first
 * bytes tell and not its name.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the compressed data is damaged or cut off
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
  // A failure on either side destroys both; whoever reads `gunzip` is told.
  pipeline(source, gunzip, () => {});
  return gunzip;
}

function readError(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (!code.startsWith("Z_")) return fileError(path, error);
  const message =
    code === "Z_BUF_ERROR" ? "the compressed data ends too early" : "the compressed data is damaged";
  return new FormatError({ file: path }, message, "was the file downloaded completely? Try gzip -t", error);
}

/** Stops the unpacking of a file that would fill the disk before its size is known to be wrong. */
class TooMuch extends Error {}

export interface UnpackOptions {
  /** What must come out; its size and SHA-256 are checked. */
  readonly expected?: Pick<ExpectedFile, "bytes" | "sha256"> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes what a gzip file holds to another file, whole and as expected or not at all.
 *
 * @throws {FormatError} when the file is no gzip, damaged or cut off
 * @throws {InputError} when it holds something else than expected, or a file cannot be read or written
 */
export async function unpackGzip(
  from: string,
  to: string,
  { expected = {}, signal }: UnpackOptions = {},
): Promise<void> {
  const digest = createHash("sha256");
  let bytes = 0;
  const pieces = pipeline(filePieces(from), createGunzip(), () => {});
  async function* checked() {
    try {
      for await (const piece of pieces) {
        signal?.throwIfAborted();
        digest.update(piece as Uint8Array);
        bytes += (piece as Uint8Array).length;
        if (bytes > (expected.bytes ?? Number.POSITIVE_INFINITY)) throw new TooMuch();
        yield piece as Uint8Array;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TooMuch) throw wrong(`more than the ${expected.bytes} bytes that were expected`);
      throw unpackError(from, error);
    }
    const sha256 = digest.digest("hex");
    const right =
      (expected.bytes ?? bytes) === bytes && (expected.sha256 === undefined || expected.sha256 === sha256);
    if (right) return;
    throw wrong(
      `${bytes} bytes and the SHA-256 ${sha256}; expected ${[expected.bytes, expected.sha256].filter((one) => one !== undefined).join(" and ")}`,
    );
  }
  const wrong = (what: string) =>
    new InputError(`what it unpacks to has ${what}`, {
      place: { file: from },
      hint: "the file at the source has changed; nothing was kept",
    });
  await writeFileAtomic(to, checked());
}

function unpackError(file: string, error: unknown): unknown {
  const damaged = error instanceof Error && errorCode(error).startsWith("Z_");
  if (!damaged) return fileError(file, error);
  return new FormatError({ file }, `the file is no gzip, or damaged: ${error.message}`, undefined, error);
}
