import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type ExpectedFile, mismatch } from "./digest.ts";
import { fileError, InputError } from "./errors.ts";
import { waitForLock } from "./file-lock.ts";
import { kindOfPath, makeFolder } from "./folder.ts";
import { connectionError, DEFAULT_RETRIES, fetchWithRetries, type RetryPolicy, retryPause } from "./http.ts";
import { quotedText } from "./message-text.ts";
import { rename } from "./write-file.ts";

/**
 * An address, or a function that returns one. The function is called for every attempt: signed addresses
 * expire.
 */
export type DownloadAddress = string | URL | (() => Promise<string | URL>);

export interface DownloadRequest {
  readonly url: DownloadAddress;
  /** Path of the file. Missing folders are created. */
  readonly path: string;
  /** Expected size and digests. Without a digest only the length of the transfer is checked. */
  readonly expected?: ExpectedFile;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with the bytes received, and the total if the server sends it. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** Called when another process is downloading the same file. */
  readonly onWait?: (why: string) => void;
  readonly retries?: RetryPolicy;
}

/** An HTTP error status. */
export class HttpError extends InputError {
  readonly status: number;
  constructor(status: number, message: string, hint?: string) {
    super(message, hint === undefined ? {} : { hint });
    this.status = status;
  }
}

/**
 * Downloads a file atomically: `path` is complete and matches the expectation, or does not change.
 *
 * Bytes go to `path.part`. A lost connection resumes there; if a digest is expected, so does a later call.
 * The finished part is checked, flushed to the disk and renamed. A file that already has the expected digest
 * is not fetched again. A second process that downloads the same file waits for the first. Redirects are
 * followed, but headers with secrets (Authorization, Cookie) are not sent to another host.
 *
 * @throws {HttpError} when the server responds with an error status
 * @throws {ConnectionError} when the server cannot be reached or repeatedly drops the connection
 * @throws {InputError} when the address is invalid, the file differs from the expectation, or the disk is
 *   full
 */
export async function download(request: DownloadRequest): Promise<void> {
  const { path, expected = {}, signal } = request;
  signal?.throwIfAborted();
  if (await isThere(path, expected)) return;
  await makeFolder(dirname(path));
  await using _ = await waitForLock(`${path}.lock`, {
    protects: path,
    signal,
    onWait: ({ message }) => request.onWait?.(`waiting for another download of ${path}: ${message}`),
    onWatch: (text) => request.onWait?.(text),
  });
  if (await isThere(path, expected)) return;

  const part = `${path}.part`;
  const continued = hasDigest(expected) && (await kindOfPath(part)) === "file";
  if (!continued) await rm(part, { force: true });
  const source: Source = { url: "", validator: undefined, total: undefined };
  let wrong = await fetchChecked(request, part, source);
  // The existing part may belong to another file: start over once.
  if (wrong !== undefined && continued) wrong = await fetchChecked(request, part, source);
  if (wrong !== undefined) {
    throw new InputError(`the file from ${source.url} ${wrong}`, {
      place: { file: path },
      hint: "the file at the source has changed, or a proxy altered it; nothing was kept",
    });
  }
  await rename(part, path).catch((error) => Promise.reject(fileError(path, error)));
}

const hasDigest = ({ sha256, gitBlob, md5 }: ExpectedFile) =>
  sha256 !== undefined || gitBlob !== undefined || md5 !== undefined;

