import { join } from "node:path";
import { digestFile, mismatch } from "../../base/digest.ts";
import { download, HttpError } from "../../base/download.ts";
import { InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { fileSize, kindOfPath } from "../../base/folder.ts";
import { unpackGzip } from "../../base/gzip.ts";
import { ConnectionError } from "../../base/http.ts";
import { withoutUndefined } from "../../base/record.ts";
import { removeFile, removeTemporaryFiles } from "../../base/write-file.ts";
import { type RecordedFile, readDataRecord, recordFiles } from "./data-record.ts";
import { addressText, locate } from "./locate.ts";
import type { Services } from "./services.ts";
import type { Source, SourceAddress } from "./source.ts";

export interface FetchOptions {
  /** The data folder. */
  readonly folder: string;
  readonly services: Services;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  /** Called with remarks on waiting, unpacking and failed addresses. */
  readonly onNote?: ((text: string) => void) | undefined;
}

export interface FetchedSource {
  readonly file: RecordedFile;
  /** True if it was downloaded, false if it existed. */
  readonly fetched: boolean;
}

/**
 * Downloads one file into the data folder, verifies and records it. An existing file is only verified. An
 * interrupted download resumes with the next call.
 *
 * @throws {InputError} when the source has no address, every address fails, or the downloaded or existing
 *   file is not the expected one
 */
export async function fetchSource(source: Source, options: FetchOptions): Promise<FetchedSource> {
  const { folder, onNote, signal } = options;
  const path = join(folder, source.path);
  if (source.addresses.length === 0 && (await kindOfPath(path)) === undefined) {
    throw new InputError(`${source.name} cannot be fetched: ${source.notFetched}`);
  }
  await using _ = await waitForLock(`${path}.fetch.lock`, {
    protects: path,
    signal,
    onWait: ({ message }) => onNote?.(`waiting for another download of ${source.path}: ${message}`),
    onWatch: (text) => onNote?.(text),
  });
  await removeTemporaryFiles(path);
  if ((await kindOfPath(path)) !== undefined) {
    return { file: await verifyExisting(source, options), fetched: false };
  }
  const failures: InputError[] = [];
  for (const address of source.addresses) {
    try {
      await fetchFrom(address, source, options);
      const file = await describe(source, folder, addressText(address));
      await recordFiles(folder, [file]);
      return { file, fetched: true };
    } catch (error) {
      // Another address helps if this one is unavailable, not if the disk is full or the bytes are wrong.
      const unavailable =
        error instanceof ConnectionError || error instanceof HttpError || isRepositoryError(error);
      if (!unavailable) throw error;
      failures.push(error);
      if (failures.length < source.addresses.length) {
        onNote?.(`${addressText(address)}: ${error.message}; trying another address`);
      }
    }
  }
  throw unavailableError(source, failures);
}

const isRepositoryError = (error: unknown): error is InputError =>
  error instanceof InputError && error.place.file === undefined;

function unavailableError({ name, addresses }: Source, failures: readonly InputError[]): InputError {
  if (failures.length === 1) return failures[0];
  const lines = failures.map((failure, i) => `- ${addressText(addresses[i])}: ${failure.describe()}`);
  return new InputError(`${name} is not available at any address:\n${lines.join("\n")}`);
}

/** Checks an existing file against its record or the published digest; records it if it has no record. */
async function verifyExisting(source: Source, { folder, onNote }: FetchOptions): Promise<RecordedFile> {
  const path = join(folder, source.path);
  const known = (await readDataRecord(folder)).find((file) => file.path === source.path);
  const wrong = await mismatch(path, known ?? source.expected ?? {});
  if (wrong !== undefined) {
    throw new InputError(`the file ${wrong}`, {
      place: { file: path },
      hint: `move it away and fetch it again: dart-eval data fetch ${source.name}`,
    });
  }
  if (known !== undefined) return known;
  if (source.expected === undefined) {
    onNote?.(`${source.path} exists; it cannot be verified, since no digest is published`);
  }
  const file = await describe(source, folder, "found in the folder");
  await recordFiles(folder, [file]);
  return file;
}

async function fetchFrom(address: SourceAddress, source: Source, options: FetchOptions): Promise<void> {
  const { folder, services, signal, onProgress, onNote } = options;
  const path = join(folder, source.path);
  const { url, expected, gzip } = await locate(address, services, signal);
  const target = gzip ? `${path}.gz` : path;
  await download({
    url,
    path: target,
    // Published digests are of the uncompressed file.
    expected: gzip ? expected : { ...expected, ...source.expected },
    ...withoutUndefined({ signal, onProgress, retries: services.retries }),
  });
  if (!gzip) return;
  onNote?.(`unpacking ${source.path}`);
  await unpackGzip(target, path, { expected: source.expected, signal });
  await removeFile(target);
}

async function describe({ path }: Source, folder: string, from: string): Promise<RecordedFile> {
  const file = join(folder, path);
  return {
    path,
    bytes: await fileSize(file),
    sha256: await digestFile(file),
    from,
    since: new Date().toISOString(),
  };
}
