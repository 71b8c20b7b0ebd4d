import { join } from "node:path";
import { digestFile, mismatch } from "../../base/digest.ts";
import { download, HttpError } from "../../base/download.ts";
import { InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { fileSize, kindOfPath } from "../../base/folder.ts";
import { unpackGzip } from "../../base/gzip.ts";
import { ConnectionError } from "../../base/http.ts";
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
  /** Told what takes time or did not go as usual. */
  readonly onNote?: ((text: string) => void) | undefined;
}

export interface FetchedSource {
  readonly file: RecordedFile;
  /** Whether it had to be downloaded. */
  readonly fetched: boolean;
}

/**
 * Brings one file into its place in the data folder, checked and recorded; one that is there already is only checked.
 * A download that was stopped goes on at the next call.
 *
 * @throws {InputError} when it has no address, every address refuses it, what came is not what was expected, or a file
 *   that is there is not
 */
export async function fetchSource(source: Source, options: FetchOptions): Promise<FetchedSource> {
  const { folder, onNote, signal } = options;
  const path = join(folder, source.path);
  await using _ = await waitForLock(`${path}.fetch.lock`, {
    signal,
    onWait: ({ message }) => onNote?.(`waiting for another download of ${source.path}: ${message}`),
    onWatch: (text) => onNote?.(text),
  });
  await removeTemporaryFiles(path);
  if ((await kindOfPath(path)) !== undefined) return { file: await keep(source, options), fetched: false };
  if (source.addresses.length === 0) {
    throw new InputError(`${source.name} cannot be fetched: ${source.notFetched}`);
  }
  const refusals: InputError[] = [];
  for (const address of source.addresses) {
    try {
      await fetchFrom(address, source, options);
      const file = await describe(source, folder, addressText(address));
      await recordFiles(folder, [file]);
      return { file, fetched: true };
    } catch (error) {
      // Only a source that is not to be had is worth another address; a full disk or wrong bytes are not.
      const passing = error instanceof ConnectionError || error instanceof HttpError || isRefusal(error);
      if (!passing) throw error;
      refusals.push(error);
      if (refusals.length < source.addresses.length) {
        onNote?.(`${addressText(address)}: ${error.message}; trying another address`);
      }
    }
  }
  throw together(source, refusals);
}

const isRefusal = (error: unknown): error is InputError =>
  error instanceof InputError && error.place.file === undefined;

function together({ name, addresses }: Source, refusals: readonly InputError[]): InputError {
  if (refusals.length === 1) return refusals[0];
  const lines = refusals.map((refusal, i) => `- ${addressText(addresses[i])}: ${refusal.describe()}`);
  return new InputError(`${name} is not to be had:\n${lines.join("\n")}`);
}

/** A file that is there: as recorded, or as the source is known to be, or taken for what it is called. */
async function keep(source: Source, { folder, onNote }: FetchOptions): Promise<RecordedFile> {
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
    onNote?.(`${source.path} was there already and nothing is published to check it by; it is kept as it is`);
  }
  const file = await describe(source, folder, "found in the folder");
  await recordFiles(folder, [file]);
  return file;
}

async function fetchFrom(address: SourceAddress, source: Source, options: FetchOptions): Promise<void> {
  const { folder, services, signal, onProgress, onNote } = options;
  const path = join(folder, source.path);
  const { url, expected, gzip } = await locate(address, services, signal);
  const arrival = gzip ? `${path}.gz` : path;
  await download({
    url,
    path: arrival,
    // What was published is of the file itself, not of its compressed form.
    expected: gzip ? expected : { ...expected, ...source.expected },
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(services.retries === undefined ? {} : { retries: services.retries }),
  });
  if (!gzip) return;
  onNote?.(`unpacking ${source.path}`);
  await unpackGzip(arrival, path, { expected: source.expected, signal });
  await removeFile(arrival);
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
