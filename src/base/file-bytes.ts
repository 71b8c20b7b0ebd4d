import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FormatError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";
import { openRegular } from "./regular-file.ts";

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
      compressed = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
      return file.createReadStream({ start: 0, highWaterMark: 2 ** 20 });
    })().catch(async (error) => {
      await file.close();
      throw error;
    });
    yield* compressed ? gunzipped(source) : source;
  } catch (error) {
    throw compressed ? gzipTrouble(path, error) : fileTrouble(path, error);
  }
}

function gunzipped(source: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: 2 ** 18 });
  // A failure on either side destroys both; whoever reads `gunzip` is told.
  pipeline(source, gunzip, () => {});
  return gunzip;
}

function gzipTrouble(path: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!code.startsWith("Z_")) return fileTrouble(path, error);
  const message =
    code === "Z_BUF_ERROR" ? "the compressed data ends too early" : "the compressed data is damaged";
  return new FormatError({ file: path }, message, "was the file downloaded completely? Try gzip -t", error);
}
