import { createHash } from "node:crypto";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { FormatError, InputError } from "./errors.ts";
import type { ExpectedFile } from "./file-check.ts";
import { filePieces } from "./file-pieces.ts";
import { fileTrouble } from "./file-trouble.ts";
import { writeFileWhole } from "./write-file.ts";

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
      throw gzipTrouble(from, error);
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
  await writeFileWhole(to, checked());
}

function gzipTrouble(file: string, error: unknown): unknown {
  const damaged = error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
  if (!damaged) return fileTrouble(file, error);
  return new FormatError({ file }, `the file is no gzip, or damaged: ${error.message}`, undefined, error);
}