/** An address without its query string, which may contain a signature. */
function shown(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

async function isThere(path: string, expected: ExpectedFile): Promise<boolean> {
  return (
    hasDigest(expected) &&
    (await kindOfPath(path)) === "file" &&
    (await mismatch(path, expected)) === undefined
  );
}

/** Downloads and checks the part; removes it and returns the mismatch if it is wrong. */
async function fetchChecked(
  request: DownloadRequest,
  part: string,
  source: Source,
): Promise<string | undefined> {
  source.validator = undefined;
  source.total = undefined;
  try {
    await fetchAll(request, part, source);
  } catch (error) {
    // An empty part has nothing to resume.
    const isEmpty = (await kindOfPath(part)) === "file" && (await mismatch(part, { bytes: 0 })) === undefined;
    if (isEmpty) await rm(part, { force: true });
    throw error;
  }
  const wrong = await mismatch(part, request.expected ?? {});
  if (wrong !== undefined) await rm(part, { force: true });
  return wrong;
}

/** The connection was lost before the end of the body. The received bytes stay in the part. */
class CutError extends Error {}

async function fetchAll(request: DownloadRequest, part: string, source: Source): Promise<void> {
  const { signal, retries = DEFAULT_RETRIES } = request;
  const file = await open(part, "a").catch((error) => Promise.reject(fileError(part, error)));
  try {
    let failures = 0;
    // Only bytes beyond the farthest position count as progress. A server that drops the connection and then
    // sends the wrong range would otherwise be retried forever.
    let { size: reached } = await file.stat();
    for (;;) {
      try {
        await fetchRest(request, part, file, source);
        await file.sync();
        return;
      } catch (error) {
        if (!(error instanceof CutError)) throw error;
        const { size } = await file.stat();
        failures = size > reached ? 1 : failures + 1;
        reached = Math.max(reached, size);
        if (failures >= retries.attempts) throw connectionError(source.url, error);
        await retryPause(retries.initialDelayMs * 2 ** (failures - 1), signal);
      }
    }
  } finally {
    await file.close();
  }
}

interface Source {
  /** Address of the last request, without its query string. */
  url: string;
  /** Strong ETag or Last-Modified: identifies this version of the file. */
  validator: string | undefined;
  /** Size of the file in bytes, from the last response. */
  total: number | undefined;
}

/** Requests the bytes missing from the part. @throws {CutError} when the connection is lost */
async function fetchRest(
  request: DownloadRequest,
  part: string,
  file: FileHandle,
  source: Source,
): Promise<void> {
  const { expected = {}, signal, onProgress } = request;
  const received = await resumableSize(file, expected, source);
  if (received > 0 && received === expected.bytes) return;

  const response = await requestFrom(received, request, source);
  const range = contentRange(response);
  if (response.status === 416 && received > 0) {
    await response.body?.cancel();
    if (range?.total === received && (source.total ?? received) === received) return;
    await file.truncate(0);
    throw new CutError("the part is longer than the file at the source");
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw httpError(source.url, response);
  }
  const done = await bodyStart(response, range, received, file);
  source.validator = validatorOf(response);
  const total = totalBytes(response, done, range);
  source.total = total;
  if (expected.bytes !== undefined && total !== undefined && total !== expected.bytes) {
    await response.body?.cancel();
    throw new InputError(`${source.url} has ${total} bytes; expected ${expected.bytes}`, {
      place: { file: request.path },
      hint: "has the file at the source changed?",
    });
  }
  await appendBody(response, file, part, { done, total: expected.bytes ?? total, onProgress, signal });
}

/** Size of the part. Empties it first if it is too long, or nothing identifies the version of the file. */
async function resumableSize(file: FileHandle, expected: ExpectedFile, source: Source): Promise<number> {
  const { size } = await file.stat();
  const isIdentified = hasDigest(expected) || source.validator !== undefined;
  if (isIdentified && size <= (expected.bytes ?? Number.POSITIVE_INFINITY)) return size;
  await file.truncate(0);
  return 0;
}

/** Requests the file from a byte on, and records the address. */
async function requestFrom(start: number, request: DownloadRequest, source: Source): Promise<Response> {
  const { expected = {}, signal, retries } = request;
  const headers: Record<string, string> = { ...request.headers, "accept-encoding": "identity" };
  if (start > 0) {
    headers.range = `bytes=${start}-`;
    if (!hasDigest(expected) && source.validator !== undefined) headers["if-range"] = source.validator;
  }
  const url = typeof request.url === "function" ? await request.url() : request.url;
  if (!URL.canParse(String(url))) {
    throw new InputError(`${quotedText(String(url))} is not a valid address to download from`, {
      place: { file: request.path },
      hint: "an address starts with https:// or http://",
    });
  }
  source.url = shown(url);
  return fetchWithRetries(url, { headers, ...(signal === undefined ? {} : { signal }) }, retries);
}

/**
 * Position of the body's first byte in the file. Empties the part if it is not the requested one.
 * @throws {CutError} when the server sent another range
 */
async function bodyStart(
  response: Response,
  range: ContentRange | undefined,
  requested: number,
  file: FileHandle,
): Promise<number> {
  if (requested === 0 || (response.status === 206 && range?.start === requested)) return requested;
  await file.truncate(0);
  if (response.status === 206) throw new CutError("the server sent a range that was not requested");
  return 0;
}

interface Progress {
  done: number;
  readonly total: number | undefined;
  readonly onProgress: DownloadRequest["onProgress"];
  readonly signal: AbortSignal | undefined;
}

async function appendBody(
  response: Response,
  file: FileHandle,
  part: string,
  progress: Progress,
): Promise<void> {
  const { total, onProgress, signal } = progress;
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read().catch((cause) => {
      signal?.throwIfAborted();
      throw new CutError("the connection was lost", { cause });
    });
    if (piece === undefined || piece.done) break;
    progress.done += piece.value.length;
    if (progress.done > (total ?? Number.POSITIVE_INFINITY)) {
      await reader?.cancel();
      throw new InputError(`the server sent more than ${total} bytes`, { place: { file: part } });
    }
    await file.appendFile(piece.value).catch((error) => Promise.reject(fileError(part, error)));
    onProgress?.(progress.done, total);
  }
  if (progress.done < (total ?? 0))
    throw new CutError("the connection was closed before the end of the file");
}

interface ContentRange {
  readonly start: number | undefined;
  readonly total: number | undefined;
}

/** `bytes 100-199/200`, `bytes 100-199/*` or, with status 416, `bytes *\/200`. */
function contentRange({ headers }: Response): ContentRange | undefined {
  const [, start, total] =
    /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (total === undefined) return undefined;
  return {
    start: start === undefined ? undefined : Number(start),
    total: total === "*" ? undefined : Number(total),
  };
}

function totalBytes(
  { headers }: Response,
  before: number,
  range: ContentRange | undefined,
): number | undefined {
  if (range?.total !== undefined) return range.total;
  const length = headers.get("content-length");
  const encoded = (headers.get("content-encoding") ?? "identity") !== "identity";
  return length === null || encoded ? undefined : before + Number(length);
}

/** Weak ETags are ignored: they do not guarantee equal bytes. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  return (etag?.startsWith('"') ? etag : null) ?? headers.get("last-modified") ?? undefined;
}

function httpError(url: string, { status, statusText }: Response): HttpError {
  const { host } = new URL(url);
  if (status === 401 || status === 403) {
    return new HttpError(
      status,
      `${host} denies access to ${url} (${status})`,
      "does the file require a login?",
    );
  }
  if (status === 404 || status === 410) return new HttpError(status, `${url} does not exist (${status})`);
  const later = status === 429 || status >= 500 ? "try again later: the download resumes" : undefined;
  return new HttpError(status, `${host} returned ${status} ${statusText} for ${url}`, later);
}
