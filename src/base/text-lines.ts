import { open } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FormatError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";

/** A line without its end (LF or CRLF), and its number as editors count, from 1. */
export interface TextLine {
  readonly text: string;
  readonly number: number;
}

/** A longer line is no row of a table: the file is binary, or has lost its line ends. */
const LONGEST_LINE = 2 ** 24;

/**
 * Lines of a text file that may be compressed with gzip or bgzip (known by its first bytes, not by its name).
 * Text is UTF-8; a byte-order mark is dropped; a last line without an end counts; an empty file has no lines.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the compressed data is damaged or cut off, or a line is longer than 16 MiB
 */
export async function* textLines(path: string): AsyncGenerator<TextLine> {
  let number = 0;
  for await (const lines of lineBatches(path)) {
    for (const text of lines) yield { text, number: ++number };
  }
}

/**
 * `textLines` for tables of millions of rows: `visit` is called for each line, without a promise for each.
 * What `visit` throws stops the reading and is thrown on.
 */
export async function forEachLine(
  path: string,
  visit: (text: string, number: number) => void,
): Promise<void> {
  let number = 0;
  for await (const lines of lineBatches(path)) {
    for (const text of lines) visit(text, ++number);
  }
}

async function* lineBatches(path: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  let before = 0;
  for await (const chunk of decompressed(path)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) {
      throw new FormatError(
        { file: path, line: before + lines.length + 1 },
        `the line is longer than ${LONGEST_LINE} letters`,
        "is this a text file?",
      );
    }
    for (let i = 0; i < lines.length; i++) lines[i] = withoutReturn(lines[i]!);
    before += lines.length;
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield [withoutReturn(rest)];
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);

async function* decompressed(path: string): AsyncGenerator<Uint8Array> {
  let compressed = false;
  try {
    const file = await open(path, "r");
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
